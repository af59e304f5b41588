"""Do together what arrives while the last round runs: one commit serves many callers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LARGEST_ROUND: Final = 200


class Gathering(Generic[Item, Result]):
    """Runs one round at a time over all items that wait; it never waits on purpose.

    A round that fails is run again item by item, so that one bad item fails alone; `hopeless` says
    which faults concern every item, and are given to all at once: those of the round, and those
    that wait for the next one.
    """

    def __init__(
        self,
        together: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        hopeless: Callable[[BaseException], bool],
    ) -> None:
        self._together = together
        self._hopeless = hopeless
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._rounds: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """Return the item's result, from the next round."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._rounds is None or self._rounds.done():
            # A context of its own: what a round logs is not the request's that began it.
            self._rounds = asyncio.create_task(self._run(), context=Context())
        # The round goes on when its caller leaves: what it writes is decided by the store.
        return await result

    async def _run(self) -> None:
        while self._waiting:
            size = min(len(self._waiting), LARGEST_ROUND)
            await self._round([self._waiting.popleft() for _ in range(size)])

    async def _round(self, chosen: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        (outcome,) = await asyncio.gather(
            self._together([item for item, _ in chosen]), return_exceptions=True
        )
        if not isinstance(outcome, BaseException):
            for (_, result), value in zip(chosen, outcome, strict=True):
                _give(result, value)
        elif len(chosen) > 1 and not self._hopeless(outcome):
            for pair in chosen:
                await self._round([pair])
        else:
            hopeless = self._hopeless(outcome)
            for _, result in (*chosen, *(self._waiting if hopeless else ())):
                if not result.done():
                    result.set_exception(outcome)
            if hopeless:
                self._waiting.clear()


def _give(future: asyncio.Future[Result], value: Result) -> None:
    if not future.done():
        future.set_result(value)
