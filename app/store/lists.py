"""Lists of messages, page by page: newest first, and never with an offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, func, literal_column, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.reading import with_channel
from app.store.tables import attempts, messages, recipients

_FROM: Final = 48  # where the part of a hash begins that its index holds


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
    digest: str | None = None  # the keyed hash of one recipient, the first one or any other


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
    found = await connection.execute(query(client_id, mode, narrowed, limit=limit, after=after))
    rows: Sequence[RowMapping] = found.mappings().all()
    return rows


def query(
    client_id: UUID, mode: str, narrowed: Filter, *, limit: int, after: UUID | None
) -> Select[Any]:
    """Return the statement of a page."""
    # Identifiers sort by time: the order of creation is the order of the key.
    newest = messages.c.id.desc()
    conditions = [messages.c.client_id == client_id, messages.c.mode == mode]
    conditions += _conditions(narrowed)
    if after is not None:
        conditions.append(messages.c.id < after)
    if narrowed.digest is not None:
        # Two narrow ways to so many messages each; one condition with OR would have no index.
        first = select(messages.c.id).where(
            _tail_of_digest() == narrowed.digest[_FROM:],
            messages.c.recipient_digest.is_not(None),
            # Not the column itself: SQLite would put its value into the index's expression.
            func.coalesce(messages.c.recipient_digest, "") == narrowed.digest,
            *conditions,
        )
        other = (
            select(messages.c.id)
            .join(recipients, recipients.c.message_id == messages.c.id)
            .where(recipients.c.digest == narrowed.digest, *conditions)
        )
        ways = [one.order_by(newest).limit(limit).subquery() for one in (first, other)]
        conditions = [messages.c.id.in_(union(*(select(one.c.id) for one in ways)))]
    return with_channel().where(*conditions).order_by(newest).limit(limit)


def _conditions(narrowed: Filter) -> list[ColumnElement[bool]]:
    equal = ("channel", "status", "reference", "billing_code", "batch_id", "provider_message_id")
    conditions: list[ColumnElement[bool]] = [
        messages.c[name] == getattr(narrowed, name)
        for name in equal
        if getattr(narrowed, name) is not None
    ]
    if narrowed.provider_message_id is not None:
        # The index is that of the attempts, of which one has the message's.
        a = attempts.c
        named = select(a.message_id).where(a.provider_message_id == narrowed.provider_message_id)
        conditions.append(messages.c.id.in_(named))
    if narrowed.created_after is not None:
        conditions.append(messages.c.created_at >= narrowed.created_after)
    if narrowed.created_before is not None:
        conditions.append(messages.c.created_at < narrowed.created_before)
    return conditions


def _tail_of_digest() -> ColumnElement[str]:
    # In the words of the index, as a literal: a prepared plan could not use it otherwise.
    return literal_column("substr(messages.recipient_digest, 49)")
