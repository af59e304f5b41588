"""Bring a store to this version's schema."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import Database

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
ADVISORY_LOCK: Final = 0x6D756C746963616E  # "multican": one migration at a time on PostgreSQL
_LOOKS: Final = 0.2  # seconds between looks whether another migration is over

_Direction = Callable[[Config, str], None]


async def upgrade(database: Database, target: str = "head") -> None:
    """Bring the store to a revision; several processes may ask at once, one does it."""
    await _bring(database, command.upgrade, target)


async def downgrade(database: Database, target: str) -> None:
    """Take the store back to a revision."""
    await _bring(database, command.downgrade, target)


async def _bring(database: Database, direction: _Direction, target: str) -> None:
    if database.is_sqlite:
        async with database.transaction(patient=True) as connection:
            await connection.run_sync(_run, direction, target)
        return
    async with database.unhurried() as connection:
        await _take_turn(connection)
        await connection.run_sync(_run, direction, target)


async def _take_turn(connection: AsyncConnection) -> None:
    """Wait for other migrations; the turn ends with the connection."""
    # Neither who waits nor who has the turn may be in a transaction: an index that is built beside
    # the work waits for every transaction that could still read.
    take = text("SELECT pg_try_advisory_lock(:key)")
    while not (await connection.execute(take, {"key": ADVISORY_LOCK})).scalar_one():
        await connection.commit()
        await asyncio.sleep(_LOOKS)
    await connection.commit()


def _run(connection: Connection, direction: _Direction, target: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    direction(config, target)
