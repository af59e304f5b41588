"""How many bytes each message keeps, for the counters of what waits."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("size", sa.Integer(), nullable=True))


def downgrade() -> None:
    # Not Alembic's: on SQLite it would write the table anew, and break what points to it.
    op.execute("ALTER TABLE messages DROP COLUMN size")
