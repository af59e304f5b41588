"""Channels, rates, counters, slots, and what settles uncertain attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("why", sa.String(length=200), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "channel", name=op.f("pk_channels")),
    )
    op.create_table(
        "rates",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_rates")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "slots",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "code", name=op.f("pk_slots")),
    )
    op.create_index("ix_slots_attempt_id", "slots", ["attempt_id"], unique=False)
    op.add_column("messages", sa.Column("on_uncertain", sa.String(length=8), nullable=True))
    op.create_index(
        "ix_messages_uncertain",
        "messages",
        ["channel", "due_at"],
        unique=False,
        postgresql_where=sa.text("status = 'uncertain'"),
        sqlite_where=sa.text("status = 'uncertain'"),
    )
    op.add_column("attempts", sa.Column("slot_code", sa.String(length=100), nullable=True))
    op.add_column("attempts", sa.Column("expected", sa.Integer(), nullable=True))
    op.add_column("attempts", sa.Column("absent_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in ("absent_at", "expected", "slot_code"):
        # Not Alembic's: on SQLite it would write the table anew, and break what points to it.
        op.execute(f"ALTER TABLE attempts DROP COLUMN {column}")
    op.drop_index("ix_messages_uncertain", table_name="messages")
    op.execute("ALTER TABLE messages DROP COLUMN on_uncertain")
    op.drop_index("ix_slots_attempt_id", table_name="slots")
    op.drop_table("slots")
    op.drop_table("counters")
    op.drop_table("rates")
    op.drop_table("channels")
