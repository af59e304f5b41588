"""Webhooks: when a delivery is tried again, and what a try came to.

The schedule, the time-out and what each answer means are those of the Standard Webhooks
specification (1.0.0, "Operational considerations").
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

# Pauses after each try that failed; the first try is made at once, the tenth is the last.
SCHEDULE: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER: Final = 0.2  # of a pause, either way
LONGEST_WAIT: Final = timedelta(hours=24)  # that a receiver may ask for by Retry-After
TELLS_AFTER: Final = timedelta(days=1)  # of failures alone: the client is told
DISABLES_AFTER: Final = timedelta(days=5)  # of failures alone: the endpoint gets nothing more
PERSISTS: Final = timedelta(hours=2)  # of one delivery's failures: these say it of its endpoint

FAILING_EVENT: Final = "endpoint.failing"
DISABLED_EVENT: Final = "endpoint.disabled"
TEST_EVENT: Final = "webhook.test"

# Why an endpoint gets nothing.
GONE: Final = "gone"  # it answered 410
FAILING: Final = "failing"  # nothing but failures for too long
BY_CLIENT: Final = "client"

# Where a delivery stands.
PENDING: Final = "pending"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has it: it answered 2xx."""

    code: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver wants nothing more: it answered 410."""

    code: int = HTTPStatus.GONE


@dataclass(frozen=True, slots=True)
class Missed:
    """It may be tried again. `why` is one of a few words of ours, and names no address."""

    why: str
    code: int | None = None  # of the answer, where one came
    wait: timedelta | None = None  # that the receiver asks for


Outcome = Taken | Gone | Missed


def outcome_of(code: int, wait: timedelta | None) -> Outcome:
    """Return what an answer's status means."""
    if code == HTTPStatus.GONE:
        return Gone()
    if 200 <= code < 300:  # noqa: PLR2004
        return Taken(code)
    # A redirect is never followed: it would leave the address that was checked.
    return Missed("redirected" if 300 <= code < 400 else "refused", code, wait)  # noqa: PLR2004


def pause(
    tries: int, random: Callable[[], float], pace: float, asked: timedelta | None
) -> timedelta | None:
    """Return the pause after so many tries that failed, None where there is none to follow.

    `asked`: what the receiver asked for; it is waited for at least, within reason.
    """
    if tries > len(SCHEDULE):
        return None
    planned = SCHEDULE[max(tries, 1) - 1] * (1 - JITTER + 2 * JITTER * random()) * pace
    return max(planned, min(asked, LONGEST_WAIT)) if asked else planned
