"""Step 3: learn what became of messages by asking their provider, less and less often."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import RowMapping

from app.delivery import retry
from app.delivery.gateway import Gateway
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Channel, Submitted
from app.domain.outcome import Finding, NoAnswer, NoStatus, NotAskable, Report
from app.domain.status import TRACKED, Status
from app.store import messages, queue
from app.store.messages import Move

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A message, and what its provider said of it."""

    row: RowMapping
    finding: Finding


async def claim(gateway: Gateway, limit: int) -> Sequence[RowMapping]:
    """Take messages whose status is due to be asked."""
    async with gateway.database.transaction() as connection:
        return await queue.claim_checks(
            connection, now=gateway.now(), lease=gateway.timing.lease, limit=limit
        )


async def ask(gateway: Gateway, row: RowMapping) -> Asked:
    """Ask a provider about one message; no transaction is open meanwhile."""
    if row["provider_message_id"] is None:
        return Asked(row=row, finding=NotAskable())
    submitted = Submitted(
        message_id=row["id"],
        channel=Channel(row["channel"]),
        provider_message_id=row["provider_message_id"],
    )
    finding = await gateway.providers[row["provider"]].ask(submitted)
    return Asked(row=row, finding=finding)


async def record(gateway: Gateway, asked: Sequence[Asked]) -> list[None]:
    """Write down together what was learnt, and when to look again."""
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        moves = [move for one in asked if (move := _move(one, now)) is not None]
        moved = await messages.move(connection, gateway.ids, moves) if moves else []
        landed = {
            move.message_id: Status(move.to)
            for move, was_moved in zip(moves, moved, strict=True)
            if was_moved and move.to is not None
        }
        await messages.note(
            connection,
            {
                one.row["id"]: _next_look(
                    gateway, one, landed.get(one.row["id"], Status(one.row["status"])), now
                )
                for one in asked
            },
        )
    for one in asked:
        _tell(one)
    return [None] * len(asked)


def _move(one: Asked, now: datetime) -> Move | None:
    """Return the move that a finding means; None where it is no news."""
    row = one.row
    move = Move(message_id=row["id"], to=None, at=now, source="provider_status", evidence=True)
    match one.finding:
        case Report() as report:
            # What a provider repeats is no news.
            if report.code == row["provider_code"] and report.status in {None, row["status"]}:
                return None
            if report.status == row["status"]:
                return replace(
                    move, type="message.status_detail", code=report.code, label=report.label
                )
            return replace(
                move,
                to=report.status,
                code=report.code,
                label=report.label,
                occurred=report.occurred,
                failure=report.failure,
                type=None if report.status else "message.status_unmapped",
            )
        case NoStatus() | NoAnswer() | NotAskable():
            if Status(row["status"]) in TRACKED and _is_past_horizon(row, now):
                late = {"why": "no final status in time"}
                return replace(move, to=Status.EXPIRED, source="worker", detail=late)
            return None


def _next_look(gateway: Gateway, one: Asked, status: Status, now: datetime) -> dict[str, Any]:
    """Return when a message is looked at again, and what this look leaves behind."""
    row = one.row
    checks = row["checks"] + 1
    interval = gateway.timing.pace * retry.interval(Channel(row["channel"]), checks)
    # A letter may come back after it was delivered.
    may_change = status in TRACKED or (
        status is Status.DELIVERED
        and row["channel"] == Channel.LETTER
        and not _is_past_horizon(row, now)
    )
    looked: dict[str, Any] = {"checks": checks, "due_at": now + interval if may_change else None}
    if isinstance(one.finding, Report | NoStatus):
        looked["status_checked_at"] = now
    else:
        looked["status_checked_at"] = row["status_checked_at"]
    return looked


def _is_past_horizon(row: RowMapping, now: datetime) -> bool:
    submitted: datetime = row["submitted_at"] or row["created_at"]
    return now >= submitted + retry.HORIZONS[Channel(row["channel"])]


def _tell(one: Asked) -> None:
    found = {
        name: getattr(one.finding, name)
        for name in ("code", "status", "why")
        if hasattr(one.finding, name)
    }
    if found:
        log.info("status_asked", message_id=shown(MESSAGE, one.row["id"]), **found)
