"""What clients build on: their options, references, rates, feeds and webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UNPUBLISHED = sa.text("position IS NULL")
_PUBLISHED = sa.text("position IS NOT NULL")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _clients_and_keys()
    op.add_column("messages", sa.Column("recipient_digest", sa.String(length=64), nullable=True))
    op.add_column("messages", sa.Column("encoding", sa.String(length=8), nullable=True))
    for name, table, columns, where in (
        (
            "ix_messages_recipient",
            "messages",
            ["client_id", "recipient_digest", "id"],
            "recipient_digest IS NOT NULL",
        ),
        ("ix_recipients_digest", "recipients", ["digest"], "digest IS NOT NULL"),
    ):
        if table == "recipients":
            op.add_column(table, sa.Column("digest", sa.String(length=64), nullable=True))
        op.create_index(
            name,
            table,
            columns,
            unique=False,
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(where),
        )
    _events()
    _webhooks()


def _clients_and_keys() -> None:
    op.add_column(
        "clients",
        sa.Column("unique_references", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("clients", sa.Column("idempotency", sa.String(length=8), nullable=True))
    op.add_column("clients", sa.Column("rate", sa.Integer(), nullable=True))
    op.add_column("clients", sa.Column("daily_quotas", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("api_keys", sa.Column("label", sa.String(length=100), nullable=True))
    op.add_column("api_keys", sa.Column("expires_at", _TIME, nullable=True))
    op.add_column("api_keys", sa.Column("last_used_at", _TIME, nullable=True))
    op.add_column("api_keys", sa.Column("networks", sa.JSON(none_as_null=True), nullable=True))
    op.create_index(
        op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False
    )
    op.create_table(
        "team_recipients",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_team_recipients_client_id")
        ),
        sa.PrimaryKeyConstraint("client_id", "address", name=op.f("pk_team_recipients")),
    )
    op.create_table(
        "client_references",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_client_references_client_id")
        ),
        sa.PrimaryKeyConstraint(
            "client_id", "mode", "reference", name=op.f("pk_client_references")
        ),
    )
    op.create_table(
        "client_rates",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("free_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_client_rates_client_id")
        ),
        sa.PrimaryKeyConstraint("client_id", "mode", name=op.f("pk_client_rates")),
    )
    op.create_table(
        "daily_usage",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_daily_usage_client_id")
        ),
        sa.PrimaryKeyConstraint("client_id", "mode", "channel", "day", name=op.f("pk_daily_usage")),
    )
    op.create_table(
        "feeds",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_feeds_client_id")),
        sa.PrimaryKeyConstraint("client_id", "mode", name=op.f("pk_feeds")),
    )


def _events() -> None:
    # Nothing points to this table: SQLite may write it anew.
    with op.batch_alter_table("events") as batch:
        batch.add_column(sa.Column("client_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("mode", sa.String(length=8), nullable=True))
        batch.add_column(sa.Column("position", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("failure", sa.JSON(none_as_null=True), nullable=True))
        batch.alter_column("message_id", existing_type=sa.Uuid(), nullable=True)
        batch.alter_column("status", existing_type=sa.String(length=20), nullable=True)
    for column in ("client_id", "mode"):
        op.execute(
            f"UPDATE events SET {column} ="  # noqa: S608 -- names of columns
            f" (SELECT {column} FROM messages WHERE messages.id = events.message_id)"
        )
    op.create_index(
        "ix_events_unpublished",
        "events",
        ["client_id", "mode", "id"],
        unique=False,
        postgresql_where=_UNPUBLISHED,
        sqlite_where=_UNPUBLISHED,
    )
    op.create_index(
        "ix_events_feed",
        "events",
        ["client_id", "mode", "position"],
        unique=True,
        postgresql_where=_PUBLISHED,
        sqlite_where=_PUBLISHED,
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=True),
        sa.Column("events", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("channels", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("secret", sa.String(length=300), nullable=False),
        sa.Column("previous_secret", sa.String(length=300), nullable=True),
        sa.Column("previous_until", _TIME, nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(length=32), nullable=True),
        sa.Column("failing_since", _TIME, nullable=True),
        sa.Column("failing_told_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_webhook_endpoints_client_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index("ix_webhook_endpoints_client", "webhook_endpoints", ["client_id", "mode", "id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("response", sa.String(length=1024), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_endpoint_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("ix_webhook_deliveries_endpoint", "webhook_deliveries", ["endpoint_id", "id"])
    op.create_index("ix_webhook_deliveries_event", "webhook_deliveries", ["event_id"])
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "due_at"],
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")
    op.drop_index("ix_events_feed", table_name="events")
    op.drop_index("ix_events_unpublished", table_name="events")
    op.execute("DELETE FROM events WHERE message_id IS NULL")
    with op.batch_alter_table("events") as batch:
        batch.alter_column("status", existing_type=sa.String(length=20), nullable=False)
        batch.alter_column("message_id", existing_type=sa.Uuid(), nullable=False)
        for column in ("failure", "position", "mode", "client_id"):
            batch.drop_column(column)
    op.drop_index("ix_recipients_digest", table_name="recipients")
    op.drop_index("ix_messages_recipient", table_name="messages")
    for table in ("feeds", "daily_usage", "client_rates", "client_references", "team_recipients"):
        op.drop_table(table)
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    for table, columns in {
        "recipients": ("digest",),
        "messages": ("encoding", "recipient_digest"),
        "api_keys": ("networks", "last_used_at", "expires_at", "label"),
        "clients": ("daily_quotas", "rate", "idempotency", "unique_references"),
    }.items():
        for column in columns:
            # Not Alembic's: on SQLite it would write the table anew, and break what points to it.
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
