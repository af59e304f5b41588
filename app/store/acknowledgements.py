"""A provider's acknowledgements: kept first, matched to an attempt when there is one."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.store.database import insert_new
from app.store.tables import acknowledgements

_FIELDS = ("provider", "reference", "code", "number", "pages", "provider_time")


async def keep(
    connection: AsyncConnection, ids: Identifiers, brought: Mapping[str, Any], at: datetime
) -> RowMapping:
    """Keep an acknowledgement, one row however often it comes, and return that row."""
    table = acknowledgements
    text = json.dumps([brought[name] for name in _FIELDS])
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    await connection.execute(
        insert_new(connection, table).values(
            id=ids.new(), fingerprint=fingerprint, received_at=at, times=0, **brought
        )
    )
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
