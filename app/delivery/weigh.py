"""Weigh what is acknowledged of a fax: where it moves, and whether it is sent once more.

A fax may be sent again after it failed. That something of it arrived counts whichever attempt it
is said of; that it failed counts only against the last one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import retry
from app.delivery.gateway import Gateway
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Fax
from app.domain.outcome import Failure, Report
from app.domain.status import ARRIVED, FINAL, Status
from app.store import attempts, messages
from app.store.messages import Move

log = structlog.get_logger()

CALL_OPEN: Final = "call_open"  # its outcome applies what waits, in the same transaction
EARLIER: Final = "earlier_attempt"
IS_FINAL: Final = "status_is_final"
_NOWHERE: Final[frozenset[Status]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is acknowledged of one attempt of a fax whose row is locked."""

    row: Mapping[str, Any]  # of the message
    status: Status  # where that stands
    attempt: Mapping[str, Any]
    content: Fax
    report: Report

    @property
    def arrived(self) -> bool:
        """Whether something of it arrived."""
        return self.report.status in ARRIVED

    @property
    def of_last(self) -> bool:
        """Whether it is about the last attempt; one that is queued waits for its next."""
        is_last: bool = self.attempt["number"] == self.row["attempts"]
        return is_last and self.status is not Status.QUEUED

    @property
    def too_early(self) -> bool:
        """Whether its call is open."""
        open_ = self.attempt["ended_at"] is None
        return open_ or (self.arrived and self.status is Status.SUBMITTING)

    @property
    def may_be_repeated(self) -> bool:
        """Whether it may be sent once more, if it was not sent too often."""
        if not (self.of_last and self.status in {Status.SUBMITTED, Status.UNCERTAIN}):
            return False
        failure = self.report.failure
        # Pages of a fax that found the line busy contradict it: it may have arrived.
        return (
            failure is not None
            and failure.reason in self.content.retry_on
            and not self.report.pages_sent
        )


@dataclass(frozen=True, slots=True)
class Weighed:
    """What came of an acknowledgement."""

    said: Said
    step: Move  # its own
    due_at: datetime | None  # when the fax is sent once more
    moved: bool

    @property
    def note(self) -> str | None:
        """Why it moved nothing, where it did not."""
        if self.moved:
            return None
        return IS_FINAL if self.said.of_last or self.said.arrived else EARLIER


async def weigh(
    gateway: Gateway, connection: AsyncConnection, said: Sequence[Said]
) -> list[str | None]:
    """Move faxes as their acknowledgements say, each once; return why one was not moved, if so."""
    over = [one for one in said if not one.too_early]
    due = await _due_again(gateway, connection, over)
    now = gateway.now()
    steps = [_steps(one, at, now) for one, at in zip(over, due, strict=True)]
    moved = iter(
        await messages.move(
            connection,
            gateway.ids,
            [step for some in steps for step in some],
            standing={one.row["id"]: one.row for one in over},
        )
        if over
        else ()
    )
    weighed = [
        Weighed(one, some[-1], at, moved=[next(moved) for _ in some][-1])
        for one, some, at in zip(over, steps, due, strict=True)
    ]
    await _revoke(gateway, connection, [one for one in weighed if one.moved])
    for one in weighed:
        step = one.step
        tell(log, step.message_id, step.to, one.said.report.code, applied=one.moved)
    notes = iter([one.note for one in weighed])
    return [CALL_OPEN if one.too_early else next(notes) for one in said]


def tell(
    into: structlog.typing.FilteringBoundLogger,
    message_id: UUID,
    to: Status | None,
    code: str,
    *,
    applied: bool,
) -> None:
    """Log what came of an acknowledgement, and where it meant to move its fax."""
    into.info(
        "status_learnt",
        message_id=shown(MESSAGE, message_id),
        status=to,
        code=code,
        applied=applied,
    )


async def _revoke(gateway: Gateway, connection: AsyncConnection, moved: Sequence[Weighed]) -> None:
    again = [one.said.attempt["id"] for one in moved if one.due_at is not None]
    if again:
        # From here on nobody can fetch, and so fax, the document of the attempt that failed.
        await attempts.revoke(connection, again, gateway.now())
    for one in moved:
        if one.said.arrived and not one.said.of_last:
            await attempts.revoke_all(connection, one.said.row["id"], gateway.now())


async def _due_again(
    gateway: Gateway, connection: AsyncConnection, said: Sequence[Said]
) -> list[datetime | None]:
    """Return when each fax is sent once more; None where it is not."""
    asked = [one.row["id"] for one in said if one.may_be_repeated]
    sent = await attempts.transmitted(connection, asked) if asked else {}
    return [
        _again_at(gateway, one, sent.get(one.row["id"], 0)) if one.may_be_repeated else None
        for one in said
    ]


def _again_at(gateway: Gateway, said: Said, transmitted: int) -> datetime | None:
    pause = retry.fax_again(said.content, gateway.timing.fax_retries, transmitted)
    if pause is None:
        return None
    due_at, expires_at = gateway.now() + gateway.timing.pace * pause, said.row["expires_at"]
    return due_at if expires_at is None or due_at < expires_at else None


def _steps(said: Said, due_at: datetime | None, now: datetime) -> list[Move]:
    """Return the moves that an acknowledgement means, the last one its own."""
    step = _step(said, now)
    if not (said.of_last or said.arrived):
        # It is kept, and counts for nothing: another attempt decides.
        return [replace(step, only_from=_NOWHERE)]
    if due_at is not None and said.report.failure is not None:
        step = _again(step, said, said.report.failure, due_at)
    if said.status is not Status.UNCERTAIN:
        return [step]
    # Whoever acknowledges has accepted.
    found = Move(
        message_id=said.row["id"],
        to=Status.SUBMITTED,
        at=now,
        source="acknowledgement",
        raise_fence=True,
        changes={"submitted_at": now},
    )
    return [found, step]


def _step(said: Said, now: datetime) -> Move:
    report = said.report
    return Move(
        message_id=said.row["id"],
        to=report.status,
        at=now,
        source="acknowledgement",
        code=report.code,
        label=report.label,
        occurred=report.occurred,
        failure=report.failure,
        unmapped_in=report.unmapped_in,
        evidence=True,
        reported=True,
        # Where it waits to be sent again, no worker may take it any more.
        raise_fence=said.status is Status.QUEUED,
        type=None if report.status else "message.status_unmapped",
        changes={
            "pages_sent": report.pages_sent,
            "status_checked_at": now,
            "due_at": None if report.status in FINAL else said.row["due_at"],
            "ack_overdue_at": None,
            "blocked_reason": None,
        },
    )


def _again(step: Move, said: Said, failure: Failure, due_at: datetime) -> Move:
    """Return the move back into the queue; the row of the attempt keeps what the message drops."""
    return replace(
        step,
        to=Status.QUEUED,
        failure=None,
        raise_fence=True,
        type="message.retrying",
        detail={
            "why": failure.reason,
            "attempt": said.attempt["number"],
            "attempt_reference": said.attempt["reference"],
            "next_attempt_at": due_at.isoformat(),
        },
        changes={
            **step.changes,
            "due_at": due_at,
            "checks": 0,
            "submitted_at": None,
            "provider_message_id": None,
            "document_fetched_at": None,
        },
    )
