"""Take in only what can be kept and sent in time: limits on what waits, and on the disk's room.

How much waits is what its counters said, a second ago at most; what this process took in since is
added. So the limits may be exceeded by what all processes take in within a second, and no more.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import structlog

from app.delivery.arrival import Arrival, Totals
from app.delivery.gather import Gathering
from app.delivery.settings import Limits
from app.domain.errors import QueueFull, QuotaExceeded, StorageLow
from app.domain.message import Mode
from app.store import counters
from app.store import recount as counting
from app.store.counters import Waiting
from app.store.database import Database, is_unavailable

log = structlog.get_logger()

FRESH: Final = 1.0  # seconds for which a reading holds
AHEAD: Final = 0.7  # seconds after which the next one is begun, beside what is taken in meanwhile
PACE_OVER: Final = 120.0  # seconds over which the pace of the queue is taken
UNRESERVED: Final = 0.8  # of the room is for every purpose; the rest for those that cannot wait
TESTS: Final = 0.5  # of the room, and of a client's: where simulators are away, live goes on
URGENT: Final = frozenset({"transactional", "otp"})
_TEST: Final = Mode.TEST.value  # looked up once: that takes longer than all else that is asked
UNKNOWN_PACE: Final = 30.0  # seconds to come again after, where nothing has left the queue yet
SOONEST: Final = 5.0  # seconds
LATEST: Final = 600.0


def free_bytes(folder: Path) -> int:
    """Return how much may still be written to a disk."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@dataclass(slots=True)
class Taken:
    """What was taken in."""

    messages: int = 0
    size: int = 0  # bytes
    clients: dict[UUID, int] = field(default_factory=dict)  # messages

    def copy(self) -> "Taken":
        """Return as much."""
        return Taken(self.messages, self.size, dict(self.clients))

    def take_off(self, earlier: "Taken") -> None:
        """Leave what came after it was an earlier one."""
        self.messages -= earlier.messages
        self.size -= earlier.size
        self.clients = {
            one: count - earlier.clients.get(one, 0)
            for one, count in self.clients.items()
            if count > earlier.clients.get(one, 0)
        }


class Limiter:
    """Says no to what would wait for too long."""

    def __init__(
        self,
        database: Database,
        limits: Limits,
        random: Callable[[], float],
        *,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._limits = limits
        self._random = random
        self._free = free
        self._clock = clock
        self._reading: Gathering[None, None] = Gathering(self._read, is_unavailable)
        self._ahead: asyncio.Task[None] | None = None
        self._read_at = float("-inf")
        self._waiting = Waiting(clients={})
        self._since = Taken()  # after the reading
        self._left: deque[tuple[float, int]] = deque()  # when, and how many had left the queue
        self._looked_at = float("-inf")  # the disk
        self._is_low = False

    async def admit(self, arrival: Arrival) -> None:
        """Return where an arrival may be taken in, and count it.

        Raises StorageLow, QuotaExceeded or QueueFull.
        """
        rows = arrival.messages
        size = await self.look(rows, arrival.totals)
        if rows:
            self.count(rows[0]["client_id"], size, len(rows))

    async def look(self, rows: Sequence[Mapping[str, Any]], totals: Totals | None = None) -> int:
        """Return how many bytes messages have, where they may be taken in; count nothing.

        Raises as `admit` does.
        """
        if not self._has_disk():
            raise StorageLow(retry_after=round(UNKNOWN_PACE * (0.8 + 0.4 * self._random())))
        if not rows:
            return 0
        if self._clock() - self._read_at >= FRESH:
            await self._reading.do(None)
        client_id: UUID = rows[0]["client_id"]
        if totals is None:
            totals = Totals()
            totals.add(rows)
        count, size = len(rows), totals.size
        urgent = URGENT.issuperset(totals.purposes)
        wrong = self._wrong(client_id, rows[0]["mode"], count, size, urgent=urgent)
        if wrong is not None:
            raise wrong
        return size

    def has_room(self, client_id: UUID, mode: str, purpose: str, size: int) -> bool:
        """Say whether a message may be taken in by what is known now; no says nothing."""
        age = self._clock() - self._read_at
        if age >= FRESH or not self._has_disk():
            return False
        if age >= AHEAD and self._ahead is None:
            self._ahead = asyncio.create_task(self._reading.do(None))
            self._ahead.add_done_callback(self._is_read)
        return self._wrong(client_id, mode, 1, size, urgent=purpose in URGENT) is None

    def count(self, client_id: UUID, size: int, messages: int = 1) -> None:
        """Count messages of so many bytes that are taken in, for which there is room."""
        since = self._since
        since.messages += messages
        since.size += size
        since.clients[client_id] = since.clients.get(client_id, 0) + messages

    def _wrong(
        self, client_id: UUID, mode: str, count: int, size: int, *, urgent: bool
    ) -> QuotaExceeded | QueueFull | None:
        """Return why so many messages of a client may not be taken in."""
        since, limits = self._since, self._limits
        is_test = mode == _TEST
        most = int(limits.client * TESTS) if is_test else limits.client
        waiting = self._waiting
        over = waiting.clients.get(client_id, 0) + since.clients.get(client_id, 0) + count - most
        if over > 0:
            return QuotaExceeded(retry_after=self._later(over))
        share = TESTS if is_test else 1.0 if urgent else UNRESERVED
        over = waiting.messages + since.messages + count - int(limits.messages * share)
        if over <= 0 and waiting.size + since.size + size > limits.size * share:
            over = count
        return QueueFull(retry_after=self._later(over)) if over > 0 else None

    async def _read(self, asked: Sequence[None]) -> list[None]:
        if self._clock() - self._read_at < AHEAD:
            return list(asked)
        before = self._since.copy()
        async with self._database.reading() as connection:
            self._waiting = await counters.read(connection)
        self._since.take_off(before)  # what was taken in meanwhile may have been read, or not
        self._read_at = self._clock()
        self._left.append((self._read_at, self._waiting.left))
        while self._left[0][0] < self._read_at - PACE_OVER:
            self._left.popleft()
        return list(asked)

    def _is_read(self, ended: "asyncio.Task[None]") -> None:
        self._ahead = None
        if not ended.cancelled():
            ended.exception()  # whoever reads next is told what stands in the way

    def _later(self, over: int) -> int:
        """Return after how many seconds so many messages will have left; not the same for all."""
        (began, before), (ended, after) = self._left[0], self._left[-1]
        left = after - before
        seconds = over * (ended - began) / left if left > 0 else UNKNOWN_PACE
        return round(min(max(seconds, SOONEST), LATEST) * (0.8 + 0.4 * self._random()))

    def _has_disk(self) -> bool:
        """Say whether the disk has room, by a look at it once a second."""
        limits = self._limits
        if limits.disk and self._clock() - self._looked_at >= FRESH:
            self._looked_at = self._clock()
            free = self._free(limits.folder)
            if self._is_low != (free < limits.disk):
                self._is_low = not self._is_low
                log.error("storage_low" if self._is_low else "storage_recovered", free=free)
        return not self._is_low


async def recount(database: Database) -> dict[str, int]:
    """Mend the counters of what waits where they are off; return what they were off by."""
    drift = await counting.recount(database)
    if drift:
        # Ids of clients and names of channels: nothing personal.
        log.error("counters_mended", drift=drift)
    return drift
