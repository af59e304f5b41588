"""Do together what arrives while the last round runs: one commit serves many callers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from functools import partial
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LARGEST_ROUND: Final = 200
MOST: Final = 0.6  # of those that were seen when the last round ended
QUIET: Final = 2  # turns of the loop


class Gathering(Generic[Item, Result]):
    """Runs rounds over all items that wait, one at a time; no clock says when one begins.

    A round costs the process and the store much, and an item in it little. So while the process is
    busy a round begins when most of those wait that the last one saw, or when nobody came for two
    turns of the event loop; an idle process begins at once. Two `rounds` at a time keep process and
    store both at work, at more round trips an item.

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
    ) -> None:
        self._together = together
        self._hopeless = hopeless
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._apart: deque[tuple[Item, asyncio.Future[Result]]] = deque()  # each alone, and first
        self._rounds = rounds
        self._enough = 0.0  # items, for a round to begin
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
        """Do what waits when it is the round's turn: all that came until then."""
        await self._arrived()
        if self._apart:
            chosen.append(self._apart.popleft())
        else:
            size = min(len(self._waiting), LARGEST_ROUND)
            chosen += [self._waiting.popleft() for _ in range(size)]
        # Another round may have taken all that waited.
        return await self._together([item for item, _ in chosen]) if chosen else ()

    async def _arrived(self) -> None:
        """Return when there is nothing to be gained by waiting for more."""
        seen, quiet = len(self._waiting), 0
        while not self._apart and seen < self._enough and quiet < QUIET:
            await asyncio.sleep(0)
            quiet = 0 if len(self._waiting) > seen else quiet + 1
            seen = len(self._waiting)

    def _ended(
        self,
        chosen: Sequence[tuple[Item, asyncio.Future[Result]]],
        ended: asyncio.Task[Sequence[Result]],
    ) -> None:
        self._running.discard(ended)
        self._enough = min(LARGEST_ROUND, MOST * (len(chosen) + len(self._waiting)))
        if ended.cancelled():  # the loop ends
            for _, result in chosen:
                result.cancel()
            return
        fault = ended.exception()
        if fault is None:
            for (_, result), value in zip(chosen, ended.result(), strict=True):
                if not result.done():
                    result.set_result(value)
        elif len(chosen) > 1 and not self._hopeless(fault):
            self._apart.extend(chosen)
        else:
            self._fail(fault, chosen)
        if self._apart or self._waiting:
            self._begin()

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
