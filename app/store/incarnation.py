"""Which life of the store this is, and whether it may send.

On PostgreSQL a restored or failed-over store gives itself away: another timeline, another system
identifier (where the role may read it), or another number of the table itself, which only a dump
that was loaded makes anew. A copy of files gives away nothing, on either database: it is known by a
copy of its position that is kept outside the store, and lies ahead of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, exists, func, literal_column, or_, select, text
from sqlalchemy import update as change
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.tables import events, incarnation, messages

_TIMELINE: Final = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
# That nothing may be claimed, on PostgreSQL.
SHUT: Final = (
    "EXISTS (SELECT FROM incarnation"
    f" WHERE restore_since IS NOT NULL OR timeline <> (SELECT {_TIMELINE}))"
)
_POSTGRESQL: Final = text(
    "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline,"
    " (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database,"
    " 'incarnation'::regclass::oid::bigint AS table,"
    " (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint AS position,"
    " has_function_privilege('pg_control_system()', 'execute') AS may_read_system"
)
_SYSTEM: Final = text("SELECT system_identifier::text FROM pg_control_system()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a store is: what it was made from, and how far it has come."""

    position: int  # grows with everything that may have been sent
    timeline: str | None = None
    origin: Mapping[str, Any] | None = None


def shut(connection: AsyncConnection) -> ColumnElement[bool]:
    """Return the condition that nothing may be claimed, for the claiming statement itself.

    A standby that took over under a running worker is caught here, before anybody has looked.
    """
    c = incarnation.c
    if connection.dialect.name == "sqlite":
        return exists().where(c.restore_since.is_not(None))
    current = select(literal_column(_TIMELINE)).scalar_subquery()
    return exists().where(or_(c.restore_since.is_not(None), c.timeline != current))


async def place(connection: AsyncConnection) -> Place:
    """Return where the store is now."""
    if connection.dialect.name == "sqlite":
        found = await connection.execute(select(incarnation.c.claims))
        return Place(position=found.scalar_one_or_none() or 0)
    row = (await connection.execute(_POSTGRESQL)).mappings().one()
    system = None
    if row["may_read_system"]:
        system = (await connection.execute(_SYSTEM)).scalar_one()
    origin = {"database": row["database"], "table": row["table"], "system": system}
    return Place(position=row["position"], timeline=row["timeline"], origin=origin)


async def lock(
    connection: AsyncConnection, store_id: UUID, where: Place, now: datetime
) -> RowMapping:
    """Return the one row, locked, and made of what is found now where there is none."""
    new = {
        "place": 1,
        "store_id": store_id,
        "made_at": now,
        "timeline": where.timeline,
        "origin": where.origin,
        "claims": 0,
    }
    await connection.execute(insert_new(connection, incarnation).values(new))
    found = await connection.execute(select(incarnation).with_for_update())
    return found.mappings().one()


async def standing(connection: AsyncConnection) -> RowMapping | None:
    """Return the one row, None where no process ever started on this store."""
    found = await connection.execute(select(incarnation))
    return found.mappings().one_or_none()


async def write(connection: AsyncConnection, **columns: Any) -> None:  # noqa: ANN401 -- columns
    """Change the one row."""
    await connection.execute(change(incarnation).values(columns))


async def count_claims(connection: AsyncConnection) -> None:
    """Count a round of claims, where nothing else tells how far the store has come."""
    if connection.dialect.name == "sqlite":
        await connection.execute(change(incarnation).values(claims=incarnation.c.claims + 1))


async def is_empty(connection: AsyncConnection) -> bool:
    """Say whether the store holds no message at all."""
    found = await connection.execute(select(messages.c.id).limit(1))
    return found.first() is None


async def last_event(connection: AsyncConnection) -> datetime | None:
    """Return when the last thing happened that the store knows; its ids sort by time."""
    found = await connection.execute(select(events.c.at).order_by(events.c.id.desc()).limit(1))
    return found.scalar_one_or_none()


async def held_by_restore(connection: AsyncConnection) -> int:
    """Return how many messages a restore holds; for a person's question, not for a send path."""
    found = await connection.execute(
        select(func.count())
        .select_from(messages)
        .where(messages.c.status == "held", messages.c.blocked_reason == "restore")
    )
    return found.scalar_one()
