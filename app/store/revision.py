"""Which schema a store has, and which one this version works with.

Read without Alembic: every process looks at its start, and importing it costs a tenth of that.
"""

from typing import Final

from sqlalchemy import column, inspect, select, table

from app.store.database import Database

NEWEST: Final = "0008"  # the last of migrations/versions

_VERSION: Final = table("alembic_version", column("version_num"))


async def revision(database: Database) -> str | None:
    """Return the store's revision, None for an empty store."""
    async with database.reading() as connection:
        if not await connection.run_sync(lambda bare: inspect(bare).has_table(_VERSION.name)):
            return None
        found: str | None = (await connection.execute(select(_VERSION))).scalar()
        return found
