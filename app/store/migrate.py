"""Bring a store to this version's schema."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from app.store.database import Database

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
ADVISORY_LOCK: Final = 0x6D756C746963616E  # "multican": one migration at a time on PostgreSQL


async def upgrade(database: Database, target: str = "head") -> None:
    """Bring the store to a revision; several processes may ask at once, one does it."""
    async with database.transaction(patient=True) as connection:
        await connection.run_sync(_run, command.upgrade, target)


async def downgrade(database: Database, target: str) -> None:
    """Take the store back to a revision."""
    async with database.transaction(patient=True) as connection:
        await connection.run_sync(_run, command.downgrade, target)


def _run(connection: Connection, direction: Callable[[Config, str], None], target: str) -> None:
    if connection.dialect.name == "postgresql":
        # A migration may take longer than a request's statement, and waits for another migration.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    direction(config, target)
