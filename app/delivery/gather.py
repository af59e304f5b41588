"""Do together what arrives while the last round runs: one commit serves many callers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from functools import partial
from math import ceil
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LARGEST_ROUND: Final = 200
FEW: Final = 10  # all of so few are done by one round
HALF: Final = 0.5  # of those that were seen when the last round ended
QUIET: Final = 2  # turns of the loop


class Gathering(Generic[Item, Result]):
    """Runs rounds over items that wait, one at a time; no clock says when one begins.

    A round costs the process and the store much, and an item in it little. But where a round takes
    all there are, the process has nothing to do until it ends, and the store nothing until they are
    answered and come again. So a round takes half of those that were there when the last one ended,
    and while the process is busy it begins when as many wait, or when nobody came for two turns of
    the event loop; an idle process begins at once. Two `rounds` at a time keep process and store
    both at work where few come at once, at more round trips an item. `whole` rounds take all that
    wait: where the store has no processor but the process's own, fewer rounds are the cheaper.

    A round that fails is run again item by item, so that one bad item fails alone; `hopeless` says
    which faults concern every item, and are given to all at once: those of the round, and those
    that wait for the next one.
    """

    def __init__(
        self,
        together: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        hopeless: Callable[[BaseException], bool],
        *,
        rounds: int = 1,
        whole: bool = False,
    ) -> None:
        self._together = together
        self._hopeless = hopeless
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._apart: deque[tuple[Item, asyncio.Future[Result]]] = deque()  # each alone, and first
        self._rounds = rounds
        self._whole = whole
        self._half = 0  # items
        self._running: set[asyncio.Task[Sequence[Result]]] = set()

    async def do(self, item: Item) -> Result:
        """Return the item's result, from the next round."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if len(self._running) < self._rounds:
            self._begin()
        # The round goes on when its caller leaves: what it writes is decided by the store.
        return await result

    def _begin(self) -> None:
        chosen: list[tuple[Item, asyncio.Future[Result]]] = []
        # A context of its own: what a round logs is not the request's that began it.
        begun = asyncio.create_task(self._run(chosen), context=Context())
        self._running.add(begun)
        begun.add_done_callback(partial(self._ended, chosen))

    async def _run(self, chosen: list[tuple[Item, asyncio.Future[Result]]]) -> Sequence[Result]:
        """Do the round's share of what waits when it is its turn."""
        await self._arrived()
        if self._apart:
            chosen.append(self._apart.popleft())
        else:
            most = LARGEST_ROUND if self._whole else max(self._half, FEW)
            size = min(len(self._waiting), most)
            chosen += [self._waiting.popleft() for _ in range(size)]
        # Another round may have taken all that waited.
        return await self._together([item for item, _ in chosen]) if chosen else ()

    async def _arrived(self) -> None:
        """Return when there is nothing to be gained by waiting for more."""
        seen, quiet = len(self._waiting), 0
        while not self._apart and seen < self._half and quiet < QUIET:
            await asyncio.sleep(0)
            quiet = 0 if len(self._waiting) > seen else quiet + 1
            seen = len(self._waiting)

    def _ended(
        self,
        chosen: Sequence[tuple[Item, asyncio.Future[Result]]],
        ended: asyncio.Task[Sequence[Result]],
    ) -> None:
        self._running.discard(ended)
        self._half = min(LARGEST_ROUND, ceil(HALF * (len(chosen) + len(self._waiting))))
        if ended.cancelled():  # the loop ends
            for _, result in chosen:
                result.cancel()
            return
        fault = ended.exception()
        if fault is not None and len(chosen) > 1 and not self._hopeless(fault):
            self._apart.extend(chosen)
        elif fault is not None:
            self._fail(fault, chosen)
        # Before those are answered that it ended for: the store works meanwhile.
        if self._apart or self._waiting:
            self._begin()
        if fault is None:
            _answer(chosen, ended.result())

    def _fail(
        self, fault: BaseException, chosen: Sequence[tuple[Item, asyncio.Future[Result]]]
    ) -> None:
        failed = list(chosen)
        if self._hopeless(fault):
            failed += [*self._apart, *self._waiting]
            self._apart.clear()
            self._waiting.clear()
        for _, result in failed:
            if not result.done():
                result.set_exception(fault)


def _answer(
    chosen: Sequence[tuple[Item, asyncio.Future[Result]]], values: Sequence[Result]
) -> None:
    for (_, result), value in zip(chosen, values, strict=True):
        if not result.done():
            result.set_result(value)
