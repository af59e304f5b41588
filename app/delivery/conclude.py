"""Conclude from a call's outcome: where its message moves, and what its attempt keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog

from app.delivery import retry
from app.delivery.gateway import Gateway
from app.delivery.look import first_look
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Channel
from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Outcome, Refused, Unclear
from app.domain.status import Status
from app.store.messages import Move
from app.store.queue import Claim

log = structlog.get_logger()

# What an attempt's row keeps of an outcome, and how much of it.
LENGTHS: Final = {"provider_message_id": 100, "code": 100, "words": 500, "why": 200, "raw": 500}
_CHANNELS: Final = {one.value: one for one in Channel}

# Each message has its own: to freeze them costs more than to make them.


@dataclass(slots=True)
class Held:
    """A claimed message: its attempt is committed, and its document may be fetched."""

    claim: Claim
    at: datetime
    document_url: str | None = None

    @property
    def channel(self) -> Channel:
        """The channel that carries it."""
        return _CHANNELS[self.claim.row["channel"]]


@dataclass(slots=True)
class Ended:
    """A claimed message whose call is over."""

    held: Held
    outcome: Outcome
    function: str  # of the provider, that was called
    again: bool = False  # it was written down before, and nobody knows whether that took place


def move_of(gateway: Gateway, one: Ended, now: datetime) -> Move:
    """Return the move of a message that the outcome of its call means."""
    row = one.held.claim.row
    move = partial(
        Move,
        message_id=one.held.claim.message_id,
        at=now,
        source="provider_response",
        fence=one.held.claim.fence,
        evidence=True,
    )
    always: dict[str, Any] = {
        "lease_until": None,
        "due_at": None,
        "blocked_reason": None,
        "attempt_reference": one.held.claim.reference,
        "provider_function": one.function,
    }
    follows = one.held.claim.follows
    match one.outcome:
        case Accepted(provider_id, code, words):
            sent = {"provider_message_id": provider_id, "submitted_at": now}
            return move(
                to=Status.SUBMITTED,
                code=code,
                label=words,
                changes=always | sent | {"due_at": first_status_look(gateway, one, now)},
            )
        case Refused(failure):
            return move(
                to=Status.FAILED,
                code=failure.provider_code,
                label=failure.label,
                failure=failure,
                changes=always,
            )
        case Deferred(why, wait, code, words):
            if row["attempts"] >= retry.MOST_ATTEMPTS:
                failure = Failure(
                    type="technical", reason="provider_unavailable", retryable=True, label=why
                )
                return move(to=Status.FAILED, failure=failure, changes=always)
            later = now + gateway.timing.pace * (
                wait or retry.pause(row["attempts"], gateway.random)
            )
            return move(
                to=Status.QUEUED,
                code=code,
                label=words,
                changes=always | {"due_at": None if follows else later},
                detail={"why": why},
            )
        case Blocked(reason, why, code, words, stops, shown):
            # Where the channel stops, nobody claims it before the channel goes on.
            later = now if stops else now + gateway.timing.pace * retry.BLOCKED_PAUSE
            waiting = {"due_at": None if follows else later, "blocked_reason": reason}
            return move(
                to=Status.QUEUED,
                code=code,
                label=words,
                changes=always | waiting,
                detail={"why": shown or why, "blocked_reason": reason},
            )
        case Unclear(why, raw, unmapped_in):
            return move(
                to=Status.UNCERTAIN,
                code=raw,
                unmapped_in=unmapped_in,
                changes=always | {"due_at": first_look(now, gateway.timing.pace), "checks": 0},
                detail={"why": why},
            )


def first_status_look(gateway: Gateway, one: Ended, now: datetime) -> datetime | None:
    """Return when a taken message's status is asked first; None where another asks for it too."""
    row = one.held.claim.row
    if one.held.claim.follows and not gateway.providers[row["provider"]].tells_each(one.function):
        return None
    return retry.look_again(
        one.held.channel,
        0,
        now=now,
        pace=gateway.timing.pace,
        submitted=now,
        overdue=gateway.overdue_after(row["provider"]),
    )


def closing_of(outcome: Outcome) -> Mapping[str, Any]:
    """Return what the attempt's row keeps of an outcome."""
    kept = {name: _cut(name, value) for name, value in _kept(outcome).items()}
    return dict.fromkeys(LENGTHS) | kept | {"outcome": type(outcome).__name__.casefold()}


def _cut(name: str, value: str | None) -> str | None:
    return value and value[: LENGTHS[name]]


def _kept(outcome: Outcome) -> dict[str, str | None]:
    match outcome:
        case Accepted(provider_id, code, words):
            return {"provider_message_id": provider_id, "code": code, "words": words}
        case Refused(failure):
            words = failure.label
            return {"code": failure.provider_code, "words": words, "why": failure.reason}
        case Deferred(why, _, code, words):
            return {"code": code, "words": words, "why": why}
        case Blocked(reason, _, code, words):
            return {"code": code, "words": words, "why": reason}
        case Unclear(why, raw):
            return {"why": why, "raw": raw}


def tell(gateway: Gateway, recorded: Sequence[tuple[Ended, bool]]) -> None:
    """Say in the log what calls came to, and whether that was written down."""
    say = log.bind().info  # once: to find out how lines are written costs as much as a line
    say_taken = gateway.taken_lines
    taken = []
    for one, was_moved in recorded:
        claim, outcome = one.held.claim, one.outcome
        message_id = shown(MESSAGE, claim.message_id)
        if isinstance(outcome, Accepted):
            kept = {"code": outcome.code}
            if was_moved and say_taken is not None:
                taken.append((message_id, claim.reference, _cut("code", outcome.code)))
                continue
        else:
            kept = _kept(outcome)
        say(
            "submitted" if isinstance(outcome, Accepted) else "not_submitted",
            message_id=message_id,
            attempt_reference=claim.reference,
            outcome=type(outcome).__name__.casefold(),
            code=_cut("code", kept.get("code")),
            why=_cut("why", kept.get("why")),
            recorded=was_moved,
        )
    if taken and say_taken is not None:
        say_taken(taken)
