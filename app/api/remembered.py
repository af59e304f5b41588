"""What the store said a few seconds ago, so that not every request asks it again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

Name = TypeVar("Name")
Value = TypeVar("Value")

REMEMBERED: Final = 3.0  # seconds for which a revoked key may still be taken
MOST: Final = 10_000


class Remembered(Generic[Name, Value]):
    """Asks for a value by its name, at most every few seconds."""

    def __init__(self, ask: Callable[[Name], Awaitable[Value | None]]) -> None:
        self._ask = ask
        self._known: dict[Name, tuple[Value, float]] = {}
        self._asking: dict[Name, asyncio.Task[Value | None]] = {}

    async def get(self, name: Name) -> Value | None:
        """Return a value, at most REMEMBERED seconds old; None where there is none."""
        # Not the clock of the day: set back, it would keep a revoked key alive. And the time
        # before the question: what it answers may have changed while it was on its way.
        now = asyncio.get_running_loop().time()
        known = self._known.get(name)
        if known is not None and now - known[1] < REMEMBERED:
            return known[0]
        asking = self._asking.get(name)
        if asking is not None:
            value = await asyncio.shield(asking)
            if value is not None:
                return value
            # It may have been made since that question was put.
        return await asyncio.shield(self._ask_anew(name, now))

    async def renewed(self, name: Name) -> Value | None:
        """Return a value that is asked for now, though it be known."""
        asking = self._asking.get(name)
        return await asyncio.shield(
            asking or self._ask_anew(name, asyncio.get_running_loop().time())
        )

    def until(self, name: Name) -> float:
        """Return until when, by the loop's time, a value may be given again without asking."""
        known = self._known.get(name)
        return known[1] + REMEMBERED if known is not None else 0.0

    def _ask_anew(self, name: Name, now: float) -> "asyncio.Task[Value | None]":
        # Of many that want it at once, one asks; who leaves does not take the answer along.
        self._asking[name] = asking = asyncio.create_task(self._asked(name, now))
        return asking

    async def _asked(self, name: Name, now: float) -> Value | None:
        try:
            value = await self._ask(name)
        finally:
            self._asking.pop(name, None)
        if len(self._known) >= MOST:
            self._known.clear()
        # What is not there is not remembered: it may be made at any moment.
        self._known.pop(name, None)
        if value is not None:
            self._known[name] = (value, now)
        return value
