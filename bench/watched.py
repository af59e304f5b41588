"""Run our command as it is, and write down when its event loop was held up.

`python -m bench.watched FILE api --port 8000`: FILE gets a line for each time that the loop came
more than two milliseconds late: when, how late, and for how long its thread computed meanwhile.
Late without computing means that others had the core, or that the loop's thread waited for one of
its own process's other threads.
"""

import asyncio
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import uvloop

from app import cli

TICK: Final = 0.001  # seconds
WORTH: Final = 0.002  # seconds: what is less late is not written down


class Watch:
    """Looks at the loop every millisecond."""

    def __init__(self, told: Path) -> None:
        self._told = told.open("a", buffering=1)

    async def around(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run a command with a watch beside it."""
        watching = asyncio.create_task(self._look())
        try:
            return await main
        finally:
            watching.cancel()

    async def _look(self) -> None:
        while True:
            before, spent = time.monotonic(), time.thread_time()
            await asyncio.sleep(TICK)
            late = time.monotonic() - before - TICK
            if late > WORTH:
                computed = time.thread_time() - spent
                self._told.write(f"{before} {late * 1000:.3f} {computed * 1000:.3f}\n")


def worst(file: Path, since: float, until: float) -> tuple[float, float]:
    """Return the longest lateness and the longest computing of some time, in milliseconds."""
    lines = [[float(one) for one in line.split()] for line in file.read_text().splitlines()]
    meant = [line for line in lines if since <= line[0] <= until]
    return max((one[1] for one in meant), default=0.0), max((one[2] for one in meant), default=0.0)


def main() -> None:
    """Be the command."""
    file, *arguments = sys.argv[1:]
    watch, run = Watch(Path(file)), uvloop.run
    uvloop.run = lambda main, **options: run(watch.around(main), **options)
    sys.argv = ["multicanal", *arguments]
    cli.entry()


if __name__ == "__main__":
    main()
