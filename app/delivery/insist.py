"""Insist on writing outcomes down: what a provider answered is not forgotten with the store away.

Outcomes that arrive while others are written are written together next; where many wait, beside
those. What one call concerns is written in one transaction; where one call's outcomes cannot be
written, the others' still are.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from app.delivery import submit
from app.delivery.conclude import Ended
from app.delivery.gateway import Gateway
from app.store.database import is_unavailable

log = structlog.get_logger()

LARGEST_ROUND: Final = 256  # calls whose outcomes are written together
ROUNDS: Final = 2  # at once, where the store takes more than one: who is claimed waits for them
MANY: Final = 32  # calls that are worth a round beside another
AGAIN_AFTER: Final = 1.0  # seconds
RECORDS_FOR: Final = 600.0  # seconds for which an outcome is tried to be written down

Begin = Callable[[Coroutine[Any, Any, None]], object]
Told = Callable[[BaseException | None], None]  # what kept it from being written; None: it stands


@dataclass(slots=True)
class _Call:
    """What one call came to, and who waits for its being written."""

    ended: Sequence[Ended]
    since: float
    told: Told


class Insisting:
    """Writes down what calls came to, in a round or two at a time; it never waits on purpose."""

    def __init__(self, gateway: Gateway, begin: Begin = asyncio.create_task) -> None:
        """Keep who starts what runs beside, and waits for it at the end."""
        self._gateway = gateway
        self._begin = begin
        self._waiting: deque[_Call] = deque()
        self._most = 1 if gateway.database.is_sqlite else ROUNDS
        self._writing = 0  # rounds
        self._rounds: set[object] = set()  # tasks that nobody holds may vanish

    async def write_down(self, ended: Sequence[Ended]) -> None:
        """Return when what a call came to is written; raises what keeps it from that for good."""
        standing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def told(fault: BaseException | None) -> None:
            if standing.done():
                return
            if fault is None:
                standing.set_result(None)
            else:
                standing.set_exception(fault)

        self.hand_over(ended, told)
        await standing

    def hand_over(self, ended: Sequence[Ended], told: Told) -> None:
        """Have what a call came to written down, again and again while the store is away.

        Beyond the lease too: then the fence keeps them from moving anything, and they are evidence.
        """
        self._waiting.append(_Call(ended, asyncio.get_running_loop().time(), told))
        if not self._writing or (self._writing < self._most and len(self._waiting) >= MANY):
            self._writing += 1
            self._begin(self._write())

    async def _write(self) -> None:
        this = asyncio.current_task()
        self._rounds.add(this)
        try:
            while self._waiting and (self._writing == 1 or len(self._waiting) >= MANY):
                size = min(len(self._waiting), LARGEST_ROUND)
                await self._round([self._waiting.popleft() for _ in range(size)])
        finally:
            self._writing -= 1
            self._rounds.discard(this)

    async def _round(self, calls: Sequence[_Call]) -> None:
        ended = [one for call in calls for one in call.ended]
        (fault,) = await asyncio.gather(submit.record(self._gateway, ended), return_exceptions=True)
        if not isinstance(fault, BaseException):
            for call in calls:
                call.told(None)
        elif is_unavailable(fault):
            await self._later(calls, fault)
        elif len(calls) > 1:
            for call in calls:
                # A part of the round may stand: what was simply taken is committed apart.
                await self._round([_again(call)])
        else:
            calls[0].told(fault)

    async def _later(self, calls: Sequence[_Call], fault: BaseException) -> None:
        """Write calls down when the store is back; nobody knows whether it was done already."""
        log.warning("outcome_waits", calls=len(calls), fault=type(fault).__name__)
        now = asyncio.get_running_loop().time()
        for call in reversed(calls):
            if now >= call.since + RECORDS_FOR:
                call.told(fault)
            else:
                self._waiting.appendleft(_again(call))
        await asyncio.sleep(AGAIN_AFTER * self._gateway.timing.pace)


def _again(call: _Call) -> _Call:
    """Return a call as one that may be written down already."""
    return replace(call, ended=[replace(one, again=True) for one in call.ended])
