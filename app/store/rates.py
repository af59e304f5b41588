"""The pace of calls to each provider, which all processes share (GCRA, one row a provider)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.tables import rates

AHEAD: Final = timedelta(seconds=1)  # how far ahead of its pace a provider may be called at once


async def room(connection: AsyncConnection, provider: str, rate: float, now: datetime) -> int:
    """Return how many calls may begin now; the row stays locked until `spend` and the commit."""
    await connection.execute(insert_new(connection, rates).values(provider=provider, free_at=now))
    found = await connection.execute(
        select(rates.c.free_at).where(rates.c.provider == provider).with_for_update()
    )
    free_at = max(found.scalar_one(), now)
    left = ((now + AHEAD) - free_at).total_seconds() * rate
    # Slower than once a second: one call, once the pace allows it.
    return int(left) if rate >= 1 else int(free_at <= now)


async def spend(
    connection: AsyncConnection, provider: str, rate: float, now: datetime, calls: int
) -> None:
    """Note that so many calls begin now."""
    found = await connection.execute(select(rates.c.free_at).where(rates.c.provider == provider))
    free_at = max(found.scalar_one(), now) + calls * timedelta(seconds=1 / rate)
    await connection.execute(
        update(rates).where(rates.c.provider == provider).values(free_at=free_at)
    )
