"""Watch over the store beside everything else: its promises, its time, its life, and our spool."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from app.delivery import restore, spool
from app.delivery.gateway import Gateway
from app.delivery.outside import UnreadableCopy
from app.store import safety
from app.store.database import UNAVAILABLE

log = structlog.get_logger()


@asynccontextmanager
async def watching(gateway: Gateway) -> AsyncIterator[None]:
    """Look at the store before the start, and watch it until the end.

    Raises UnsafeStore, ClockSkewed and UnreadableCopy, each with its remedy.
    """
    await safety.ensure(gateway.database, production=gateway.production)
    if gateway.clock is not None:
        await gateway.clock.start()
    await restore.notice(gateway)
    watches = [restore.keep(gateway), spool.replay(gateway)]
    if gateway.clock is not None:
        watches.append(gateway.clock.keep())
    tasks = [asyncio.create_task(watch) for watch in watches]
    for task in tasks:
        task.add_done_callback(_tell_fault)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(*UNAVAILABLE, UnreadableCopy):
            await restore.look(gateway, None)


def _tell_fault(task: "asyncio.Task[None]") -> None:
    fault = None if task.cancelled() else task.exception()
    if fault is not None:
        log.error("watch_ended", exc_info=fault)
