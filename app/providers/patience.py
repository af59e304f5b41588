"""Bound how long each of many things may take, with one timer for all of them.

`asyncio.timeout` sets and clears a timer of the event loop each time, which costs more than all
else that a call to a provider does here. What is bounded alike ends in the order in which it began.
"""

import asyncio
from types import TracebackType


class Patience:
    """So many seconds for each thing that is `bounded`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._begun: dict[Bounded, float] = {}  # what is under way -> when its time is over
        self._timer: asyncio.TimerHandle | None = None

    def bounded(self) -> "Bounded":
        """Return what to do a thing in: raises TimeoutError where it takes longer."""
        return Bounded(self)

    def begin(self, one: "Bounded", loop: asyncio.AbstractEventLoop) -> None:
        """Count the time of one thing from now on."""
        self._begun[one] = ends = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(ends, self._look)

    def end(self, one: "Bounded") -> None:
        """Count it no more."""
        self._begun.pop(one, None)

    def _look(self) -> None:
        """Give up what takes too long, and look again when the next one may."""
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._begun:
            one, ends = next(iter(self._begun.items()))
            if ends > loop.time():
                self._timer = loop.call_at(ends, self._look)
                return
            del self._begun[one]
            one.give_up()


class Bounded:
    """One thing that may take so long, as `asyncio.timeout` bounds it."""

    __slots__ = ("_cancelling", "_is_over", "_patience", "_task")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._is_over = False

    def __enter__(self) -> None:
        """Begin."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._patience.begin(self, loop)

    def give_up(self) -> None:
        """End what waits: its time is over."""
        self._is_over = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End; raises TimeoutError where nothing but the time ended it."""
        self._patience.end(self)
        if not self._is_over:
            return
        only_by_time = self._task.uncancel() <= self._cancelling
        if only_by_time and kind is asyncio.CancelledError:
            raise TimeoutError from fault
