"""Keep clients within their daily quotas, across all processes: counted with the messages' commit.

A commit that would exceed a quota is rolled back; what shared it is committed anew, one by one, so
that what does not fit fails alone. Counts only grow within a day: what is known not to fit is refused
without the store.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.arrival import Arrival
from app.domain.errors import DailyQuotaExceeded
from app.store import quotas
from app.store.quotas import Name

MOST_KNOWN: Final = 10_000


class Usage:
    """What this process saw of the counts: there may be more by now, and never less."""

    def __init__(self) -> None:
        self._seen: dict[Name, int] = {}

    def learn(self, totals: Mapping[Name, int]) -> None:
        """Take note of committed counts."""
        if len(self._seen) > MOST_KNOWN:
            self._seen.clear()
        for name, count in totals.items():
            self._seen[name] = max(count, self._seen.get(name, 0))

    def of(self, name: Name) -> int | None:
        """Return a count as it was seen last; None where nothing was seen on that day."""
        return self._seen.get(name)

    def admit(self, arrival: Arrival, now: datetime) -> None:
        """Raise DailyQuotaExceeded for what is known not to fit."""
        for name in _counts([arrival], now):
            _check(arrival, self._seen.get(name, 0), now)


async def spend(
    connection: AsyncConnection, arrivals: Iterable[Arrival], now: datetime, usage: Usage
) -> Mapping[Name, int]:
    """Count arrivals whose clients have quotas; return the counts for `usage`, once committed.

    Raises DailyQuotaExceeded where they do not fit, all together.
    """
    limited = [one for one in arrivals if one.daily_quota is not None and one.messages]
    counts = _counts(limited, now)
    if not counts:
        return {}
    totals = await quotas.spend(connection, counts)
    over = [one for one in limited if totals[_name(one, now)] > (one.daily_quota or 0)]
    if over:
        # What others committed stands, whatever becomes of these.
        usage.learn({name: total - counts[name] for name, total in totals.items()})
        _check(over[0], totals[_name(over[0], now)] - len(over[0].messages), now)
    return totals


def next_midnight(now: datetime) -> datetime:
    """Return when quotas begin anew: the next midnight in the zone of `now`, in UTC."""
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time_of_day(), now.tzinfo)
    return tomorrow.astimezone(UTC)


def until_midnight(now: datetime) -> int:
    """Return the seconds until quotas begin anew."""
    return math.ceil((next_midnight(now) - now.astimezone(UTC)).total_seconds())


def check(channel: str, quota: int | None, used: int, count: int, now: datetime) -> None:
    """Raise DailyQuotaExceeded where so many messages do not fit beside those of today."""
    if quota is None or used + count <= quota:
        return
    remedy = "send it tomorrow" if count <= quota else "send fewer at once"
    detail = (
        f"Your quota of the channel {channel} is {quota} messages a day ({now.tzinfo});"
        f" {max(0, quota - used)} are left, and this request has {count}."
        f" Nothing was kept: {remedy}, or ask for a larger quota."
    )
    raise DailyQuotaExceeded(detail, retry_after=until_midnight(now))


def _check(arrival: Arrival, used: int, now: datetime) -> None:
    first, count = arrival.messages[0], len(arrival.messages)
    check(first["channel"], arrival.daily_quota, used, count, now)


def _counts(arrivals: Iterable[Arrival], now: datetime) -> Counter[Name]:
    counts: Counter[Name] = Counter()
    for one in arrivals:
        if one.daily_quota is not None and one.messages:
            counts[_name(one, now)] += len(one.messages)
    return counts


def _name(arrival: Arrival, now: datetime) -> Name:
    first = arrival.messages[0]
    day: date = now.date()
    return first["client_id"], first["mode"], first["channel"], day
