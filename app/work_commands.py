"""The command that runs the worker: nothing of HTTP's server is read for it."""

import gc
from dataclasses import replace
from typing import Final

import typer
import uvloop

from app import logs
from app.build import build, opened
from app.delivery.worker import Worker
from app.processes import run
from app.ready import ready

app = typer.Typer()

# The collector's thresholds: what a call makes and leaves is hardly ever a cycle. Five times as many
# objects would be looked at in one go of some 20 ms, in which no call is written or answered.
SELDOM: Final = (10_000, 20, 100)


@app.command()
def worker() -> None:
    """Run the worker alone."""
    settings = ready()

    async def work() -> None:
        gateway = replace(build(settings), taken_lines=logs.of_taken())
        async with opened(gateway):
            # What was built lives as long as the process: the collector need not look at it again.
            gc.freeze()
            gc.set_threshold(*SELDOM)
            await run([], Worker(gateway))

    uvloop.run(work())
