"""When keys were last used: remembered here, and written a few at a time beside all requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import structlog

from app.store import keys
from app.store.database import UNAVAILABLE, Database

log = structlog.get_logger()

EVERY: Final = 60.0  # seconds between two that are written of the same key
_PAUSE: Final = 5.0  # seconds between two rounds
MOST: Final = 10_000  # keys that are remembered


class LastUse:
    """Keeps the last use of each key, to within a minute. What a crash loses is lost."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._noted: dict[str, float] = {}  # by the loop's time
        self._unwritten: dict[str, datetime] = {}

    def note(self, key_id: str) -> None:
        """Take down that a key is used now; it writes nothing."""
        at = asyncio.get_running_loop().time()
        noted = self._noted.get(key_id)
        if noted is not None and at - noted < EVERY:
            return
        if len(self._noted) >= MOST:
            self._noted.clear()
        self._noted[key_id] = at
        self._unwritten[key_id] = self._now()

    async def write(self) -> None:
        """Write what was taken down; while the store is away it stays here."""
        taken = dict(self._unwritten)
        if not taken:
            return
        try:
            async with self._database.transaction() as connection:
                await keys.used(connection, taken, timedelta(seconds=EVERY))
        except UNAVAILABLE:
            return
        for key_id, at in taken.items():
            if self._unwritten.get(key_id) == at:
                del self._unwritten[key_id]

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Write beside all requests, until the end."""
        writing = asyncio.create_task(self._keep())
        writing.add_done_callback(_tell_fault)
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self.write()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            await self.write()


def _tell_fault(task: "asyncio.Task[None]") -> None:
    fault = None if task.cancelled() else task.exception()
    if fault is not None:
        log.error("last_use_ended", exc_info=fault)
