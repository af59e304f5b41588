"""The feed of each client and mode: its events, numbered 1, 2, 3 without a gap.

An event is committed without a number, with whatever it is news of. Who publishes holds the row of
the feed, and numbers what is committed by then: a number once seen is never followed by a lower
one, however late a transaction commits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Uuid,
    and_,
    bindparam,
    exists,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.message import Mode
from app.store.database import insert_new
from app.store.tables import clients, events, feeds, messages

Feed = tuple[UUID, str]  # a client, and a mode of its keys

_UNPUBLISHED: Final[ColumnElement[bool]] = events.c.position.is_(None)
# What is told of an event's message.
TOLD: Final = (
    "id",
    "channel",
    "provider",
    "reference",
    "batch_id",
    "units",
    "pages_sent",
    "failure",
)
_OF: Final = "of_"  # before the names of a message's columns, beside those of an event
SCANNED: Final = 10_000  # positions that one page looks through for some types
LEAP: Final = 1_000_000  # positions that a restored store leaves out
FIRST: Final = UUID(int=0)  # before every event


@dataclass(frozen=True, slots=True)
class Published:
    """The events that were given their positions: those after one, up to another."""

    feed: Feed
    after: int
    until: int
    last: UUID | None = None  # before it none is left that was looked for; None: not known

    @property
    def count(self) -> int:
        """How many they are."""
        return self.until - self.after


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a feed goes, and whether events wait to be put into it."""

    position: int
    waits: bool
    forgotten: int = 0  # the last position whose event was deleted with its message


async def waiting(connection: AsyncConnection, since: UUID = FIRST) -> list[Feed]:
    """Return the feeds for which events wait, of those from one on."""
    found = await connection.execute(_waiting(), {"since": since})
    return sorted((row[0], row[1]) for row in found)


@cache
def _waiting() -> Select[UUID, str]:
    # A look into the index for each client: what waits is not read, however much it is.
    modes = union_all(*(select(literal(mode.value).label("mode")) for mode in Mode)).subquery()
    return (
        select(clients.c.id, modes.c.mode)
        .join_from(clients, modes, true())
        .where(
            _any_waits(clients.c.id, modes.c.mode, events.c.id >= bindparam("since", type_=Uuid))
        )
    )


async def oldest_waiting(connection: AsyncConnection) -> UUID | None:
    """Return the first event that waits for its position, in whichever feed."""
    c = events.c
    firsts = [
        select(c.id)
        .where(c.client_id == clients.c.id, c.mode == mode.value, _UNPUBLISHED)
        .order_by(c.id)
        .limit(1)
        .scalar_subquery()
        for mode in Mode
    ]
    found = await connection.execute(select(*firsts).select_from(clients))
    return min((one for row in found for one in row if one is not None), default=None)


async def standing(connection: AsyncConnection, wanted: Collection[Feed]) -> dict[Feed, Standing]:
    """Return how feeds stand; one that has no event yet stands at 0."""
    modes = [mode.value for mode in Mode]
    named = select(clients.c.id, *(_any_waits(clients.c.id, mode) for mode in modes))
    found = await connection.execute(named.where(clients.c.id.in_({one[0] for one in wanted})))
    waits = {(row[0], mode): bool(row[1 + at]) for row in found for at, mode in enumerate(modes)}
    c = feeds.c
    reached = await connection.execute(select(feeds).where(tuple_(c.client_id, c.mode).in_(wanted)))
    rows = {(row.client_id, row.mode): (row.position, row.forgotten) for row in reached}
    return {
        one: Standing(position, waits.get(one, False), forgotten)
        for one in wanted
        for position, forgotten in [rows.get(one, (0, 0))]
    }


async def hold(connection: AsyncConnection, wanted: Sequence[Feed]) -> dict[Feed, int]:
    """Lock feeds, and return how far each goes; who holds one already publishes what it has.

    Nobody waits here but for the first row of a feed, and for these in one order: no two
    transactions can wait for each other.
    """
    c = feeds.c
    wanted = sorted(wanted)
    found = await connection.execute(
        select(feeds)
        .where(tuple_(c.client_id, c.mode).in_(wanted))
        .order_by(c.client_id, c.mode)
        .with_for_update(skip_locked=True)
    )
    held = {(row.client_id, row.mode): row.position for row in found}
    missing = [one for one in wanted if one not in held]
    if missing:
        made = await connection.execute(
            insert_new(connection, feeds)
            .values([{"client_id": one, "mode": mode, "position": 0} for one, mode in missing])
            .returning(c.client_id, c.mode)
        )
        held |= {(row.client_id, row.mode): 0 for row in made}
    return dict(sorted(held.items()))


async def passed(connection: AsyncConnection, feed: Feed) -> None:
    """Return when whoever holds a feed has published: its deliveries are there as its events are."""
    c = feeds.c
    row = {"client_id": feed[0], "mode": feed[1], "position": 0}
    # Nobody sees a first row that is not committed; who inserts it too waits for it.
    await connection.execute(insert_new(connection, feeds).values(row))
    mine = select(c.position).where(c.client_id == feed[0], c.mode == feed[1])
    await connection.execute(mine.with_for_update())


async def leap(connection: AsyncConnection) -> None:
    """Leave a gap in every feed, where the store was restored and forgot how far each had gone.

    Whoever had read further than the backup would otherwise pass over what gets those positions
    anew.
    """
    known = (await connection.execute(select(clients.c.id))).scalars()
    rows = [{"client_id": one, "mode": mode.value, "position": 0} for one in known for mode in Mode]
    if rows:
        await connection.execute(insert_new(connection, feeds), rows)
    await connection.execute(update(feeds).values(position=feeds.c.position + LEAP))


async def page(
    connection: AsyncConnection,
    feed: Feed,
    *,
    after: int,
    until: int,
    limit: int,
    only: ColumnElement[bool] | None = None,
) -> Sequence[tuple[RowMapping, Mapping[str, Any] | None]]:
    """Return a feed's events after a position and up to another, each with its message's row."""
    c = events.c
    of = [messages.c[name].label(_OF + name) for name in TOLD]
    query = (
        select(events, *of)
        .outerjoin(messages, messages.c.id == c.message_id)
        .where(c.client_id == feed[0], c.mode == feed[1], c.position > after, c.position <= until)
        .order_by(c.position)
        .limit(limit)
    )
    found = await connection.execute(query if only is None else query.where(only))
    return [(row, _message(row)) for row in found.mappings()]


def of_types(types: Collection[str], ignored: str) -> ColumnElement[bool]:
    """Return what narrows a page to types; what was not applied has the type `ignored` alone."""
    applied = and_(events.c.applied, events.c.type.in_(types))
    return or_(applied, ~events.c.applied) if ignored in types else applied


def _message(row: RowMapping) -> Mapping[str, Any] | None:
    if row[_OF + "id"] is None:
        return None
    return {name: row[_OF + name] for name in TOLD}


def _any_waits(
    client_id: ColumnElement[UUID], mode: ColumnElement[str] | str, *narrower: ColumnElement[bool]
) -> ColumnElement[bool]:
    # OFFSET keeps PostgreSQL from making a join of it: that would read all that waits.
    waiting = select(literal(1)).where(
        events.c.client_id == client_id, events.c.mode == mode, _UNPUBLISHED, *narrower
    )
    return exists(waiting.limit(1).offset(0))
