"""How fast clients ask, over all processes (GCRA): one row for each client and mode."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.tables import client_rates

Name = tuple[UUID, str]  # client, mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a process took of a client's rate, and what it wants of it."""

    told: timedelta  # was taken, and counts whatever stands
    wanted: int  # requests, of which those pass that fit
    each: timedelta  # that a request takes
    most: timedelta  # that fits


async def spend(
    connection: AsyncConnection, name: Name, asked: Asked, now: datetime
) -> tuple[int, datetime]:
    """Count what is told, and grant what fits of what is wanted; return how many requests do.

    And from when on the client's bucket is empty, with what every process wrote.
    """
    c = client_rates.c
    mine = (c.client_id == name[0], c.mode == name[1])
    standing = select(c.free_at).where(*mine).with_for_update()
    before: datetime | None = (await connection.execute(standing)).scalar_one_or_none()
    if before is None:
        new = {"client_id": name[0], "mode": name[1], "free_at": now}
        await connection.execute(insert_new(connection, client_rates).values(**new))
        before = (await connection.execute(standing)).scalar_one()
    level = max(before - now, timedelta(0)) + asked.told
    granted = min(asked.wanted, max(0, (asked.most - level) // asked.each))
    after = now + level + granted * asked.each
    if after > max(before, now):
        await connection.execute(update(client_rates).where(*mine).values(free_at=after))
    return granted, after
