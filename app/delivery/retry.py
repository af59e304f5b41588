"""When to try again, and when to ask again: pure functions."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.domain.message import Channel, Fax

FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=15)
MOST_ATTEMPTS: Final = 50  # of calls that are proven not to have sent anything
MOST_UNFETCHED: Final = 3  # refusals of a document that the provider never fetched
BLOCKED_PAUSE: Final = timedelta(seconds=30)  # of a channel whose account or set-up is at fault


def _seconds(*numbers: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=number) for number in numbers)


# How long after the last look a provider is asked again; the last interval repeats.
INTERVALS: Final[Mapping[Channel, tuple[timedelta, ...]]] = {
    Channel.SMS: _seconds(3, 10, 30, 60, 120, 300, 600, 1800, 3600),
    Channel.EMAIL: _seconds(5, 20, 60, 300, 900, 3600, 14_400),
    Channel.LETTER: _seconds(5, 20, 60, 600, 3600, 21_600),
    Channel.FAX: _seconds(10, 30, 60, 300, 900, 3600),  # of a provider that can be asked
}

# How long after the submission a message without a final status expires.
HORIZONS: Final[Mapping[Channel, timedelta]] = {
    Channel.SMS: timedelta(hours=72),
    Channel.EMAIL: timedelta(days=5),
    Channel.LETTER: timedelta(days=30),
    Channel.FAX: timedelta(hours=48),
}


def pause(attempts: int, random: Callable[[], float]) -> timedelta:
    """Return how long to wait before the next attempt: exponential, full jitter, capped."""
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(max(attempts, 1) - 1, 20)))
    return max(ceiling * random(), timedelta(milliseconds=500))


def interval(channel: Channel, checks: int) -> timedelta:
    """Return how long to wait before a status is asked again, after so many checks."""
    steps = INTERVALS[channel]
    return steps[min(checks, len(steps) - 1)]


def look_again(
    channel: Channel,
    checks: int,
    *,
    now: datetime,
    pace: float,
    submitted: datetime,
    overdue: timedelta | None,
) -> datetime:
    """Return when a message is looked at again, after so many checks.

    A provider that acknowledges by itself is not asked: there, only the time at which that is
    overdue (so long after the submission) and the horizon are looked at.
    """
    later = now + pace * interval(channel, checks)
    if overdue is None:
        return later
    limits = (submitted + overdue, submitted + HORIZONS[channel])
    return min((limit for limit in limits if limit > now), default=later)


def fax_again(fax: Fax, usual: Sequence[timedelta], transmitted: int) -> timedelta | None:
    """Return the pause before a fax is sent once more, after so many transmissions (from 1).

    None: that was the last one. The client's delays hold before the operator's usual ones; the
    last delay repeats where more transmissions are wanted than there are delays.
    """
    delays = usual if fax.retry_delays is None else _seconds(*fax.retry_delays)
    most = len(delays) + 1 if fax.retry_attempts is None else fax.retry_attempts
    if not delays or transmitted >= most:
        return None
    return delays[min(transmitted, len(delays)) - 1]
