"""Explain where a message stands, in plain sentences: what it means, what comes next, what to do."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from app.domain.explain import blocked, failures
from app.domain.explain.situations import SITUATIONS, Situation
from app.domain.explain.words import Language, Lines, Words
from app.domain.outcome import Failure
from app.domain.status import WAITING, Status

__all__ = ["Explanation", "Facts", "Language", "Situation", "explain", "situation_of"]

_ABSENCE_PROVEN: Final = "absence_proven"  # a message's `blocked_reason`
# Which status is one situation alone.
_PLAIN: Final = {
    status: Situation(status.value)
    for status in Status
    if status not in {Status.EXPIRED, Status.SUBMITTED, Status.UNCERTAIN, Status.QUEUED}
}
_NEXT: Final = Words("The next step is due on {at}.", "La prochaine étape est prévue le {at}.")
_CODE: Final = Words("The provider's code is {code}.", "Le code du prestataire est {code}.")
_LEAVES: Final = Words("It leaves on {at}.", "Il partira le {at}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a message."""

    status: Status
    attempts: int = 0  # calls that may have sent it
    may_have_left: bool = False  # a provider accepted it, or it is not known whether
    blocked_reason: str | None = None  # its own, or its channel's
    failure: Failure | None = None
    ack_overdue: bool = False
    unmapped_code: str | None = None  # its last code, where that has no meaning yet
    next_at: datetime | None = None  # when the gateway does something for it next


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The sentences, in one language."""

    situation: Situation
    means: str
    follows: str
    advice: str


def situation_of(facts: Facts) -> Situation:
    """Return where a message stands."""
    match facts.status:
        case Status.QUEUED:
            return Situation.QUEUED_AGAIN if facts.attempts else Situation.QUEUED
        case Status.UNCERTAIN:
            proven = facts.blocked_reason == _ABSENCE_PROVEN
            return Situation.ABSENCE_PROVEN if proven else Situation.UNCERTAIN
        case Status.SUBMITTED if facts.unmapped_code is not None:
            return Situation.UNMAPPED
        case Status.SUBMITTED:
            return Situation.ACK_OVERDUE if facts.ack_overdue else Situation.SUBMITTED
        case Status.EXPIRED:
            return Situation.EXPIRED_UNKNOWN if facts.may_have_left else Situation.EXPIRED_UNSENT
        case plain:
            return _PLAIN[plain]


def explain(facts: Facts, language: Language) -> Explanation:
    """Return the sentences that say where a message stands."""
    situation = situation_of(facts)
    lines, why = SITUATIONS[situation], _why(facts)
    means = [lines.means.in_(language)]
    follows, advice = lines.follows, lines.advice
    if why is not None:
        means.append(_filled(why.means, facts.blocked_reason).in_(language))
        follows, advice = why.follows, why.advice
    if facts.failure is not None and facts.status is Status.FAILED:
        said, advice = failures.FAILURES.get(facts.failure.reason, failures.OTHER)
        means.append(_filled(said, facts.failure.reason).in_(language))
        if facts.failure.retryable:
            means.append(failures.AGAIN.in_(language))
    if (code := _code(facts)) is not None:
        means.append(_CODE.in_(language).format(code=code))
    said_next = [follows.in_(language)]
    if facts.next_at is not None:
        timed = _LEAVES if facts.status is Status.SCHEDULED and why is None else _NEXT
        said_next.append(timed.in_(language).format(at=_time(facts.next_at, language)))
    return Explanation(
        situation=situation,
        means=" ".join(means),
        follows=" ".join(said_next),
        advice=advice.in_(language),
    )


def _why(facts: Facts) -> Lines | None:
    """Return what keeps a message from leaving, besides its turn."""
    waits = facts.status in WAITING or facts.status is Status.HELD
    if not waits or facts.blocked_reason is None:
        return None
    return blocked.BLOCKED.get(facts.blocked_reason, blocked.OTHER)


def _code(facts: Facts) -> str | None:
    """Return what to ask the provider about."""
    match facts.status:
        case Status.FAILED:
            return facts.failure.provider_code if facts.failure is not None else None
        case Status.SUBMITTED:
            return facts.unmapped_code
        case _:
            return None


def _filled(words: Words, reason: str | None) -> Words:
    named = reason or ""
    return Words(words.en.replace("{reason}", named), words.fr.replace("{reason}", named))


def _time(at: datetime, language: Language) -> str:
    utc = at.astimezone(UTC)
    match language:
        case Language.ENGLISH:
            return f"{utc:%Y-%m-%d} at {utc:%H:%M:%S} UTC"
        case Language.FRENCH:
            return f"{utc:%d/%m/%Y} à {utc:%H:%M:%S} UTC"
