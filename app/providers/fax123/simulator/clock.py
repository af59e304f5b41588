"""The simulator's time: the hour, and delays that can be shortened."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

SHORTEST_PACE_OF_A_TIMEOUT = 0.2  # a time-out serves slow networks, which no pace makes faster


@dataclass(frozen=True, slots=True)
class Clock:
    """The time now, and a pace that multiplies every simulated delay."""

    now: Callable[[], float]
    pace: float

    async def wait(self, seconds: float) -> None:
        """Let so many simulated seconds pass."""
        await asyncio.sleep(seconds * self.pace)

    def timeout(self, seconds: float) -> float:
        """Return the real seconds of a simulated time-out."""
        return seconds * max(self.pace, SHORTEST_PACE_OF_A_TIMEOUT)

    def hour(self) -> str:
        """Return `heure`, "HH:MM": this machine's, for the document names no time zone."""
        return time.strftime("%H:%M", time.localtime(self.now()))
