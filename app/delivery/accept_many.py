"""Take in a large batch: in a commit of its own, so that no single message waits behind it.

Its messages are written first, in slices, and what others may want as well after them, its files,
references and key: they wait for the commit alone, and not for ten thousand rows.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import quota
from app.delivery.accept import first_answers, of_another, take_keys, wake, write_shared
from app.delivery.arrival import Arrival, Obstacle, ReferencesTaken
from app.delivery.ascertain import until_known
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.refuse import named
from app.domain.errors import IdempotencyInProgress
from app.store import existing, messages, recipients, references
from app.store.database import CommitUnknown

LARGE: Final = 50  # messages
SLICE: Final = 50  # rows of one statement


class _Refused(Exception):
    """Something stands in the way: nothing is kept."""

    def __init__(self, obstacle: Obstacle) -> None:
        self.obstacle = obstacle
        super().__init__()


def is_large(arrival: Arrival) -> bool:
    """Say whether an arrival is taken in by itself: one that is long, or that may fail in parts."""
    few = 1 if arrival.unique_references else LARGE
    return len(arrival.messages) > few


async def accept_many(gateway: Gateway, arrival: Arrival) -> Obstacle:
    """Commit a large arrival; return what stood in its way, None where nothing did.

    Raises CommitUnknown where nobody can say whether it was kept.
    """
    try:
        return await _commit(gateway, arrival)
    except CommitUnknown:
        return await until_known(lambda: _look(gateway, arrival))


async def _look(gateway: Gateway, arrival: Arrival) -> Obstacle:
    async with gateway.database.reading() as connection:
        if arrival.object_id in await existing.objects(connection, [arrival.object_id]):
            wake(gateway, [arrival])
            return None
    return of_another(arrival, await _commit(gateway, arrival))


async def _commit(gateway: Gateway, arrival: Arrival) -> Obstacle:
    async def write_rows(connection: AsyncConnection) -> None:
        for place in range(0, len(arrival.messages), SLICE):
            await messages.add(connection, gateway.ids, arrival.messages[place : place + SLICE])
        for place in range(0, len(arrival.recipients), SLICE):
            await recipients.add(connection, arrival.recipients[place : place + SLICE])

    try:
        async with gateway.database.transaction(first=write_rows) as connection:
            await write_shared(gateway, connection, [arrival])
            await _claim(gateway, connection, arrival)
            spent = await quota.spend(connection, [arrival], gateway.local_time(), gateway.usage)
            await gateway.fault_points.reached(Point.ACCEPTING)
    except _Refused as fault:
        return fault.obstacle
    await gateway.fault_points.reached(Point.ACCEPTED)
    gateway.usage.learn(spent)
    wake(gateway, [arrival])
    return None


async def _claim(gateway: Gateway, connection: AsyncConnection, arrival: Arrival) -> None:
    """Write what only one can have; raises _Refused, so that nothing of all this is kept."""
    if arrival.unique_references:
        lost = await references.take(connection, named(arrival))
        if lost:
            raise _Refused(ReferencesTaken(dict(lost.values())))
    if arrival.key is not None and not await take_keys(gateway, connection, [arrival]):
        (record,) = await first_answers(connection, [arrival.key])
        if record is None:
            raise IdempotencyInProgress  # it was there a moment ago
        raise _Refused(record)
