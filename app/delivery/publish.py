"""Publish what happened: events get their place in their client's feed, and go to its webhooks.

Every worker does, and an API for those who wait at it; each feed is in the hands of one at a time.
The accept path knows nothing of it: an event without a position is the outbox.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from app.delivery.gateway import Gateway
from app.delivery.tell import type_of
from app.domain.identifiers import earliest, made_at
from app.store import feed, positions, webhooks
from app.store.feed import Feed, Standing

MOST: Final = 1000  # events of one transaction, about
MOST_TOLD: Final = 500  # deliveries of one transaction, about: who accepts waits for no more
PICKED: Final = 0.25  # of the events of a message, that an endpoint is told which picks types
FEEDS: Final = 20  # of one transaction
IDLE: Final = 0.2  # seconds between looks: what comes in meanwhile is published together
LONGEST: Final = 1.0  # seconds between looks where more is known to wait
LATE: Final = timedelta(seconds=1)  # from an event's identifier to its commit, as nearly always
WHOLE: Final = timedelta(seconds=5)  # at most, between two looks at everything


@dataclass(frozen=True, slots=True)
class Done:
    """What was published."""

    more: bool  # is known to wait
    last: UUID | None  # before it none is left that was looked for, in the feeds that were held


class Publishing:
    """Publishes what waits, again and again; where that is much, those who send come first.

    Each look begins a little before where the last one ended, or it would pass over all that was
    published since the last vacuum. What is committed later than that, or by whoever has a clock
    that is behind, is found by a look at everything: after each that published nothing, and every
    few seconds.
    """

    def __init__(self, gateway: Gateway, rest: Callable[[float], Awaitable[None]]) -> None:
        """Keep who waits so many seconds, or ends."""
        self._gateway = gateway
        self._rest = rest
        self._since = feed.FIRST
        self._whole_at = gateway.now()

    async def step(self) -> None:
        """Publish some, and rest; where more is known to wait, for about as long as that took."""
        began = self._gateway.now()
        if not timedelta() <= began - self._whole_at < WHOLE:
            self._since = feed.FIRST
        if self._since == feed.FIRST:
            self._whole_at = began
        done = await _look_and_publish(self._gateway, self._since)
        self._since = earliest(made_at(done.last) - LATE) if done.last else feed.FIRST
        took = (self._gateway.now() - began).total_seconds()
        # A worker that stood still for an hour, or whose clock was set, does not rest for another.
        pause = min(max(took, 0.0), LONGEST) if done.more else IDLE * (0.5 + self._gateway.random())
        await self._rest(pause)


async def publish(gateway: Gateway) -> bool:
    """Publish what waits of every client, of each its share; say whether more is known to wait."""
    return (await _look_and_publish(gateway, feed.FIRST)).more


async def _look_and_publish(gateway: Gateway, since: UUID) -> Done:
    async with gateway.database.reading() as connection:
        waiting = await feed.waiting(connection, since)
    return await _publish(gateway, waiting, since)


async def look(gateway: Gateway, wanted: Sequence[Feed]) -> list[Standing]:
    """Return how feeds stand, after what waited for them was published: no worker need run."""
    distinct = sorted(set(wanted))
    async with gateway.database.reading() as connection:
        found = await feed.standing(connection, distinct)
    late = [one for one in distinct if found[one].waits]
    if late:
        await _publish(gateway, late, feed.FIRST)
        async with gateway.database.reading() as connection:
            found |= await feed.standing(connection, late)
    return [found[one] for one in wanted]


async def _publish(gateway: Gateway, waiting: Sequence[Feed], since: UUID) -> Done:
    done = [
        await _together(gateway, waiting[begin : begin + FEEDS], since)
        for begin in range(0, len(waiting), FEEDS)
    ]
    return Done(any(one.more for one in done), _first(one.last for one in done))


async def _together(gateway: Gateway, wanted: Sequence[Feed], since: UUID) -> Done:
    """Publish the oldest events of some feeds in one transaction."""
    published, deliveries, more = [], 0, False
    async with gateway.database.transaction() as connection:
        held = await feed.hold(connection, wanted)
        told = await webhooks.enabled(connection, held)
        for one, position in held.items():
            share = _share(len(held), told[one])
            new = await positions.give(connection, one, position, share, since)
            deliveries += await webhooks.enqueue(
                connection, gateway.ids, new, told[one], type_of, gateway.now()
            )
            published.append(new)
            more |= new.count >= share
    if any(new.count for new in published):
        gateway.news.call()
    if deliveries:
        gateway.tellings.call()
    return Done(more, _first(new.last for new in published))


def _first(events: Iterable[UUID | None]) -> UUID | None:
    return min((one for one in events if one is not None), default=None)


def _share(feeds: int, endpoints: Sequence[RowMapping]) -> int:
    """Return how many events of a feed, which such endpoints are told, are published at once."""
    each = sum(1 if one["events"] is None else PICKED for one in endpoints)  # deliveries an event
    most = min(MOST, int(MOST_TOLD / each)) if each else MOST
    return max(1, most // feeds)
