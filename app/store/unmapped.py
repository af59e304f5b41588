"""Codes that nobody has said the meaning of: counted, listed, and found again when somebody has.

Where a message or recipient stands on such a code, its row names code and function: that is what
a replay takes up. The table here only counts, for those who write the operator's file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    ScalarSelect,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.standing import Key, on_code, recipients_on_code
from app.store.tables import messages, recipients, unmapped_codes

MOST: Final = 200  # codes of one function that have a row each: a provider may answer anything
OTHER: Final = "other"  # the row of all codes beyond those; no code looks like it
LABEL_LENGTH: Final = 500
CODE_LENGTH: Final = 100
MOST_LISTED: Final = 1000
MOST_COUNTED: Final = 1000  # messages that stand on one code


@dataclass(frozen=True, slots=True)
class Sighting:
    """A code that a provider answered and nobody has said the meaning of."""

    provider: str
    function: str
    code: str
    label: str | None  # the provider's words


def seen(provider: str, rows: Iterable[Mapping[str, Any]]) -> list[Sighting]:
    """Return the codes that recipients came to stand on."""
    return [
        Sighting(provider, row["unmapped_function"], row["unmapped_code"], row["provider_label"])
        for row in rows
        if row["unmapped_code"] is not None
    ]


async def count(connection: AsyncConnection, sightings: Sequence[Sighting], at: datetime) -> None:
    """Count codes; one that was mapped before is open again."""
    table = unmapped_codes
    times: dict[Key, int] = {}
    labels: dict[Key, str] = {}
    rooms: dict[tuple[str, str], set[str]] = {}
    for one in sightings:
        place = (one.provider, one.function)
        if place not in rooms:
            rooms[place] = await _known(connection, *place)
        code = one.code[:CODE_LENGTH]
        if code not in rooms[place] and len(rooms[place]) >= MOST:
            code = OTHER
        rooms[place].add(code)
        key = (*place, code)
        times[key] = times.get(key, 0) + 1
        if one.label and code != OTHER:
            labels[key] = one.label[:LABEL_LENGTH]
    # Always in the same order, or two writers could wait for each other.
    for key in sorted(times):
        named = dict(zip(("provider", "function", "code"), key, strict=True))
        await connection.execute(
            insert_new(connection, table).values(**named, times=0, first_at=at, last_at=at)
        )
        label = {"label": labels[key]} if key in labels else {}
        await connection.execute(
            update(table)
            .where(*_is(key))
            .values(times=table.c.times + times[key], last_at=at, mapped_at=None, **label)
        )


async def _known(connection: AsyncConnection, provider: str, function: str) -> set[str]:
    c = unmapped_codes.c
    found = await connection.execute(
        select(c.code).where(c.provider == provider, c.function == function)
    )
    return set(found.scalars())


def _is(key: Key) -> tuple[ColumnElement[bool], ...]:
    c = unmapped_codes.c
    provider, function, code = key
    return c.provider == provider, c.function == function, c.code == code


async def opened(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Return the codes that were not mapped when they were looked at last."""
    table = unmapped_codes
    found = await connection.execute(
        select(table)
        .where(table.c.mapped_at.is_(None))
        .order_by(table.c.provider, table.c.function, table.c.code)
    )
    return found.mappings().all()


async def all_codes(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Return the codes of every provider, mapped since or not; of very many, the latest."""
    table = unmapped_codes
    found = await connection.execute(
        select(table).order_by(table.c.last_at.desc()).limit(MOST_LISTED)
    )
    return found.mappings().all()


async def listed(
    connection: AsyncConnection, provider: str, *, mapped: bool | None
) -> Sequence[RowMapping]:
    """Return a provider's codes, the latest first, with how many messages `waiting` on each."""
    c = unmapped_codes.c
    chosen = [c.provider == provider]
    if mapped is not None:
        chosen.append(c.mapped_at.is_not(None) if mapped else c.mapped_at.is_(None))
    found = await connection.execute(
        select(unmapped_codes, (_of_messages() + _of_recipients()).label("waiting"))
        .where(*chosen)
        .order_by(c.last_at.desc(), c.function, c.code)
        .limit(MOST_LISTED)
    )
    return found.mappings().all()


def _of_messages() -> ScalarSelect[int]:
    standing = on_code(unmapped_codes.c.provider, unmapped_codes.c.function, unmapped_codes.c.code)
    few = select(messages.c.id).where(standing).limit(MOST_COUNTED).correlate(unmapped_codes)
    return select(func.count()).select_from(few.subquery()).scalar_subquery()


def _of_recipients() -> ScalarSelect[int]:
    c = unmapped_codes.c
    few = (
        select(recipients.c.message_id)
        .distinct()
        .join(messages, messages.c.id == recipients.c.message_id)
        .where(recipients_on_code(c.provider, c.function, c.code))
        .limit(MOST_COUNTED)
        .correlate(unmapped_codes)
    )
    return select(func.count()).select_from(few.subquery()).scalar_subquery()


async def close(connection: AsyncConnection, row: RowMapping, at: datetime) -> bool:
    """Say that a code is mapped, unless it came again since or something still stands on it."""
    key = (row["provider"], row["function"], row["code"])
    shared = (
        select(recipients.c.message_id)
        .join(messages, messages.c.id == recipients.c.message_id)
        .where(recipients_on_code(*key))
    )
    waits = or_(select(messages.c.id).where(on_code(*key)).exists(), shared.exists())
    closed = await connection.execute(
        update(unmapped_codes)
        .where(
            *_is(key),
            unmapped_codes.c.mapped_at.is_(None),
            unmapped_codes.c.times == row["times"],
            not_(waits),
        )
        .values(mapped_at=at)
    )
    return closed.rowcount > 0
