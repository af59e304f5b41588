"""How fast a client may ask: GCRA, a bucket for each client and mode, shared by all processes.

Far from its rate, a process lets a client's requests through by what it knows, and tells the store
in blocks what they took: they cost no round trip. Near the rate the store decides, of all requests
that wait at once. So what passes in all processes together exceeds the rate by one block of each
other process at most, a twentieth of a second's worth, and only until that is told: it counts for
what follows. A rate below 20 has no block: the store decides of each request.

While the store is away, each process keeps to the rate by itself. Test keys have buckets of their
own: a test run slows nothing that is live.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from app.api.access import Caller
from app.domain.errors import RateLimited
from app.store import client_rates
from app.store.client_rates import Asked, Name
from app.store.database import UNAVAILABLE, Database

log = structlog.get_logger()

BLOCKS: Final = 20  # in a second's worth of requests
PATIENCE: Final = 2.0  # seconds that a request waits for the store's word
AGAIN_AFTER: Final = timedelta(seconds=1)  # the store was away
MOST_KNOWN: Final = 10_000
BURST: Final = timedelta(seconds=1)  # whose worth of requests may come at once
_NOTHING: Final = timedelta(0)


@dataclass(slots=True)
class Bucket:
    """What this process knows of one client's rate: others may have taken more, and never less."""

    free_at: datetime  # from when on the bucket is empty, if nothing more comes
    untold: timedelta = _NOTHING  # that requests here took, and the store is not known to count
    away_until: datetime | None = None  # the store was away: it is not asked before
    asking: list["asyncio.Future[bool | None]"] = field(default_factory=list)
    talking: asyncio.Task[None] | None = None

    def level(self, now: datetime) -> timedelta:
        """Return how much is in it."""
        return max(self.free_at, now) - now

    def take(self, each: timedelta, now: datetime) -> None:
        """Count a request that the store has yet to hear of."""
        self.free_at = max(self.free_at, now) + each
        self.untold += each

    @property
    def is_talking(self) -> bool:
        """Whether the store is being told or asked."""
        return self.talking is not None and not self.talking.done()


