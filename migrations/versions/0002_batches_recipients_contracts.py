"""Batches, recipients, contracts, unmapped codes and reports."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contracts",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("shape", sa.JSON(), nullable=False),
        sa.Column("documents", sa.JSON(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "state", name=op.f("pk_contracts")),
    )
    op.create_table(
        "unmapped_codes",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("function", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=500), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mapped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("provider", "function", "code", name=op.f("pk_unmapped_codes")),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("sending", sa.String(length=16), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_batches_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_reports_client_id")),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name=op.f("fk_reports_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports") as batch_op:
        batch_op.create_index(
            "ix_reports_due",
            ["due_at"],
            unique=False,
            postgresql_where=sa.text("status IN ('queued', 'running')"),
            sqlite_where=sa.text("status IN ('queued', 'running')"),
        )

    op.create_table(
        "recipients",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("provider_code", sa.String(length=100), nullable=True),
        sa.Column("provider_label", sa.String(length=500), nullable=True),
        sa.Column("provider_time", sa.String(length=64), nullable=True),
        sa.Column("unmapped_code", sa.String(length=100), nullable=True),
        sa.Column("unmapped_function", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_recipients_message_id")
        ),
        sa.PrimaryKeyConstraint("message_id", "place", name=op.f("pk_recipients")),
    )
    with op.batch_alter_table("recipients") as batch_op:
        batch_op.create_index(
            "ix_recipients_unmapped",
            ["unmapped_code"],
            unique=False,
            postgresql_where=sa.text("unmapped_code IS NOT NULL"),
            sqlite_where=sa.text("unmapped_code IS NOT NULL"),
        )
    with op.batch_alter_table("acknowledgements", recreate="never") as batch_op:
        batch_op.add_column(sa.Column("detail", sa.String(length=200), nullable=True))
        batch_op.create_index(
            "ix_acknowledgements_unmatched",
            ["provider", "id"],
            unique=False,
            postgresql_where=sa.text("note IN ('unknown_reference', 'other_number', 'unreadable')"),
            sqlite_where=sa.text("note IN ('unknown_reference', 'other_number', 'unreadable')"),
        )
    # Until now an unknown reference was told by what its row lacked.
    op.execute(
        "UPDATE acknowledgements SET note = 'unknown_reference'"
        " WHERE note IS NULL AND attempt_id IS NULL AND applied_at IS NULL"
    )
    with op.batch_alter_table("messages", recreate="never") as batch_op:
        batch_op.add_column(sa.Column("batch_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("campaign_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("unmapped_code", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("unmapped_function", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("ack_overdue_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_messages_batch", ["batch_id", "id"], unique=False)
        batch_op.create_index(
            "ix_messages_campaign",
            ["campaign_id"],
            unique=False,
            postgresql_where=sa.text("campaign_id IS NOT NULL"),
            sqlite_where=sa.text("campaign_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_messages_unmapped",
            ["provider", "unmapped_code"],
            unique=False,
            postgresql_where=sa.text("unmapped_code IS NOT NULL"),
            sqlite_where=sa.text("unmapped_code IS NOT NULL"),
        )


def downgrade() -> None:
    op.drop_index("ix_messages_unmapped", table_name="messages")
    op.drop_index("ix_messages_campaign", table_name="messages")
    op.drop_index("ix_messages_batch", table_name="messages")
    added = ("ack_overdue_at", "unmapped_function", "unmapped_code", "campaign_id", "batch_id")
    for column in added:
        # Not Alembic's: on SQLite it would write the table anew, and break what points to it.
        op.execute(f"ALTER TABLE messages DROP COLUMN {column}")
    op.drop_index("ix_acknowledgements_unmatched", table_name="acknowledgements")
    op.execute("ALTER TABLE acknowledgements DROP COLUMN detail")
    op.drop_index("ix_recipients_unmapped", table_name="recipients")
    op.drop_table("recipients")
    op.drop_index("ix_reports_due", table_name="reports")
    op.drop_table("reports")
    op.drop_table("batches")
    op.drop_table("unmapped_codes")
    op.drop_table("contracts")
