"""Which life of the store this is."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incarnation",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timeline", sa.String(length=8), nullable=True),
        sa.Column("origin", sa.JSON(), nullable=True),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.Column("restore_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restore_why", sa.String(length=200), nullable=True),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_incarnation")),
    )


def downgrade() -> None:
    op.drop_table("incarnation")
