"""Long work on the event loop, in slices: between two of them, whatever else is ready runs.

A thread would not do: it shares the interpreter's lock, and holds it for 5 ms at a time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

LONGEST: Final = 0.0005  # seconds that work goes on for before the others have their turn
TURN: Final = 0.005  # seconds that the others have at most, while they have something to do
IDLE: Final = 0.00005  # seconds of a round of the loop in which nobody else had
ROUNDS: Final = 2  # such in turn: who waits for another coroutine's result has short ones
COMMIT: Final = 0.001  # seconds that others' statements have at most: few take longer

# Returns when nobody waits for the store, or after so many seconds.
Rested = Callable[[float], Awaitable[None]]

_FREED: Final = 50


class Slices:
    """Says when the others have their turn."""

    # The loop's own processor time: while the machine does something else, nobody has a turn.
    def __init__(
        self, clock: Callable[[], float] = time.thread_time, rested: Rested | None = None
    ) -> None:
        self._rested = rested
        self._clock = clock
        self._began = clock()

    async def pause(self) -> None:
        """Let the others run, where this work has gone on for long enough.

        What the store says to them is waited for too: else it would be read when the next slice
        ends, and written there beside what this work writes.
        """
        if self._clock() - self._began < LONGEST:
            return
        await self._turn()
        if self._rested is not None:
            await self._rested(COMMIT)
            await self._turn()
        self._began = self._clock()

    async def _turn(self) -> None:
        """Return when the others have nothing to do, or after their turn.

        A request takes some rounds of the loop: it would wait for this work in each of them.
        """
        now, idle = self._clock(), 0
        ends = now + TURN
        while idle < ROUNDS and now < ends:
            before = now
            await asyncio.sleep(0)
            now = self._clock()
            idle = 0 if now - before >= IDLE else idle + 1

    async def let_go(self, many: Sequence[object]) -> None:
        """Empty a list: freed all at once, ten thousand rows would keep the others waiting."""
        while isinstance(many, list) and many:
            del many[-_FREED:]
            await self.pause()
