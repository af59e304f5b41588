"""Weigh what is acknowledged of a fax: where it moves, and whether it is sent once more.

A fax may be sent again after it failed. That something of it arrived counts whichever attempt it
is said of; that it failed counts only against the last one.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import RowMapping
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

    row: RowMapping  # of the message
    attempt: RowMapping
    content: Fax
    report: Report

    @property
    def status(self) -> Status:
        """Where the message stands."""
        return Status(self.row["status"])

    @property
    def arrived(self) -> bool:
        """Whether something of it arrived."""
        return self.report.status in ARRIVED

    @property
    def of_last(self) -> bool:
        """Whether it is about the last attempt; one that is queued waits for its next."""
        is_last: bool = self.attempt["number"] == self.row["attempts"]
        return is_last and self.status is not Status.QUEUED


async def weigh(gateway: Gateway, connection: AsyncConnection, said: Said) -> str | None:
    """Move a fax as its acknowledgement says; return why it was not moved, where it was not."""
    if said.attempt["ended_at"] is None or (said.arrived and said.status is Status.SUBMITTING):
        return CALL_OPEN
    now, attempt_id = gateway.now(), said.attempt["id"]
    due_at = await _due_again(gateway, connection, said)
    steps = _steps(said, due_at, now)
    moved = await messages.move(connection, gateway.ids, steps)
    if moved[-1] and due_at is not None:
        # From here on nobody can fetch, and so fax, the document of the attempt that failed.
        await attempts.revoke(connection, [attempt_id], now)
    if moved[-1] and said.arrived and not said.of_last:
        await attempts.revoke_all(connection, said.row["id"], now)
    log.info(
        "status_learnt",
        message_id=shown(MESSAGE, said.row["id"]),
        status=steps[-1].to,
        code=said.report.code,
        applied=moved[-1],
    )
    if moved[-1]:
        return None
    return IS_FINAL if said.of_last or said.arrived else EARLIER


async def _due_again(gateway: Gateway, connection: AsyncConnection, said: Said) -> datetime | None:
    """Return when a fax is sent once more; None where it is not."""
    if not (said.of_last and said.status in {Status.SUBMITTED, Status.UNCERTAIN}):
        return None
    failure, expires_at = said.report.failure, said.row["expires_at"]
    # Pages of a fax that found the line busy contradict it: it may have arrived.
    if failure is None or failure.reason not in said.content.retry_on or said.report.pages_sent:
        return None
    transmitted = await attempts.transmitted(connection, said.row["id"])
    pause = retry.fax_again(said.content, gateway.timing.fax_retries, transmitted)
    if pause is None:
        return None
    due_at = gateway.now() + gateway.timing.pace * pause
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
