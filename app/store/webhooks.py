"""Where clients are told of what happens: their endpoints, and what waits to be told there."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import ENDPOINT, Identifiers, shown
from app.domain.webhooks import PENDING
from app.store import many
from app.store.feed import Feed, Published
from app.store.tables import clients, events, messages, webhook_deliveries, webhook_endpoints

_E: Final = webhook_endpoints.c


async def enqueue(
    connection: AsyncConnection,
    ids: Identifiers,
    new: Published,
    endpoints: Sequence[RowMapping],
    type_of: Callable[[RowMapping], str],
    now: datetime,
) -> int:
    """Write a delivery of each new event for each endpoint that wants it; return how many.

    `endpoints` are the enabled ones of the feed; `type_of` says what type an event is told by.
    """
    if not new.count or not endpoints:
        return 0
    told = await _wanted(connection, new, endpoints)
    channels: Mapping[UUID, str] = {}
    if told and any(endpoint["channels"] is not None for endpoint in endpoints):
        channels = await _channels(connection, told)
    of = [
        {**event, "type": type_of(event), "channel": channels.get(event["message_id"])}
        for event in told
    ]
    rows = [
        delivery_row(ids, endpoint["id"], event, now)
        for event in of
        for endpoint in endpoints
        if wants(endpoint, event)
    ]
    await many.add(connection, webhook_deliveries, rows)
    return len(rows)


async def _wanted(
    connection: AsyncConnection, which: Published, endpoints: Sequence[RowMapping]
) -> Sequence[RowMapping]:
    """Return the published events that some endpoint may want, in the order of their positions."""
    c = events.c
    query = (
        select(c.id, c.message_id, c.type, c.applied, c.detail)
        .where(
            c.client_id == which.feed[0],
            c.mode == which.feed[1],
            c.position > which.after,
            c.position <= which.until,
        )
        .order_by(c.position)
    )
    chosen = [endpoint["events"] for endpoint in endpoints]
    if None not in chosen:
        # What was not applied is told as another type than its own.
        types = {one for types in chosen for one in types}
        query = query.where(or_(c.type.in_(types), ~c.applied))
    found = await connection.execute(query)
    return found.mappings().all()


async def _channels(
    connection: AsyncConnection, events: Sequence[RowMapping]
) -> Mapping[UUID, str]:
    of = {event["message_id"] for event in events if event["message_id"] is not None}
    found = await connection.execute(
        select(messages.c.id, messages.c.channel).where(messages.c.id.in_(of))
    )
    return {row.id: row.channel for row in found}


def wants(endpoint: RowMapping, event: Mapping[str, Any]) -> bool:
    """Say whether an event is for an endpoint, by the filters of the endpoint.

    An event has the type that it is told by, and its message's channel.
    """
    # That it fails is told to the client's others.
    if (event["detail"] or {}).get("endpoint_id") == shown(ENDPOINT, endpoint["id"]):
        return False
    types, channels = endpoint["events"], endpoint["channels"]
    if types is not None and event["type"] not in types:
        return False
    return channels is None or event["message_id"] is None or event["channel"] in channels


def delivery_row(
    ids: Identifiers, endpoint_id: UUID, event: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return a new delivery of an event, due at once."""
    return {
        "id": ids.new(),
        "endpoint_id": endpoint_id,
        "event_id": event["id"],
        "message_id": event["message_id"],
        "type": event["type"],
        "payload": None,
        "state": PENDING,
        "due_at": now,
        "fence": 0,
        "attempts": 0,
        "created_at": now,
    }


# --- endpoints ---


async def add(connection: AsyncConnection, row: Mapping[str, Any], most: int) -> bool:
    """Write an endpoint; False where its client has `most` in this mode already."""
    # Two at once must not both find room.
    await connection.execute(
        select(clients.c.id).where(clients.c.id == row["client_id"]).with_for_update()
    )
    counted = await connection.execute(
        select(func.count()).where(
            _E.client_id == row["client_id"], _E.mode == row["mode"], _E.deleted_at.is_(None)
        )
    )
    if counted.scalar_one() >= most:
        return False
    await connection.execute(insert(webhook_endpoints).values(**row))
    return True


async def find(
    connection: AsyncConnection,
    endpoint_id: UUID,
    client_id: UUID,
    mode: str,
    *,
    lock: bool = False,
) -> RowMapping | None:
    """Return a client's endpoint; `lock` keeps all others from changing it meanwhile."""
    query = select(webhook_endpoints).where(
        _E.id == endpoint_id,
        _E.client_id == client_id,
        _E.mode == mode,
        _E.deleted_at.is_(None),
    )
    found = await connection.execute(query.with_for_update() if lock else query)
    return found.mappings().one_or_none()


async def listed(connection: AsyncConnection, client_id: UUID, mode: str) -> Sequence[RowMapping]:
    """Return a client's endpoints, oldest first."""
    found = await connection.execute(
        select(webhook_endpoints)
        .where(_E.client_id == client_id, _E.mode == mode, _E.deleted_at.is_(None))
        .order_by(_E.id)
    )
    return found.mappings().all()


async def enabled(
    connection: AsyncConnection, wanted: Collection[Feed]
) -> dict[Feed, list[RowMapping]]:
    """Return the enabled endpoints of clients, in each mode, oldest first."""
    found = await connection.execute(
        select(webhook_endpoints)
        .where(tuple_(_E.client_id, _E.mode).in_(list(wanted)), _E.enabled, _E.deleted_at.is_(None))
        .order_by(_E.id)
    )
    endpoints: dict[Feed, list[RowMapping]] = {one: [] for one in wanted}
    for row in found.mappings():
        endpoints[row["client_id"], row["mode"]].append(row)
    return endpoints


async def change(
    connection: AsyncConnection, endpoint_id: UUID, now: datetime, **columns: object
) -> RowMapping:
    """Change an endpoint, and return it."""
    changed = await connection.execute(
        update(webhook_endpoints)
        .where(_E.id == endpoint_id)
        .values(changed_at=now, **columns)
        .returning(webhook_endpoints)
    )
    row: RowMapping = changed.mappings().one()
    return row


async def held(connection: AsyncConnection, endpoint_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Lock endpoints in one order, so that no two transactions wait for each other."""
    found = await connection.execute(
        select(webhook_endpoints).where(_E.id.in_(endpoint_ids)).order_by(_E.id).with_for_update()
    )
    return found.mappings().all()


async def works(connection: AsyncConnection, endpoint_ids: Sequence[UUID]) -> None:
    """Note that endpoints take deliveries again."""
    await connection.execute(
        update(webhook_endpoints)
        .where(_E.id.in_(endpoint_ids))
        .values(failing_since=None, failing_told_at=None)
    )


async def fails(
    connection: AsyncConnection,
    endpoint_id: UUID,
    *,
    since: datetime,
    told_at: datetime | None = None,
) -> None:
    """Note since when an endpoint takes nothing, and when its client was told so."""
    await connection.execute(
        update(webhook_endpoints)
        .where(_E.id == endpoint_id)
        .values(failing_since=since, failing_told_at=told_at)
    )
