"""A provider's acknowledgements: kept first, matched to an attempt when there is one.

What matches nothing stays in the list of the unmatched until something matches it: a reference
that nobody knows (yet), another number than the fax went to, or a callback that cannot be read.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, delete, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.jsons import writer
from app.store import many
from app.store.change_many import change
from app.store.pick import Pick
from app.store.tables import acknowledgements

UNKNOWN: Final = "unknown_reference"
OTHER_NUMBER: Final = "other_number"
UNREADABLE: Final = "unreadable"
MOST_UNMATCHED: Final = 10_000  # of a provider: whoever knows the secret could send any number

_WRITTEN: Final = writer()
_FIELDS = ("provider", "reference", "code", "number", "pages", "provider_time")
# The words of the partial index, as a literal: a prepared plan could not use it otherwise.
_UNMATCHED: Final[ColumnElement[bool]] = literal_column(
    "note IN ('unknown_reference', 'other_number', 'unreadable')"
)
_KNOWN: Final = Pick(
    "SELECT {columns} FROM acknowledgements WHERE fingerprint {any} AND applied_at IS NOT NULL",
    {"fingerprint": acknowledgements.c.fingerprint},
    of=acknowledgements.c.fingerprint,
)
# A row that stands is counted on; what came of it is told once, by whoever applied it first.
_COUNTED: Final = "ON CONFLICT (fingerprint) DO UPDATE SET times = {0}.times + excluded.times, " + (
    ", ".join(
        f"{name} = CASE WHEN {{0}}.applied_at IS NULL THEN excluded.{name} ELSE {{0}}.{name} END"
        for name in ("attempt_id", "applied_at", "note")
    )
)


@dataclass(frozen=True, slots=True)
class Settled:
    """To which attempt an acknowledgement belongs, and what came of it."""

    note: str | None  # why it moved nothing, where it did not
    attempt_id: UUID | None = None
    at: datetime | None = None  # when it was applied; None: it waits


def fingerprint_of(brought: Mapping[str, Any], unreadable: str | None = None) -> str:
    """Return what is the same of an acknowledgement however often it comes."""
    said = [*(brought[name] for name in _FIELDS), *([unreadable] if unreadable else [])]
    return hashlib.sha256(_WRITTEN(said).encode()).hexdigest()


async def applied(connection: AsyncConnection, fingerprints: Collection[str]) -> set[str]:
    """Return those of some acknowledgements that were applied before."""
    return {row["fingerprint"] for row in await _KNOWN.rows(connection, fingerprints)}


async def keep(
    connection: AsyncConnection, rows: Sequence[Mapping[str, Any]], settled: Sequence[Settled]
) -> None:
    """Keep acknowledgements, each with what came of it: one row however often it comes.

    One that was applied before is counted, and stays as it is.
    """
    new = [
        {**row, "attempt_id": one.attempt_id, "applied_at": one.at, "note": one.note}
        for row, one in zip(rows, settled, strict=True)
    ]
    # Always in the same order, or two processes could wait for each other.
    new.sort(key=itemgetter("fingerprint"))
    counted = _COUNTED.format(acknowledgements.name)
    await many.add(connection, acknowledgements, new, otherwise=counted)


async def waiting(
    connection: AsyncConnection, provider: str, references: Collection[str]
) -> Sequence[RowMapping]:
    """Return acknowledgements of these references that moved nothing yet, oldest first."""
    table = acknowledgements
    found = await connection.execute(
        select(table)
        .where(
            table.c.provider == provider,
            table.c.reference.in_(references),
            table.c.applied_at.is_(None),
        )
        .order_by(table.c.received_at, table.c.id)
    )
    return found.mappings().all()


async def settle(connection: AsyncConnection, settled: Mapping[UUID, Settled]) -> None:
    """Write what came of acknowledgements that are kept."""
    await change(
        connection,
        acknowledgements,
        [
            {"id": one, "attempt_id": said.attempt_id, "applied_at": said.at, "note": said.note}
            for one, said in sorted(settled.items())
        ],
    )


async def unmatched(
    connection: AsyncConnection, provider: str, *, limit: int, after: UUID | None
) -> Sequence[RowMapping]:
    """Return up to `limit` that match nothing, newest first, that follow the one named."""
    table = acknowledgements
    query = select(table).where(_UNMATCHED, table.c.provider == provider)
    if after is not None:
        query = query.where(table.c.id < after)
    found = await connection.execute(query.order_by(table.c.id.desc()).limit(limit))
    return found.mappings().all()


async def trim_unmatched(
    connection: AsyncConnection, provider: str, most: int = MOST_UNMATCHED
) -> int:
    """Drop the oldest of those that match nothing, where there are too many; return how many."""
    table = acknowledgements
    first = (
        select(table.c.id)
        .where(_UNMATCHED, table.c.provider == provider)
        .order_by(table.c.id.desc())
        .offset(most)
        .limit(1)
    )
    newest_dropped = (await connection.execute(first)).scalar_one_or_none()
    if newest_dropped is None:
        return 0
    dropped = await connection.execute(
        delete(table).where(_UNMATCHED, table.c.provider == provider, table.c.id <= newest_dropped)
    )
    return dropped.rowcount


async def count_unmatched(connection: AsyncConnection) -> int:
    """Return how many match nothing; `trim_unmatched` keeps them few."""
    which = select(acknowledgements.c.id).where(_UNMATCHED).limit(2 * MOST_UNMATCHED).subquery()
    return (await connection.execute(select(func.count()).select_from(which))).scalar_one()
