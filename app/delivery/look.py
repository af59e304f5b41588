"""When to look at an uncertain message: pure functions of how long it has been so.

After 2, 5, 15, 30 and 60 minutes and 2 hours, then every 4 hours for 3 days, then daily for 30.
"""

from datetime import datetime, timedelta
from typing import Final

_MINUTES: Final = (2, 5, 15, 30, 60, 120)
_HOURS: Final = range(4, 73, 4)
_DAYS: Final = range(4, 31)
LOOKS: Final = (
    *(timedelta(minutes=one) for one in _MINUTES),
    *(timedelta(hours=one) for one in _HOURS),
    *(timedelta(days=one) for one in _DAYS),
)
GIVES_UP: Final = LOOKS[-1]  # without a verdict


def first_look(since: datetime, pace: float) -> datetime:
    """Return when a message is looked at first that became uncertain at a moment."""
    return since + pace * LOOKS[0]


def next_look(since: datetime, now: datetime, pace: float) -> datetime:
    """Return when it is looked at next; the last look gives up."""
    return next((at for one in LOOKS if (at := since + pace * one) > now), now)


def gives_up_at(since: datetime, pace: float) -> datetime:
    """Return when nobody looks any more."""
    return since + pace * GIVES_UP
