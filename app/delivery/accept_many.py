"""Take in a large batch: in a commit of its own, so that no single message waits behind it.

Its messages are written first, in slices, while the rest of them is still being looked at; and what
others may want as well after them, its files, references and key: they wait for the commit alone,
and not for ten thousand rows.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import quota
from app.delivery.accept import first_answers, of_another, take_keys, wake, write_shared
from app.delivery.arrival import Arrival, Obstacle, ReferencesTaken
from app.delivery.ascertain import until_known
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.refuse import named
from app.domain.errors import IdempotencyInProgress
from app.store import alike, driver, existing, recipients, references
from app.store.database import CommitUnknown
from app.store.packed import LONG, packed

LARGE: Final = 50  # messages
SLICE: Final = 200  # rows of one statement
AHEAD: Final = 200  # messages, from which on writing them begins before the last one is there

Rows = Sequence[Mapping[str, Any]]


class _Refused(Exception):
    """Something stands in the way: nothing is kept."""

    def __init__(self, obstacle: Obstacle) -> None:
        self.obstacle = obstacle
        super().__init__()


def is_large(arrival: Arrival) -> bool:
    """Say whether an arrival is taken in by itself: one that is long, or that may fail in parts."""
    few = 1 if arrival.unique_references else LARGE
    return len(arrival.messages) > few


class Coming:
    """The messages of a large arrival, of which more may come."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._more = asyncio.Event()
        self._sent = asyncio.Event()
        self._whole: asyncio.Future[Arrival] = asyncio.get_running_loop().create_future()
        self._packing: asyncio.Future[str] | None = None

    async def came(self) -> None:
        """Say that there are more, and return when they are on their way, or never will be."""
        self._sent.clear()
        self._more.set()
        await self._sent.wait()

    def ended(self, arrival: Arrival) -> None:
        """Say that there will be no more, and what they all are."""
        self._whole.set_result(arrival)
        self._more.set()
        if arrival.key is not None and len(arrival.answer.body) >= LONG:
            # While the store is at work on the rows.
            self._packing = asyncio.create_task(packed(arrival.answer.body))

    async def whole(self) -> Arrival:
        """Return all of it, as soon as it is there."""
        return await asyncio.shield(self._whole)

    async def kept(self) -> Arrival:
        """Return all of it, with its answer as it is kept with its key."""
        arrival = await self.whole()
        if self._packing is None:
            return arrival
        body = await asyncio.shield(self._packing)
        return replace(arrival, answer=replace(arrival.answer, body=body))

    async def slices(self) -> AsyncIterator[Rows]:
        """Yield the messages from the first one on, as they come."""
        place = 0
        try:
            while not (is_whole := self._whole.done()) or place < len(self._rows):
                if is_whole or len(self._rows) - place >= SLICE:
                    yield self._rows[place : place + SLICE]
                    place += SLICE
                else:
                    self._sent.set()
                    self._more.clear()
                    await self._more.wait()
        finally:
            self._sent.set()


class Ahead:
    """Writes the messages of a batch that is still being looked at, once they are many.

    In turns with who looks at them: two that always have something to do would leave the others of
    this process less than one leaves them.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.rows: list[dict[str, Any]] = []
        self._coming = Coming(self.rows)
        self._told = 0  # rows
        self._writing: asyncio.Task[Obstacle] | None = None

    async def came(self) -> None:
        """Say that `rows` has more, which nobody changes any more."""
        if len(self.rows) - self._told < (SLICE if self._told else AHEAD):
            return
        self._told = len(self.rows)
        if self._writing is None:
            self._writing = asyncio.create_task(_accept(self._gateway, self._coming))
        if not self._writing.done():
            coming = asyncio.ensure_future(self._coming.came())
            await asyncio.wait({coming, self._writing}, return_when=asyncio.FIRST_COMPLETED)
            coming.cancel()

    async def keep(self, arrival: Arrival) -> Obstacle:
        """Commit the whole arrival, as `accept_many` does."""
        self._coming.ended(arrival)
        return await (self._writing or _accept(self._gateway, self._coming))

    async def close(self) -> None:
        """Keep nothing of what was not kept."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)


@asynccontextmanager
async def ahead(gateway: Gateway) -> AsyncIterator[Ahead]:
    """Hold what writes ahead of a commit; without one, it is undone."""
    one = Ahead(gateway)
    try:
        yield one
    finally:
        await one.close()


async def accept_many(gateway: Gateway, arrival: Arrival) -> Obstacle:
    """Commit a large arrival; return what stood in its way, None where nothing did.

    Raises CommitUnknown where nobody can say whether it was kept.
    """
    coming = Coming(arrival.messages)
    coming.ended(arrival)
    return await _accept(gateway, coming)


async def _accept(gateway: Gateway, coming: Coming) -> Obstacle:
    try:
        return await _commit(gateway, coming)
    except CommitUnknown:
        return await until_known(lambda: _look(gateway, coming))


async def _look(gateway: Gateway, coming: Coming) -> Obstacle:
    arrival = await coming.whole()
    async with gateway.database.reading() as connection:
        if arrival.object_id in await existing.objects(connection, [arrival.object_id]):
            wake(gateway, [arrival])
            return None
    return of_another(arrival, await _commit(gateway, coming))


async def _commit(gateway: Gateway, coming: Coming) -> Obstacle:
    async def write_rows(connection: AsyncConnection) -> None:
        async with driver.without_waiting(connection):
            async for rows in coming.slices():
                await alike.add(connection, gateway.ids, rows)
        addressed = (await coming.whole()).recipients
        for place in range(0, len(addressed), SLICE):
            await recipients.add(connection, addressed[place : place + SLICE])

    try:
        async with gateway.database.transaction(first=write_rows) as connection:
            arrival = await coming.whole()
            await write_shared(gateway, connection, [arrival])
            await _claim(gateway, connection, await coming.kept())
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
