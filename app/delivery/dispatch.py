"""Dispatch a channel's messages through a worker: claimed, called for, written down.

Messages are claimed in slices, and a little ahead of the calls: as many as end while claims are
written, so that a free place never waits for the store, and a slow provider has hardly any ahead.
A place is free when its call is over; its outcome is written with those of others meanwhile. What
was claimed and is not written down yet is bounded: twice the calls at once, and what is ahead. Of a
process that dies, that is what becomes `uncertain`.

A call without an answer lets no other begin before it is written down: by then it is known whether
the provider is away, and what was claimed ahead goes back unsent. So an outage makes no more
messages uncertain than were called for when it began.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from app.delivery import carry, submit
from app.delivery.admit import admission
from app.delivery.conclude import Ended, Held
from app.delivery.gateway import Gateway
from app.delivery.insist import Insisting
from app.domain.message import Channel
from app.domain.outcome import Blocked
from app.domain.standing import answered
from app.domain.twins import twin_of

CONCURRENCY: Final = 16  # calls at once, where the settings name no number
GATHERS: Final = 0.02  # seconds after which free places are filled, however few

Begin = Callable[[Coroutine[Any, Any, None]], object]


class Dispatching:
    """Submits the messages of one channel that providers, or their simulated twins, carry."""

    def __init__(
        self,
        gateway: Gateway,
        channel: Channel,
        insisting: Insisting,
        begin: Begin,
        *,
        twins: bool,
    ) -> None:
        route = gateway.routes[channel]
        self._gateway = gateway
        self._channel = channel
        self._insisting = insisting
        self._begin = begin  # starts what runs beside, and is waited for at the end
        self._twins = twins
        self._most = gateway.concurrency.get(twin_of(route) if twins else route, CONCURRENCY)
        self._slice = max(1, self._most // 4)
        self._ahead = 0  # how many may be claimed beside those that are called for
        self._ready: deque[Sequence[Held]] = deque()
        self._calling = 0
        self._writing = 0
        self._called = 0  # ever
        self._doubts = 0  # calls after which the provider may be away, not written down yet
        self._room = asyncio.Event()
        self._ended = False

    async def step(self, patience: float) -> None:
        """Claim what there is room for; wait where there is none, or nothing to claim."""
        if not await self._has_room():
            return
        called = self._called
        held = await submit.claim(
            self._gateway,
            self._channel,
            self._wanted,
            under_way=len(self._ready) + self._calling + self._writing,
            twins=self._twins,
        )
        self._ahead = min(self._most // 2, 2 * (self._called - called))
        self._ready += held
        self._fill()
        if not held:
            await self._gateway.wake.wait(self._channel, patience, twins=self._twins)

    @property
    def _wanted(self) -> int:
        """How many may be claimed now."""
        if self._doubts:
            return 0
        claimed = len(self._ready) + self._calling
        return self._most + self._ahead - max(claimed, claimed + self._writing - self._most)

    async def _has_room(self) -> bool:
        """Wait for room, and then a moment for more of it; say whether there is any."""
        if self._wanted < self._slice:
            self._room.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHERS if self._wanted > 0 else None):
                    await self._room.wait()
        return self._wanted > 0 and not self._ended

    def end(self) -> None:
        """Claim nothing more; what is claimed is called for all the same."""
        self._ended = True
        self._room.set()

    def give_up(self) -> None:
        """Call for nothing more: what was claimed becomes `uncertain` when its lease is over."""
        self._ready.clear()

    def _fill(self) -> None:
        while self._ready and self._calling < self._most and not self._doubts:
            self._calling += 1
            self._begin(self._one(self._ready.popleft()))

    async def _one(self, held: Sequence[Held]) -> None:
        ended: Sequence[Ended] = ()
        is_doubt = False
        try:
            ended = await submit.call(self._gateway, held)
            is_doubt = any(_is_doubt(one) for one in ended)
        finally:
            self._calling -= 1
            self._called += 1
            self._doubts += is_doubt
            self._fill()
            self._tell()
        try:
            await self._write_down(ended)
            if is_doubt:
                await self._put_back()
        finally:
            if is_doubt:
                self._doubts -= 1
                self._room.set()
            self._fill()

    async def _write_down(self, ended: Sequence[Ended]) -> None:
        self._writing += 1
        try:
            await self._insisting.write_down(ended)
        finally:
            self._writing -= 1
            self._tell()

    async def _put_back(self) -> None:
        """Give back what is claimed ahead of providers that are away or stopped by now."""
        of = carry.names(self._gateway, twins=self._twins)
        async with self._gateway.database.reading() as connection:
            admitted = await admission(connection, self._channel, of)
        ready, self._ready = self._ready, deque()
        for held in ready:
            if held[0].claim.row["provider"] in admitted.shut:
                self._begin(self._unsent(held))
            else:
                self._ready.append(held)

    async def _unsent(self, held: Sequence[Held]) -> None:
        await self._write_down(await submit.call(self._gateway, held, is_shut=True))

    def _tell(self) -> None:
        # Who waits for a slice is not woken for less, but by the first place of all.
        if self._wanted >= self._slice or self._wanted == 1:
            self._room.set()


def _is_doubt(one: Ended) -> bool:
    """Say whether a call's outcome may mean that the provider is away, or stopped."""
    return answered(one.outcome) is False or isinstance(one.outcome, Blocked)
