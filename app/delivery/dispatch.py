"""Dispatch a channel's messages through a worker: claimed, called for, written down.

Messages are claimed in slices, and a little ahead of the calls: as many as pass in the time of three
claims, so that a free place never waits for the store, and a slow provider has hardly any ahead.
With two, each claim would find just what passed during the last one, and the pace would never rise.
A place is free when its call is over; its outcome is written with those of others meanwhile. What
was claimed and is not written down yet is bounded: by four times the calls at once, and by twice
these where nothing passes. Of a process that dies, that is what becomes `uncertain`.

A call without an answer lets no other begin before it is written down: by then it is known whether
the provider is away, and what was claimed ahead goes back unsent. So an outage makes no more
messages uncertain than were called for when it began.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from app.delivery import carry, submit
from app.delivery.admit import admission
from app.delivery.conclude import Ended, Held
from app.delivery.gateway import Gateway
from app.delivery.insist import Begin, Insisting
from app.domain.message import Channel
from app.domain.standing import is_doubt
from app.domain.twins import twin_of

CONCURRENCY: Final = 16  # calls at once, where the settings name no number
UNWRITTEN: Final = 4  # times the calls at once: how many may be claimed, and not written down
CLAIMS: Final = 3  # such as the last one, in whose time what is claimed ahead passes
AHEAD: Final = 2  # times the calls at once, of these: how many may be claimed ahead at most
GATHERS: Final = 0.02  # seconds after which free places are filled, however few

MOMENT: Final = 0.001  # seconds: the loop's clock tells no less


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
        self._passed = 0  # calls that were written down since `_looked_at`
        self._looked_at = 0.0
        self._pace = 0.0  # calls a second
        self._ready: deque[Sequence[Held]] = deque()
        self._lanes = 0  # that call, or wait for what a call in doubt means
        self._calling = 0
        self._writing = 0
        self._doubts = 0  # calls after which the provider may be away, not written down yet
        self._needed = 1  # how many must be wanted for who claims to go on
        self._room = asyncio.Event()  # not set: it waits
        self._room.set()
        self._ended = False

    async def step(self, patience: float) -> None:
        """Claim what there is room for; wait where there is none, or nothing to claim."""
        if not await self._has_room():
            return
        began = asyncio.get_running_loop().time()
        held = await submit.claim(
            self._gateway,
            self._channel,
            self._wanted,
            under_way=len(self._ready) + self._calling + self._writing,
            twins=self._twins,
        )
        self._look_back(began)
        self._ready += held
        self._fill()
        if not held:
            await self._gateway.wake.wait(self._channel, patience, twins=self._twins)

    def _look_back(self, began: float) -> None:
        """See how many calls are written down in the time of some claims such as the last one."""
        now = asyncio.get_running_loop().time()
        # They are written in rounds: a mean, in which the last time counts for half.
        self._pace = (self._pace + self._passed / max(MOMENT, now - self._looked_at)) / 2
        self._ahead = min(AHEAD * self._most, int(CLAIMS * (now - began) * self._pace))
        self._looked_at, self._passed = now, 0

    @property
    def _wanted(self) -> int:
        """How many may be claimed now."""
        if self._doubts:
            return 0
        room = self._most + self._ahead
        unwritten = max(0, self._writing - min(room, UNWRITTEN * self._most - room))
        return room - len(self._ready) - self._calling - unwritten

    @property
    def _enough(self) -> int:
        """How many are worth a claim: what is still ahead then is called for meanwhile."""
        return max(self._slice, self._ahead // 4)

    async def _has_room(self) -> bool:
        """Wait for room, and then a moment for more of it; say whether there is any."""
        await self._until(1, None)
        await self._until(self._enough, GATHERS)
        return self._wanted > 0 and not self._ended

    async def _until(self, wanted: int, seconds: float | None) -> None:
        """Wait until so many may be claimed, for so long at most."""
        if self._wanted >= wanted or self._ended:
            return
        self._needed = wanted
        self._room.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._room.wait()
        self._room.set()

    def end(self) -> None:
        """Claim nothing more; what is claimed is called for all the same."""
        self._ended = True
        self._room.set()

    def give_up(self) -> None:
        """Call for nothing more: what was claimed becomes `uncertain` when its lease is over."""
        self._ready.clear()

    def _fill(self) -> None:
        """Have as many lanes call as there are calls to make, and room for."""
        lanes = min(self._most - self._lanes, len(self._ready))
        if self._doubts:
            return
        for _ in range(lanes):
            self._lanes += 1
            self._begin(self._lane())

    async def _lane(self) -> None:
        """Make one call after the other, while there is one to make."""
        try:
            while self._ready and not self._doubts:
                await self._one(self._ready.popleft())
        finally:
            self._lanes -= 1
            self._fill()

    async def _one(self, held: Sequence[Held]) -> None:
        self._calling += 1
        try:
            ended = await submit.call(self._gateway, held)
        finally:
            self._calling -= 1
            self._tell()
        if is_doubt(ended[0].outcome):  # that of all in one call
            await self._resolve(ended)
        else:
            self._writing += 1
            self._insisting.hand_over(ended, self._written)

    def _written(self, fault: BaseException | None) -> None:
        self._writing -= 1
        self._passed += 1
        self._tell()
        if fault is not None:
            self._begin(_failed(fault))

    async def _resolve(self, ended: Sequence[Ended]) -> None:
        """Let nothing begin before it is known whether the provider is away, or stopped."""
        self._doubts += 1
        try:
            await self._write_down(ended)
            await self._put_back()
        finally:
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
        """Tell who waits that there is room."""
        if not self._room.is_set() and self._wanted >= self._needed:
            self._room.set()


async def _failed(fault: BaseException) -> None:
    """Have a fault told as that of any call."""
    raise fault
