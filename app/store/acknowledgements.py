"""A provider's acknowledgements: kept first, matched to an attempt when there is one.

What matches nothing stays in the list of the unmatched until something matches it: a reference
that nobody knows (yet), another number than the fax went to, or a callback that cannot be read.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, delete, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.store.database import insert_new
from app.store.tables import acknowledgements

UNKNOWN: Final = "unknown_reference"
OTHER_NUMBER: Final = "other_number"
UNREADABLE: Final = "unreadable"
MOST_UNMATCHED: Final = 10_000  # of a provider: whoever knows the secret could send any number

_FIELDS = ("provider", "reference", "code", "number", "pages", "provider_time")
# The words of the partial index, as a literal: a prepared plan could not use it otherwise.
_UNMATCHED: Final[ColumnElement[bool]] = literal_column(
    "note IN ('unknown_reference', 'other_number', 'unreadable')"
)


async def keep(
    connection: AsyncConnection,
    ids: Identifiers,
    brought: Mapping[str, Any],
    at: datetime,
    *,
    unreadable: str | None = None,
) -> RowMapping:
    """Keep an acknowledgement, one row however often it comes, and return that row.

    Of one that cannot be read, `unreadable` says why; nothing ever applies it.
    """
    table = acknowledgements
    text = json.dumps([*(brought[name] for name in _FIELDS), *([unreadable] if unreadable else [])])
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    new = {"id": ids.new(), "fingerprint": fingerprint, "received_at": at, "times": 0, **brought}
    if unreadable is not None:
        new |= {"detail": unreadable[:200], "applied_at": at, "note": UNREADABLE}
    await connection.execute(insert_new(connection, table).values(new))
    kept = await connection.execute(
        update(table)
        .where(table.c.fingerprint == fingerprint)
        .values(times=table.c.times + 1)
        .returning(table)
    )
    row: RowMapping = kept.mappings().one()
    return row


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


async def settle(
    connection: AsyncConnection,
    acknowledgement_id: UUID,
    *,
    attempt_id: UUID | None,
    at: datetime | None,
    note: str | None,
) -> None:
    """Write to which attempt an acknowledgement belongs, and what came of it."""
    await connection.execute(
        update(acknowledgements)
        .where(acknowledgements.c.id == acknowledgement_id)
        .values(attempt_id=attempt_id, applied_at=at, note=note)
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
