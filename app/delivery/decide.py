"""Decide what becomes of an uncertain message by what was found out: the policy, in one place.

What was sent is followed. What was not is queued again where its client asked for that, and by
itself only where the proof is complete; otherwise it waits for a person, with the proof shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from app.delivery import retry
from app.delivery.gateway import Gateway
from app.delivery.look import gives_up_at, next_look
from app.delivery.match import Case, between
from app.domain.evidence import Absent, Declined, Found, Inconclusive, Missing, Verdict
from app.domain.message import Channel
from app.domain.status import Status
from app.store import contents
from app.store.messages import Move
from app.store.uncertain import PROVEN

SOURCE: Final = "reconciliation"
RETRY: Final = "retry"  # of `on_uncertain`
HOLD: Final = "hold"
MOST_ABSENT: Final = 3  # attempts that were proven not to be sent, until a person is asked
POISON: Final = 2  # attempts that a process died of, until a person is asked
WAITS: Final = timedelta(hours=6)  # for the acknowledgement of a fax whose document was fetched
OTP_LIFE: Final = timedelta(minutes=10)  # a code that comes later is of no use
_RETRIED: Final = frozenset({Channel.EMAIL, Channel.SMS, Channel.FAX})  # a letter needs a person
_ONLY: Final = frozenset({Status.UNCERTAIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is written down about one uncertain message."""

    move: Move | None = None
    attempt: Mapping[str, Any] = field(default_factory=dict)  # columns of the last attempt
    note: Mapping[str, Any] = field(default_factory=dict)  # columns of the message, no event


def decide(gateway: Gateway, case: Case, verdict: Verdict, now: datetime) -> Decision:
    """Return what a verdict means for a message."""
    match verdict:
        case Found():
            return _found(gateway, case, verdict, now)
        case Absent():
            return _absent(gateway, case, verdict, now)
        case Declined(failure, by):
            move = replace(_move(case, now, by), to=Status.FAILED, failure=failure)
            return Decision(move=replace(move, changes={"due_at": None, "blocked_reason": None}))
        case Missing(at):
            return _later(gateway, case, now, absent_at=at)
        case Inconclusive():
            return _later(gateway, case, now, why=verdict)


def _move(case: Case, now: datetime, by: str, **detail: Any) -> Move:  # noqa: ANN401 -- JSON
    """Return a move that only an uncertain message makes, with what proves it."""
    return Move(
        message_id=case.row["id"],
        to=None,
        at=now,
        source=SOURCE,
        fence=case.row["fence"],
        raise_fence=True,
        only_from=_ONLY,
        detail={"evidence": by, "attempt_reference": case.last["reference"], **detail},
    )


def _found(gateway: Gateway, case: Case, verdict: Found, now: datetime) -> Decision:
    row, given = case.row, verdict.provider_message_id
    provider = gateway.providers[row["provider"]]
    content = contents.read(case.channel, row["content"])
    due_at = retry.look_again(
        case.channel,
        0,
        now=now,
        pace=gateway.timing.pace,
        submitted=now,
        overdue=gateway.overdue_after(row["provider"]),
    )
    detail: dict[str, Any] = {"provider_message_id": given}
    if given is None and gateway.overdue_after(row["provider"]) is None:
        detail["why"] = "without the provider's id nobody can ask what becomes of it"
    if verdict.copies > 1:
        detail["copies"] = verdict.copies
    move = replace(
        _move(case, now, verdict.by, **detail),
        to=Status.SUBMITTED,
        changes={
            "submitted_at": now,
            "provider_message_id": given,
            "attempt_reference": case.last["reference"],
            "provider_function": provider.function_for(
                content, together=row["campaign_id"] is not None
            ),
            "due_at": due_at,
            "checks": 0,
            "blocked_reason": None,
        },
    )
    return Decision(move=move, attempt={"outcome": "found", "provider_message_id": given})


