"""Recover what an endpoint missed: events of a time that it was never told, or that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from app.delivery.gateway import Gateway
from app.delivery.tell import type_of
from app.domain.identifiers import earliest
from app.domain.webhooks import FAILED
from app.store import deliveries, feed, webhooks

CHUNK: Final = 500  # events of one transaction
MOST: Final = 10_000  # events that one request looks at
# An event gets its place in the feed a little after its identifier; clocks differ, too.
_LATE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found: how many events, and what is delivered (again) of them."""

    examined: int = 0
    created: int = 0
    resumed: int = 0
    after: int | None = None  # the position to go on after; None where nothing is left


async def recover(
    gateway: Gateway,
    endpoint: RowMapping,
    since: datetime,
    until: datetime,
    after: int | None,
) -> Recovered:
    """Make deliveries of what an endpoint missed in a time, each chunk in its own transaction."""
    mine = (endpoint["client_id"], endpoint["mode"])
    # Who publishes just now may have found the endpoint disabled: what it publishes is recovered.
    async with gateway.database.transaction() as connection:
        await feed.passed(connection, mine)
    async with gateway.database.reading() as connection:
        last = (await feed.standing(connection, [mine]))[mine].position
        position = after
        if position is None:
            position = await deliveries.position_before(connection, mine, last, since - _LATE)
    total = Recovered()
    while position < last:
        async with gateway.database.reading() as connection:
            page = await feed.page(connection, mine, after=position, until=last, limit=CHUNK)
        if not page or page[0][0]["id"] >= earliest(until + _LATE):
            return total
        rows = [
            {**event, "type": type_of(event), "channel": message and message["channel"]}
            for event, message in page
            if earliest(since) <= event["id"] < earliest(until)
        ]
        created, resumed = await _chunk(gateway, endpoint["id"], mine, rows)
        position = page[-1][0]["position"]
        total = Recovered(
            total.examined + len(rows), total.created + created, total.resumed + resumed, None
        )
        if total.examined >= MOST and position < last:
            return Recovered(total.examined, total.created, total.resumed, position)
    return total


async def _chunk(
    gateway: Gateway, endpoint_id: UUID, mine: feed.Feed, rows: Sequence[dict[str, object]]
) -> tuple[int, int]:
    """Write the deliveries of some events; return how many are new, and how many go on."""
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        # Held: two who recover at once must not both make what is missing.
        endpoint = await webhooks.find(connection, endpoint_id, *mine, lock=True)
        if endpoint is None or not rows:
            return 0, 0
        known = await deliveries.of_events(connection, endpoint_id, [row["id"] for row in rows])  # type: ignore[misc]
        new = [
            webhooks.delivery_row(gateway.ids, endpoint_id, row, now)
            for row in rows
            if row["id"] not in known and webhooks.wants(endpoint, row)
        ]
        failed = [row["id"] for row in known.values() if row["state"] == FAILED]
        await deliveries.add(connection, new)
        await deliveries.again(connection, failed, now)
    return len(new), len(failed)
