"""Lists of messages, page by page: newest first, and never with an offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.reading import with_channel
from app.store.tables import messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed to; None narrows nothing."""

    channel: str | None = None
    status: str | None = None
    reference: str | None = None
    billing_code: str | None = None
    batch_id: UUID | None = None
    provider_message_id: str | None = None
    created_after: datetime | None = None  # at or after
    created_before: datetime | None = None  # before


async def page(
    connection: AsyncConnection,
    client_id: UUID,
    mode: str,
    narrowed: Filter,
    *,
    limit: int,
    after: UUID | None,
) -> Sequence[RowMapping]:
    """Return up to `limit` of a client's messages, newest first, that follow the one named."""
    # Identifiers sort by time: the order of creation is the order of the key.
    query = with_channel().where(messages.c.client_id == client_id, messages.c.mode == mode)
    for condition in _conditions(narrowed):
        query = query.where(condition)
    if after is not None:
        query = query.where(messages.c.id < after)
    found = await connection.execute(query.order_by(messages.c.id.desc()).limit(limit))
    rows: Sequence[RowMapping] = found.mappings().all()
    return rows


def _conditions(narrowed: Filter) -> Sequence[ColumnElement[bool]]:
    equal = ("channel", "status", "reference", "billing_code", "batch_id", "provider_message_id")
    conditions: list[ColumnElement[bool]] = [
        messages.c[name] == getattr(narrowed, name)
        for name in equal
        if getattr(narrowed, name) is not None
    ]
    if narrowed.created_after is not None:
        conditions.append(messages.c.created_at >= narrowed.created_after)
    if narrowed.created_before is not None:
        conditions.append(messages.c.created_at < narrowed.created_before)
    return conditions
