"""Clients, their options, and whom their keys of the mode team may send to."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.tables import clients, daily_usage, team_recipients


async def named(connection: AsyncConnection, name: str) -> RowMapping | None:
    """Return the client of a name."""
    found = await connection.execute(select(clients).where(clients.c.name == name))
    return found.mappings().one_or_none()


async def find(connection: AsyncConnection, client_id: UUID) -> RowMapping | None:
    """Return a client."""
    found = await connection.execute(select(clients).where(clients.c.id == client_id))
    return found.mappings().one_or_none()


async def page(
    connection: AsyncConnection, name: str | None, *, limit: int, after: UUID | None
) -> Sequence[RowMapping]:
    """Return up to `limit` clients, the newest first, that follow the one named."""
    conditions = [clients.c.name == name] if name is not None else []
    if after is not None:
        conditions.append(clients.c.id < after)
    found = await connection.execute(
        select(clients).where(*conditions).order_by(clients.c.id.desc()).limit(limit)
    )
    return found.mappings().all()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """Write a client; False where its name is taken."""
    added = await connection.execute(
        insert_new(connection, clients).values(**row).returning(clients.c.id)
    )
    return added.first() is not None


async def change(
    connection: AsyncConnection, client_id: UUID, options: Mapping[str, Any]
) -> RowMapping | None:
    """Change a client's options; return it, None where there is none."""
    if options:
        await connection.execute(update(clients).where(clients.c.id == client_id).values(**options))
    return await find(connection, client_id)


async def team(connection: AsyncConnection, client_id: UUID) -> list[str]:
    """Return whom a client's keys of the mode team may send to."""
    t = team_recipients.c
    found = await connection.execute(
        select(t.address).where(t.client_id == client_id).order_by(t.address)
    )
    return list(found.scalars())


async def add_to_team(
    connection: AsyncConnection, client_id: UUID, addresses: Collection[str], at: datetime
) -> None:
    """Add recipients, normalised; those that stand there already are passed over."""
    rows = [
        {"client_id": client_id, "address": address, "created_at": at}
        for address in sorted(set(addresses))
    ]
    if rows:
        await connection.execute(insert_new(connection, team_recipients), rows)


async def remove_from_team(
    connection: AsyncConnection, client_id: UUID, addresses: Collection[str] | None = None
) -> None:
    """Remove recipients, normalised; all of them where none are named."""
    t = team_recipients.c
    narrowed = [t.address.in_(addresses)] if addresses is not None else []
    await connection.execute(delete(team_recipients).where(t.client_id == client_id, *narrowed))


async def usage(
    connection: AsyncConnection, client_id: UUID, mode: str, day: date
) -> Mapping[str, int]:
    """Return how many messages a client had taken in on a day, by channel."""
    u = daily_usage.c
    found = await connection.execute(
        select(u.channel, u.messages).where(u.client_id == client_id, u.mode == mode, u.day == day)
    )
    return {row.channel: row.messages for row in found}
