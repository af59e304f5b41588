"""Step 3: learn what became of messages by asking their provider, less and less often."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import carry, retry
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.recipients import learnt, overall
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Channel, Submitted, addresses_of
from app.domain.outcome import ByRecipient, Finding, NoAnswer, NoStatus, NotAskable, Report
from app.domain.status import TRACKED, Status
from app.store import batches, checks, contents, messages, recipients, unmapped
from app.store.messages import Move
from app.store.unmapped import Sighting

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A message, and what its provider said of it."""

    row: RowMapping
    finding: Finding


async def claim(gateway: Gateway, limit: int, *, twins: bool = False) -> Sequence[RowMapping]:
    """Take messages whose status is due to be asked, of providers or of simulated twins."""
    of = carry.names(gateway, twins=twins)
    async with gateway.database.transaction() as connection:
        return await checks.claim(
            connection, of, now=gateway.now(), lease=gateway.timing.lease, limit=limit
        )


async def ask(gateway: Gateway, row: RowMapping) -> Asked:
    """Ask a provider about one message; no transaction is open meanwhile."""
    may_ask = carry.may_carry(gateway, row["provider"], row["mode"])
    if row["provider_message_id"] is None or not may_ask:
        return Asked(row=row, finding=NotAskable())
    channel = Channel(row["channel"])
    submitted = Submitted(
        message_id=row["id"],
        channel=channel,
        provider_message_id=row["provider_message_id"],
        function=row["provider_function"],
        reference=row["attempt_reference"],
        recipients=addresses_of(contents.read(channel, row["content"])),
    )
    finding = await gateway.providers[row["provider"]].ask(submitted)
    return Asked(row=row, finding=finding)


async def record(gateway: Gateway, asked: Sequence[Asked]) -> list[None]:
    """Write down together what was learnt, and when to look again."""
    await gateway.fault_points.reached(Point.ASKED)
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        judged, sightings = await _judge(connection, asked, now)
        everybody = await _with_campaigns(gateway, connection, judged)
        moves = [move for one in everybody if (move := _move(gateway, one, now)) is not None]
        moved = await messages.move(connection, gateway.ids, moves) if moves else []
        await unmapped.count(connection, sightings, now)
        landed = {
            move.message_id: Status(move.to)
            for move, was_moved in zip(moves, moved, strict=True)
            if was_moved and move.to is not None
        }
        looks = [(one, landed.get(one.row["id"], Status(one.row["status"]))) for one in everybody]
        asking = {one.row["id"] for one in judged}
        await messages.note(
            connection,
            {
                one.row["id"]: _next_look(gateway, one, status, now, asks=one.row["id"] in asking)
                for one, status in looks
            },
            # What was sent again meanwhile has another fence, and a time of its own.
            {one.row["id"]: one.row["fence"] for one, _ in looks},
        )
    for one in asked:
        _tell(one)
    return [None] * len(asked)


async def _judge(
    connection: AsyncConnection, asked: Sequence[Asked], now: datetime
) -> tuple[Sequence[Asked], list[Sighting]]:
    """Turn what is known of each recipient of a message into what it makes of the message."""
    several = {one.row["id"]: one.finding for one in asked if isinstance(one.finding, ByRecipient)}
    sightings: list[Sighting] = []
    if not several:
        return asked, sightings
    providers = {one.row["id"]: one.row["provider"] for one in asked}
    standing: dict[UUID, list[RowMapping]] = defaultdict(list)
    for row in await recipients.of_messages(connection, list(several)):
        standing[row["message_id"]].append(row)
    reports: dict[UUID, Finding] = {}
    for message_id, finding in several.items():
        changed = learnt(standing[message_id], finding, now)
        await recipients.change(connection, changed)
        sightings += unmapped.seen(providers[message_id], changed)
        by_place = {row["place"]: row for row in changed}
        after = [by_place.get(row["place"], row) for row in standing[message_id]]
        said = any(isinstance(one, Report) for one in finding.findings.values())
        reports[message_id] = overall(after) if said else next(iter(finding.findings.values()))
    judged = [replace(one, finding=reports.get(one.row["id"], one.finding)) for one in asked]
    return judged, sightings


async def _with_campaigns(
    gateway: Gateway, connection: AsyncConnection, asked: Sequence[Asked]
) -> Sequence[Asked]:
    """Add the members of campaigns whose provider tells one status for all."""
    shared = {
        one.row["campaign_id"]: one
        for one in asked
        if one.row["campaign_id"] is not None
        and not gateway.providers[one.row["provider"]].tells_each(one.row["provider_function"])
    }
    if not shared:
        return asked
    own = {one.row["id"] for one in asked}
    members = await batches.of_campaigns(connection, list(shared))
    return [
        *asked,
        *(
            replace(shared[row["campaign_id"]], row=row)
            for row in members
            if row["id"] not in own
            and row["provider_message_id"] == shared[row["campaign_id"]].row["provider_message_id"]
        ),
    ]


def _move(gateway: Gateway, one: Asked, now: datetime) -> Move | None:
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
                unmapped_in=report.unmapped_in,
                type=None if report.status else "message.status_unmapped",
            )
        case NoStatus() | NoAnswer() | NotAskable() | ByRecipient():
            return _late(gateway, row, now)


def _late(gateway: Gateway, row: RowMapping, now: datetime) -> Move | None:
    """Return the move of a message that waits too long; it holds only if it still does."""
    waiting = Move(
        message_id=row["id"],
        to=None,
        at=now,
        source="worker",
        fence=row["fence"],
        only_from=TRACKED,
    )
    if Status(row["status"]) in TRACKED and _is_past_horizon(row, now):
        late = {"why": "no final status in time"}
        return replace(waiting, to=Status.EXPIRED, detail=late)
    overdue = gateway.overdue_after(row["provider"])
    if overdue is None or row["ack_overdue_at"] is not None or now < _submitted(row) + overdue:
        return None
    return replace(
        waiting,
        type="message.ack_overdue",
        detail={"why": "no acknowledgement in time"},
        changes={"ack_overdue_at": now},
    )


def _next_look(
    gateway: Gateway, one: Asked, status: Status, now: datetime, *, asks: bool
) -> dict[str, Any]:
    """Return when a message is looked at again, and what this look leaves behind."""
    row = one.row
    checks = row["checks"] + 1
    again = retry.look_again(
        Channel(row["channel"]),
        checks,
        now=now,
        pace=gateway.timing.pace,
        submitted=_submitted(row),
        overdue=gateway.overdue_after(row["provider"]),
    )
    # A letter may come back after it was delivered.
    may_change = status in TRACKED or (
        status is Status.DELIVERED
        and row["channel"] == Channel.LETTER
        and not _is_past_horizon(row, now)
    )
    due_at = again if may_change and asks else None
    looked: dict[str, Any] = {"checks": checks, "due_at": due_at}
    if isinstance(one.finding, Report | NoStatus):
        looked["status_checked_at"] = now
    else:
        looked["status_checked_at"] = row["status_checked_at"]
    return looked


def _is_past_horizon(row: RowMapping, now: datetime) -> bool:
    return now >= _submitted(row) + retry.HORIZONS[Channel(row["channel"])]


def _submitted(row: RowMapping) -> datetime:
    submitted: datetime = row["submitted_at"] or row["created_at"]
    return submitted


def _tell(one: Asked) -> None:
    found = {
        name: getattr(one.finding, name)
        for name in ("code", "status", "why")
        if hasattr(one.finding, name)
    }
    if found:
        log.info("status_asked", message_id=shown(MESSAGE, one.row["id"]), **found)