@dataclass(frozen=True, slots=True)
class Left:
    """How a client stands after a request."""

    rate: int
    requests: int  # that may still come at once
    full_in: int  # seconds until a whole burst may

    @property
    def policy(self) -> str:
        """The item of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"client";q={self.rate};w={round(BURST.total_seconds())}'

    @property
    def item(self) -> str:
        """The item of RateLimit."""
        return f'"client";r={self.requests};t={self.full_in}'


class Rates:
    """Lets requests through, or says when to come again."""

    def __init__(self, database: Database, now: Callable[[], datetime], usual: int) -> None:
        self._database = database
        self._now = now
        self._usual = usual  # requests a second; 0: no limit
        self._buckets: dict[Name, Bucket] = {}

    def rate_of(self, caller: Caller) -> int:
        """Return how many requests a second a caller may send; 0: no limit."""
        return self._usual if caller.rate is None else caller.rate

    async def take(self, caller: Caller) -> tuple[Left | None, RateLimited | None]:
        """Let a request through, or return why not; and how the caller stands, if it has a rate."""
        rate = self.rate_of(caller)
        if rate <= 0:
            return None, None
        name, each = (caller.client_id, caller.mode), timedelta(seconds=1 / rate)
        bucket = self._bucket(name)
        passes, now = await self._passes(name, bucket, each, rate // BLOCKS * each)
        refused, level = None, bucket.level(now)
        if not passes:
            wait = (level + each - BURST).total_seconds()
            refused = RateLimited(_said(rate), retry_after=max(1, math.ceil(wait)))
        return _left(rate, level, each), refused

    def take_at_once(self, caller: Caller) -> Left | None:
        """Let a request of a caller that has a rate through, far from it; None: nothing was done."""
        bucket = self._buckets.get((caller.client_id, caller.mode))
        if bucket is None:
            return None
        rate, now = self.rate_of(caller), self._now()
        each = timedelta(seconds=1 / rate)
        block = rate // BLOCKS * each
        if not _is_far(bucket, bucket.level(now) + each, each, block):
            return None
        self._count((caller.client_id, caller.mode), bucket, each, block, now)
        return _left(rate, bucket.level(now), each)

    async def _passes(
        self, name: Name, bucket: Bucket, each: timedelta, block: timedelta
    ) -> tuple[bool, datetime]:
        """Say whether a request is within the rate, and count it; and the time at the end of that."""
        now = self._now()
        level = bucket.level(now) + each
        if level > BURST:
            return False, now
        if not _is_far(bucket, level, each, block) and not _is_away(bucket, now):
            granted = await self._asked(name, bucket, each)
            now = self._now()
            if granted is not None:
                return granted, now
            if bucket.level(now) + each > BURST:
                return False, now
        self._count(name, bucket, each, block, now)
        return True, now

    def _count(
        self, name: Name, bucket: Bucket, each: timedelta, block: timedelta, now: datetime
    ) -> None:
        bucket.take(each, now)
        if bucket.untold >= block / 2 and not _is_away(bucket, now):
            self._talk(name, bucket, each)

    async def close(self) -> None:
        """Let what is being told end."""
        talking = [one.talking for one in self._buckets.values() if one.talking is not None]
        await asyncio.gather(*talking)

    def _bucket(self, name: Name) -> Bucket:
        if name not in self._buckets:
            if len(self._buckets) >= MOST_KNOWN:
                now = self._now()
                self._buckets = {
                    known: one
                    for known, one in self._buckets.items()
                    if one.free_at > now or one.is_talking
                }
            self._buckets[name] = Bucket(self._now())
        return self._buckets[name]

    async def _asked(self, name: Name, bucket: Bucket, each: timedelta) -> bool | None:
        """Have the store decide of a request; None where it says nothing."""
        answer: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        bucket.asking.append(answer)
        self._talk(name, bucket, each)
        done, _ = await asyncio.wait({answer}, timeout=PATIENCE)
        if not done:
            answer.cancel()
            bucket.away_until = self._now() + AGAIN_AFTER
        return answer.result() if done else None

    def _talk(self, name: Name, bucket: Bucket, each: timedelta) -> None:
        if not bucket.is_talking:
            bucket.talking = asyncio.create_task(self._talks(name, bucket, each))

    async def _talks(self, name: Name, bucket: Bucket, each: timedelta) -> None:
        """Tell the store what was taken, ask for what waits, and learn what others took."""
        while True:
            asking, bucket.asking = [one for one in bucket.asking if not one.done()], []
            told, now = bucket.untold, self._now()
            asked = Asked(told=told, wanted=len(asking), each=each, most=BURST)
            granted, free_at = None, bucket.free_at
            try:
                async with self._database.transaction() as connection:
                    granted, free_at = await client_rates.spend(connection, name, asked, now)
            except UNAVAILABLE as fault:
                # What was taken is counted here; the others do not learn of it.
                bucket.away_until = now + AGAIN_AFTER
                log.warning("rate_not_shared", fault=type(fault).__name__)
            bucket.untold -= told
            if granted is not None:
                bucket.away_until = None
                bucket.free_at = free_at + bucket.untold
            for place, one in enumerate(asking):
                if not one.done():
                    one.set_result(None if granted is None else place < granted)
            if not bucket.asking:
                return


def _is_away(bucket: Bucket, now: datetime) -> bool:
    return bucket.away_until is not None and now < bucket.away_until


def _is_far(bucket: Bucket, level: timedelta, each: timedelta, block: timedelta) -> bool:
    """Say whether a request passes without the store, which brings a bucket to a level."""
    return level <= BURST / 2 and bucket.untold + each <= block


def _left(rate: int, level: timedelta, each: timedelta) -> Left:
    requests = max(0, math.floor((BURST - level) / each + 1e-6))
    return Left(rate, requests, max(1, math.ceil(level.total_seconds())))


def _said(rate: int) -> str:
    return f"You may send {rate} requests a second; send this one again after Retry-After."
