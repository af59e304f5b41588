"""The store's time, which every decision about time is made by.

Processes on several hosts share leases and due times, and a host's clock may be wrong, or be set.
The offset of the store's clock is measured at the start and every half minute; between, time runs
by this host's uninterrupted ticks, which no setting of the clock touches and which count while the
host sleeps. With SQLite the host is the store: the same, measured on the host's own clock.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import text

from app.store.database import UNAVAILABLE, Database

log = structlog.get_logger()

EVERY: Final = 30.0  # seconds between measurements
SLOWEST: Final = timedelta(seconds=1)  # an answer that takes longer tells the time too badly
MOST_SKEW: Final = timedelta(seconds=5)  # between host and store, at the start
WARN_SKEW: Final = timedelta(seconds=1)
_TICKS: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class ClockSkewed(Exception):
    """The clocks of host and store differ too much to trust either."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one look at the store's clock told."""

    skew: timedelta  # of this host's clock: positive where it is ahead of the store's
    round_trip: timedelta


def host_time() -> datetime:
    """Return what this host's clock says."""
    return datetime.now(UTC)


def host_ticks() -> float:
    """Return seconds that nobody sets, and that go on while the host sleeps."""
    return time.clock_gettime(_TICKS)


class Clock:
    """Tells the store's time; before the first measurement, the host's."""

    def __init__(
        self,
        database: Database,
        *,
        host: Callable[[], datetime] = host_time,
        ticks: Callable[[], float] = host_ticks,
    ) -> None:
        self._database = database
        self._host = host
        self._ticks = ticks
        self._anchor = host()
        self._anchored_at = ticks()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        # Days and seconds: named, as `seconds=`, they cost half as much again.
        return self._anchor + timedelta(0, self._ticks() - self._anchored_at)

    async def start(self) -> None:
        """Take the store's time; raises ClockSkewed where this host's differs by too much."""
        measured = await self.measure()
        skew = abs(measured.skew)
        # However slow the answer was, a difference beyond it is real.
        if skew - measured.round_trip / 2 > MOST_SKEW:
            raise ClockSkewed(
                f"this host's clock is {_seconds(skew)} {_side(measured.skew)} the database's; at"
                f" most {_seconds(MOST_SKEW)} are allowed: synchronise both hosts (NTP), then start"
                " again"
            )
        if skew > WARN_SKEW:
            log.warning("clock_skewed", seconds=measured.skew.total_seconds())

    async def keep(self) -> None:
        """Measure again and again; while the store is away, the last measurement holds."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                before = self.now()
                sent = self._ticks()
                await self.measure()
                passed = timedelta(seconds=self._ticks() - sent)
                stepped = self.now() - before - passed
            except UNAVAILABLE as fault:
                log.warning("clock_not_measured", fault=type(fault).__name__)
            else:
                if abs(stepped) > WARN_SKEW:
                    log.warning("clock_stepped", seconds=stepped.total_seconds())

    async def measure(self) -> Measured:
        """Ask the store for its time once, and go by it from now on if the answer came quickly."""
        async with self._database.reading() as connection:
            # A first statement, so that the connection's own delay is not measured.
            await connection.execute(text("SELECT 1"))
            sent, said_here = self._ticks(), self._host()
            if self._database.is_sqlite:
                store = said_here
            else:
                asked = await connection.execute(text("SELECT clock_timestamp()"))
                store = asked.scalar_one().astimezone(UTC)
            received = self._ticks()
        round_trip = timedelta(seconds=received - sent)
        if round_trip <= SLOWEST:
            self._anchor, self._anchored_at = store, (sent + received) / 2
        return Measured(said_here + round_trip / 2 - store, round_trip)


def _seconds(value: timedelta) -> str:
    return f"{value.total_seconds():.1f} s"


def _side(skew: timedelta) -> str:
    return "ahead of" if skew > timedelta(0) else "behind"