def _absent(gateway: Gateway, case: Case, verdict: Absent, now: datetime) -> Decision:
    row, proof = case.row, _move(case, now, verdict.by)
    closed = {"outcome": "absent", "absent_at": case.last["absent_at"] or now}
    gone = {"due_at": None, "blocked_reason": None}
    if (late := _too_late(case, now)) is not None:
        detail = {**(proof.detail or {}), "why": late}
        return Decision(
            move=replace(proof, to=Status.EXPIRED, changes=gone, detail=detail), attempt=closed
        )
    absences = 1 + sum(one["outcome"] == "absent" for one in case.attempts[:-1])
    if absences < MOST_ABSENT and _may_retry(case, verdict):
        if _deaths(case) >= POISON:
            detail = {**(proof.detail or {}), "why": "poison"}
            held = {"due_at": row["expires_at"], "blocked_reason": "poison"}
            move = replace(proof, to=Status.HELD, changes=held, detail=detail)
            return Decision(move=move, attempt=closed)
        return Decision(move=_again(proof, now), attempt=closed)
    # It stays where it is, with the proof, until a person decides or its time is over.
    ends = gives_up_at(row["status_at"], gateway.timing.pace)
    if now >= ends:
        return Decision(move=_given_up(case, now, verdict.by), attempt=closed)
    ends = min(ends, row["expires_at"]) if row["expires_at"] is not None else ends
    move = replace(
        proof,
        raise_fence=False,
        type="message.absence_proven",
        changes={"due_at": ends, "blocked_reason": PROVEN},
    )
    return Decision(move=move, attempt=closed)


def _again(proof: Move, now: datetime) -> Move:
    return replace(
        proof,
        to=Status.QUEUED,
        type="message.retrying",
        detail={**(proof.detail or {}), "why": PROVEN},
        changes={
            "due_at": now,
            "checks": 0,
            "blocked_reason": None,
            "document_fetched_at": None,
            # What was answered to the attempt counts for nothing.
            "provider_code": None,
            "provider_label": None,
            "unmapped_code": None,
            "unmapped_function": None,
        },
    )


def _may_retry(case: Case, verdict: Absent) -> bool:
    asked = case.row["on_uncertain"]
    if case.channel not in _RETRIED or asked == HOLD:
        return False
    return verdict.complete or asked == RETRY


def _deaths(case: Case) -> int:
    """Return how many attempts ended with their process, the last one included."""
    return sum(
        one["why"] == "lease_expired"
        and one["late"] is None
        and (one["outcome"] == "absent" or one is case.last)
        for one in case.attempts
    )


def _too_late(case: Case, now: datetime) -> str | None:
    row = case.row
    if row["expires_at"] is not None and row["expires_at"] <= now:
        return "expires_at"
    began = row["send_at"] or row["created_at"]
    if row["purpose"] == "otp" and now >= began + OTP_LIFE:
        return "a one-time code is too old"
    return None


def _later(
    gateway: Gateway,
    case: Case,
    now: datetime,
    *,
    why: Inconclusive | None = None,
    absent_at: datetime | None = None,
) -> Decision:
    """Return when it is looked at again; after the last look, it expires."""
    row, timing = case.row, gateway.timing
    since = row["status_at"]
    if now >= gives_up_at(since, timing.pace):
        return Decision(move=_given_up(case, now, "none"))
    due_at = next_look(since, now, timing.pace)
    first = absent_at or case.last["absent_at"]
    sooner = first + between(timing.settle) if first else case.last["ended_at"] + timing.settle
    if sooner > now:
        due_at = min(due_at, sooner)
    if why is not None and why.again is not None and why.again > now:
        due_at = min(due_at, why.again)
    noted = {"due_at": due_at, "checks": row["checks"] + 1}
    attempt = {"absent_at": absent_at} if absent_at else {}
    if why is not None and why.lasting and not row["checks"]:
        move = replace(
            _move(case, now, "none", why=why.why),
            raise_fence=False,
            type="message.evidence_missing",
            changes=noted,
        )
        return Decision(move=move)
    overdue = since + timing.pace * WAITS
    if row["provider"] in gateway.learn and row["ack_overdue_at"] is None and now >= overdue:
        move = replace(
            _move(case, now, "none", why="no acknowledgement in time"),
            raise_fence=False,
            type="message.ack_overdue",
            changes={**noted, "ack_overdue_at": now},
        )
        return Decision(move=move)
    return Decision(note=noted, attempt=attempt)


def _given_up(case: Case, now: datetime, by: str) -> Move:
    return replace(
        _move(case, now, by, why="no_verdict"),
        to=Status.EXPIRED,
        changes={"due_at": None, "blocked_reason": None},
    )
