"""Deliveries of events to endpoints: each is its own place in the queue.

A claim's `due_at` is its lease: it says when another worker may take the delivery. The fence rises
with every claim: who holds an older one writes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import earliest
from app.domain.webhooks import PENDING
from app.store.change_many import change
from app.store.feed import TOLD, Feed
from app.store.tables import events, messages, webhook_deliveries, webhook_endpoints

_D: Final = webhook_deliveries.c
_E: Final = webhook_endpoints.c
# The words of the partial index, as a literal: a prepared plan could not use it otherwise.
_PENDING: Final[ColumnElement[bool]] = literal_column("webhook_deliveries.state = 'pending'")
MOST_COUNTED: Final = 100_000


async def due(
    connection: AsyncConnection,
    now: datetime,
    limit: int,
    full_endpoints: Collection[UUID] = (),
    full_clients: Collection[UUID] = (),
) -> Sequence[RowMapping]:
    """Return enabled endpoints for which deliveries are due, who waits longest first.

    Those that are full, or whose client is, are passed over.
    """
    # One look into the index for each endpoint: a backlog of one hides no other.
    first = (
        select(func.min(_D.due_at))
        .where(_D.endpoint_id == _E.id, _PENDING)
        .correlate(webhook_endpoints)
        .scalar_subquery()
    )
    waiting = select(webhook_endpoints, first.label("first_due")).where(
        _E.enabled, _E.deleted_at.is_(None)
    )
    if full_endpoints:
        waiting = waiting.where(_E.id.not_in(full_endpoints))
    if full_clients:
        waiting = waiting.where(_E.client_id.not_in(full_clients))
    rows = waiting.subquery()
    found = await connection.execute(
        select(rows).where(rows.c.first_due <= now).order_by(rows.c.first_due).limit(limit)
    )
    return found.mappings().all()


async def claim(
    connection: AsyncConnection, endpoint_id: UUID, *, now: datetime, lease: timedelta, limit: int
) -> Sequence[RowMapping]:
    """Take an endpoint's oldest due deliveries; whose worker died is due again after its lease."""
    oldest = (
        select(_D.id)
        .where(_D.endpoint_id == endpoint_id, _PENDING, _D.due_at <= now)
        .order_by(_D.due_at, _D.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("oldest")
    )
    until = now + lease
    taken = await connection.execute(
        update(webhook_deliveries)
        .where(_D.id.in_(select(oldest.c.id)))
        .values(fence=_D.fence + 1, attempts=_D.attempts + 1, due_at=until, lease_until=until)
        .returning(webhook_deliveries)
    )
    return sorted(taken.mappings().all(), key=lambda row: str(row["id"]))


async def told(
    connection: AsyncConnection, rows: Sequence[RowMapping]
) -> dict[UUID, tuple[RowMapping, RowMapping | None]]:
    """Return the events of deliveries by their ids, each with its message's row."""
    wanted = {row["event_id"] for row in rows if row["event_id"] is not None}
    found = await connection.execute(select(events).where(events.c.id.in_(wanted)))
    rows_of = found.mappings().all()
    about = {row["message_id"] for row in rows_of if row["message_id"] is not None}
    columns = [messages.c[name] for name in TOLD]
    sent = await connection.execute(select(*columns).where(messages.c.id.in_(about)))
    by_id = {row["id"]: row for row in sent.mappings()}
    return {row["id"]: (row, by_id.get(row["message_id"])) for row in rows_of}


async def end(
    connection: AsyncConnection, ended: Sequence[tuple[RowMapping, Mapping[str, object]]]
) -> None:
    """Write what came of claims, the same columns of each; not of those that another holds by now."""
    rows = [
        {"id": row["id"], "fence": row["fence"], "lease_until": None, **columns}
        for row, columns in ended
    ]
    only = f"state = '{PENDING}'"
    await change(connection, webhook_deliveries, rows, where=("id", "fence"), only=only)


async def add(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write deliveries."""
    if rows:
        await connection.execute(insert(webhook_deliveries), rows)


async def find(
    connection: AsyncConnection, delivery_id: UUID, endpoint_id: UUID
) -> RowMapping | None:
    """Return a delivery of an endpoint."""
    found = await connection.execute(
        select(webhook_deliveries).where(_D.id == delivery_id, _D.endpoint_id == endpoint_id)
    )
    return found.mappings().one_or_none()


async def listed(
    connection: AsyncConnection,
    endpoint_id: UUID,
    *,
    limit: int,
    after: UUID | None,
    state: str | None,
) -> Sequence[RowMapping]:
    """Return up to `limit` deliveries of an endpoint, newest first, that follow the one named."""
    query = select(webhook_deliveries).where(_D.endpoint_id == endpoint_id)
    if after is not None:
        query = query.where(_D.id < after)
    if state is not None:
        query = query.where(_D.state == state)
    found = await connection.execute(query.order_by(_D.id.desc()).limit(limit))
    return found.mappings().all()


async def of_events(
    connection: AsyncConnection, endpoint_id: UUID, event_ids: Collection[UUID]
) -> dict[UUID, RowMapping]:
    """Return an endpoint's deliveries by the events that they are of."""
    found = await connection.execute(
        select(webhook_deliveries).where(_D.event_id.in_(event_ids), _D.endpoint_id == endpoint_id)
    )
    return {row["event_id"]: row for row in found.mappings()}


async def again(connection: AsyncConnection, ids: Collection[UUID], now: datetime) -> None:
    """Make deliveries due once more, with a whole schedule before them."""
    # Whoever may still hold one writes nothing any more.
    await connection.execute(
        update(webhook_deliveries)
        .where(_D.id.in_(ids))
        .values(
            state=PENDING,
            due_at=now,
            attempts=0,
            fence=_D.fence + 1,
            lease_until=None,
            ended_at=None,
        )
    )


async def forget(connection: AsyncConnection, before: datetime, limit: int) -> int:
    """Delete the oldest deliveries that were made before a moment and are not tried any more."""
    over = or_(_D.state != PENDING, ~_E.enabled, _E.deleted_at.is_not(None))
    old = (
        select(_D.id)
        .join(webhook_endpoints, _E.id == _D.endpoint_id)
        .where(_D.id < earliest(before), over)
        .order_by(_D.id)
        .limit(limit)
        # Another worker may forget the same ones: neither waits for the other.
        .with_for_update(skip_locked=True, of=webhook_deliveries)
    )
    gone = await connection.execute(
        delete(webhook_deliveries).where(_D.id.in_(old.scalar_subquery()))
    )
    return gone.rowcount


async def pending(connection: AsyncConnection) -> tuple[int, datetime | None]:
    """Return how many deliveries wait for endpoints that are enabled, and since when the first."""
    waiting = (
        select(_D.created_at)
        .join(webhook_endpoints, _E.id == _D.endpoint_id)
        .where(_PENDING, _E.enabled, _E.deleted_at.is_(None))
        .limit(MOST_COUNTED)
        .subquery()
    )
    found = await connection.execute(
        select(func.count(), func.min(waiting.c.created_at)).select_from(waiting)
    )
    count, first = found.one()
    return count, first


async def position_before(connection: AsyncConnection, feed: Feed, last: int, at: datetime) -> int:
    """Return a position of a feed before which every event was made before a moment, about."""
    c, made = events.c, earliest(at)
    low, high = 0, last  # positions have no gap: halving finds it in few looks
    while low < high:
        middle = (low + high + 1) // 2
        found = await connection.execute(
            select(c.id).where(c.client_id == feed[0], c.mode == feed[1], c.position == middle)
        )
        event_id = found.scalar_one_or_none()
        if event_id is None or event_id < made:  # the oldest may be deleted by now
            low = middle
        else:
            high = middle - 1
    return low
