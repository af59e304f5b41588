"""Keep files as they are: PostgreSQL looked for what it could compress in each.

They are compressed already, nearly all of them (PDF, pictures). What stands is left as it is: it is
read either way.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _store("EXTERNAL")


def downgrade() -> None:
    _store("EXTENDED")


def _store(how: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"ALTER TABLE blobs ALTER COLUMN content SET STORAGE {how}")
