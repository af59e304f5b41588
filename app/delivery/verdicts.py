"""What a person may say of an uncertain or held message, and the move that it means.

`assume_sent`: it left; it is followed where its provider's id is known. `not_sent`: somebody saw
that it did not leave; it is sent. `retry`: nobody knows, and it is sent all the same. `abandon`: it
is given up. In each case whoever held the message before writes nothing to it any more.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import restore, retry
from app.delivery.acting import Actor
from app.delivery.gateway import Gateway
from app.domain.errors import AlreadyFinal, AlreadySubmitted, NotUncertain
from app.domain.message import Channel
from app.domain.outcome import Failure
from app.domain.status import FINAL, TRACKED, Status
from app.store import attempts, contents, resolving
from app.store.messages import Move


class Verdict(StrEnum):
    """What a person says of a message."""

    ASSUME_SENT = "assume_sent"
    NOT_SENT = "not_sent"
    RETRY = "retry"
    ABANDON = "abandon"


SENDS: Final = frozenset({Verdict.NOT_SENT, Verdict.RETRY})
RESOLVABLE: Final = frozenset({Status.UNCERTAIN, Status.HELD})
ABSENT: Final = "absent"  # outcome of an attempt: shown by evidence, or seen by a person
ABANDONED: Final = Failure(type="technical", reason="resolved_abandoned", retryable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A verdict, and what it stands on."""

    verdict: Verdict
    reason: str
    provider_message_id: str | None = None  # of what is assumed to be sent
    accepts_risk: bool = False  # that it is sent twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A locked message, its last attempt, and whether that one is proven not to have been sent."""

    row: RowMapping
    attempt: RowMapping | None
    absent: bool

    @property
    def status(self) -> Status:
        """Where the message stands."""
        return Status(self.row["status"])


def check(status: Status, verdict: Verdict) -> None:
    """Raise where a message that stands so cannot be resolved."""
    if status in FINAL:
        raise AlreadyFinal(f"It is {status}, and that is final.")
    if status in TRACKED:
        raise AlreadySubmitted(f"It is {status}: its provider accepted it.")
    if status not in RESOLVABLE:
        raise NotUncertain(f"It is {status}: there is nothing to resolve.")
    if status is Status.HELD and verdict is Verdict.ASSUME_SENT:
        raise NotUncertain("It is held: it can be sent or abandoned, and not assumed to be sent.")


async def look(
    connection: AsyncConnection, row: RowMapping, attempt: RowMapping | None, verdict: Verdict
) -> Case:
    """Return a locked message's case. What its provider never fetched cannot have been faxed."""
    if attempt is None or row["blocked_reason"] == restore.REASON:
        # The attempt that counts may be one that the restored store does not know.
        return Case(row=row, attempt=attempt, absent=False)
    absent = attempt["outcome"] == ABSENT
    if verdict in SENDS and row["channel"] == Channel.FAX:
        # The message's lock is held: no fetch comes between this look and the revocation.
        granted = await resolving.is_granted(connection, attempt["id"])
        absent = absent or (granted and not await attempts.was_fetched(connection, attempt["id"]))
    return Case(row=row, attempt=attempt, absent=absent)


def move_of(
    gateway: Gateway, actor: Actor, case: Case, resolution: Resolution, now: datetime
) -> Move:
    """Return the move that a verdict means."""
    row, attempt = case.row, case.attempt
    move = Move(
        message_id=row["id"],
        to=None,
        at=now,
        source="operator",
        fence=row["fence"],
        raise_fence=True,
        only_from=RESOLVABLE,
        detail=detail_of(actor, case, resolution),
        changes={"lease_until": None, "due_at": None, "blocked_reason": None},
    )
    match resolution.verdict:
        case Verdict.ASSUME_SENT:
            return replace(
                move,
                to=Status.SUBMITTED,
                changes={**move.changes, **_followed(gateway, case, resolution, now)},
            )
        case Verdict.ABANDON:
            return replace(move, to=Status.FAILED, failure=ABANDONED)
        case Verdict.NOT_SENT | Verdict.RETRY:
            if row["expires_at"] is not None and row["expires_at"] <= now:
                return replace(move, to=Status.EXPIRED)
            fresh = {"submitted_at": None, "provider_message_id": None, "checks": 0}
            if attempt is not None:
                fresh |= {"document_fetched_at": None}
            return replace(move, to=Status.QUEUED, changes={**move.changes, **fresh, "due_at": now})


def detail_of(actor: Actor, case: Case, resolution: Resolution) -> dict[str, Any]:
    """Return what an event keeps of a verdict: who, and why."""
    return {
        "resolved": resolution.verdict.value,
        "why": resolution.reason,
        "by": actor.shown,
        "duplicate_risk_accepted": resolution.accepts_risk,
        "absence_proven": case.absent,
        "attempt_reference": case.attempt["reference"] if case.attempt is not None else None,
    }


def _followed(
    gateway: Gateway, case: Case, resolution: Resolution, now: datetime
) -> dict[str, Any]:
    row, attempt = case.row, case.attempt
    channel = Channel(row["channel"])
    function = row["provider_function"]
    # A simulated twin may be configured no more, or in other processes alone.
    if function is None and (provider := gateway.providers.get(row["provider"])) is not None:
        function = provider.function_for(
            contents.read(channel, row["content"]), together=row["campaign_id"] is not None
        )
    looked = retry.look_again(
        channel,
        0,
        now=now,
        pace=gateway.timing.pace,
        submitted=now,
        overdue=gateway.overdue_after(row["provider"]),
    )
    return {
        "provider_function": function,
        "provider_message_id": resolution.provider_message_id or row["provider_message_id"],
        "attempt_reference": attempt["reference"] if attempt is not None else None,
        "submitted_at": now,
        "due_at": looked,
        "checks": 0,
    }


async def settle_attempt(
    connection: AsyncConnection, case: Case, resolution: Resolution, now: datetime
) -> None:
    """Write down what the last attempt became, and close the documents of what is given up."""
    if resolution.verdict is not Verdict.ASSUME_SENT:
        await attempts.revoke_all(connection, case.row["id"], now)
    if case.attempt is None or case.status is not Status.UNCERTAIN:
        return
    said: dict[str, Any] = {}
    match resolution.verdict:
        case Verdict.ASSUME_SENT:
            said = {"outcome": "accepted", "why": "assumed by a person"}
            if resolution.provider_message_id is not None:
                said |= {"provider_message_id": resolution.provider_message_id}
        case Verdict.NOT_SENT:
            said = {"outcome": ABSENT, "why": "seen by a person"}
        case Verdict.RETRY if case.absent:
            said = {"outcome": ABSENT}
        case _:
            return
    await resolving.judge(connection, [case.attempt["id"]], said)
