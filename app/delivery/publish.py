"""Publish what happened: events get their place in their client's feed, and go to its webhooks.

Every worker does, and an API for those who wait at it; each feed is in the hands of one at a time.
The accept path knows nothing of it: an event without a position is the outbox.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping

from app.delivery.gateway import Gateway
from app.delivery.tell import type_of
from app.store import feed, positions, webhooks
from app.store.feed import Feed, Standing

MOST: Final = 1000  # events of one transaction, about
MOST_TOLD: Final = 500  # deliveries of one transaction, about: who accepts waits for no more
PICKED: Final = 0.25  # of the events of a message, that an endpoint is told which picks types
FEEDS: Final = 20  # of one transaction
IDLE: Final = 0.2  # seconds between looks: what comes in meanwhile is published together


async def publish(gateway: Gateway) -> bool:
    """Publish what waits of every client, of each its share; say whether more is known to wait."""
    async with gateway.database.reading() as connection:
        waiting = await feed.waiting(connection)
    return await _publish(gateway, waiting)


async def look(gateway: Gateway, wanted: Sequence[Feed]) -> list[Standing]:
    """Return how feeds stand, after what waited for them was published: no worker need run."""
    distinct = sorted(set(wanted))
    async with gateway.database.reading() as connection:
        found = await feed.standing(connection, distinct)
    late = [one for one in distinct if found[one].waits]
    if late:
        await _publish(gateway, late)
        async with gateway.database.reading() as connection:
            found |= await feed.standing(connection, late)
    return [found[one] for one in wanted]


async def _publish(gateway: Gateway, waiting: Sequence[Feed]) -> bool:
    more = False
    for begin in range(0, len(waiting), FEEDS):
        more |= await _together(gateway, waiting[begin : begin + FEEDS])
    return more


async def _together(gateway: Gateway, wanted: Sequence[Feed]) -> bool:
    """Publish the oldest events of some feeds in one transaction; say whether one had too many."""
    sizes, deliveries, more = [], 0, False
    async with gateway.database.transaction() as connection:
        held = await feed.hold(connection, wanted)
        told = await webhooks.enabled(connection, held)
        for one, position in held.items():
            share = _share(len(held), told[one])
            new = await positions.give(connection, one, position, share)
            deliveries += await webhooks.enqueue(
                connection, gateway.ids, new, told[one], type_of, gateway.now()
            )
            sizes.append(new.count)
            more |= new.count >= share
    if any(sizes):
        gateway.news.call()
    if deliveries:
        gateway.tellings.call()
    return more


def _share(feeds: int, endpoints: Sequence[RowMapping]) -> int:
    """Return how many events of a feed, which such endpoints are told, are published at once."""
    each = sum(1 if one["events"] is None else PICKED for one in endpoints)  # deliveries an event
    most = min(MOST, int(MOST_TOLD / each)) if each else MOST
    return max(1, most // feeds)
