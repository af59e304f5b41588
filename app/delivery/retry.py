"""When to try again, and when to ask again: pure functions."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from app.domain.message import Channel

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
    Channel.FAX: _seconds(3600),  # 123-fax cannot be asked; only the horizon is looked at
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
