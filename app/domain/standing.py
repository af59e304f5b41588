"""How a channel of a provider stands: whether messages may leave, and when it is looked at again.

Three calls in a row that nobody answered open the circuit: nothing leaves until a call that sends
nothing is answered. What is a person's matter - credentials, credit, the contract - stops the
channel at once. After either, messages leave one by one first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.domain.outcome import (
    Accepted,
    Alive,
    Blocked,
    Deferred,
    NoAnswer,
    Outcome,
    Refused,
    Unclear,
)


class State(StrEnum):
    """Whether messages may leave."""

    CLOSED = "closed"  # they leave: the circuit is closed
    OPEN = "open"  # an outage
    STOPPED = "stopped"  # a person's matter


OPENS_AFTER: Final = 3  # unanswered calls in a row
FIRST_LOOK: Final = timedelta(seconds=30)
LONGEST_LOOK: Final = timedelta(minutes=5)
CREDIT_LOOK: Final = timedelta(minutes=15)  # no call tells the credit: one message tries
CREDIT: Final = "provider_credit"
# Looked at without a call: the WSDL that could not be read, and the settings that are missing.
OURS: Final = frozenset({"provider_contract", "provider_settings"})
AWAY: Final = "provider_unavailable"
WIDEST: Final = 16  # calls at once, from which on the settings decide alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one channel of a provider stands."""

    state: State = State.CLOSED
    reason: str | None = None
    why: str | None = None
    failures: int = 0  # unanswered calls in a row
    opens: int = 0  # looks in a row that found it still away
    probe_at: datetime | None = None
    width: int | None = None  # calls at once; None: as the settings say


def answered(outcome: Outcome) -> bool | None:
    """Say whether a call was answered; None where it says nothing about the provider."""
    match outcome:
        case Accepted() | Refused():
            return True
        case Blocked():
            return None
        case Deferred(ours=True):
            return None
        case Deferred(code=code, wait=wait):
            return code is not None or wait is not None
        case Unclear(raw=raw):
            return raw is not None


def is_doubt(outcome: Outcome) -> bool:
    """Say whether an outcome may mean that the provider is away, or stopped."""
    return isinstance(outcome, Blocked) or answered(outcome) is False


def after_call(
    standing: Standing, outcome: Outcome, now: datetime, pace: float, random: Callable[[], float]
) -> Standing:
    """Return how the channel stands after a call."""
    if isinstance(outcome, Blocked):
        if not outcome.stops:
            return standing
        pause = CREDIT_LOOK if outcome.reason == CREDIT else FIRST_LOOK
        return Standing(
            state=State.STOPPED,
            reason=outcome.reason,
            why=outcome.why,
            probe_at=now + pace * pause,
        )
    said = answered(outcome)
    if said is None:
        return standing
    if said:
        # One more for each answer: twice as many after each round.
        width = standing.width and standing.width + 1
        return replace(
            standing, failures=0, width=None if width is None or width >= WIDEST else width
        )
    failures = standing.failures + 1
    if standing.state is not State.CLOSED or failures < OPENS_AFTER:
        return replace(standing, failures=failures)
    return replace(_opened(standing, now, pace, random), failures=failures)


def after_probe(
    standing: Standing,
    probed: Alive | Blocked | NoAnswer,
    now: datetime,
    pace: float,
    random: Callable[[], float],
) -> Standing:
    """Return how the channel stands after a call that sends nothing."""
    match probed:
        case Alive():
            return Standing(width=1)
        case Blocked(reason, why):
            return Standing(
                state=State.STOPPED,
                reason=reason,
                why=why,
                probe_at=now + pace * _look(reason),
            )
        case NoAnswer():
            return _opened(replace(standing, opens=standing.opens + 1), now, pace, random)


def _look(reason: str) -> timedelta:
    if reason == CREDIT:
        return CREDIT_LOOK
    return FIRST_LOOK if reason in OURS else LONGEST_LOOK


def _opened(
    standing: Standing, now: datetime, pace: float, random: Callable[[], float]
) -> Standing:
    pause = min(LONGEST_LOOK, FIRST_LOOK * (1 << min(standing.opens, 10))) * (0.75 + random() / 2)
    return Standing(
        state=State.OPEN,
        reason=AWAY,
        why="the provider does not answer",
        failures=standing.failures,
        opens=standing.opens,
        probe_at=now + pace * pause,
    )
