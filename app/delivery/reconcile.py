"""Step 4: settle what is uncertain by evidence: late answers, the provider's report, our own log.

Looked at ever less often; a report serves everything that is uncertain at its provider. No
transaction is open while it is read. A verdict is written only where the message still stands
uncertain, under the same fence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import brake, carry, count
from app.delivery.count import Counted
from app.delivery.decide import Decision, decide
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.match import BEFORE, Case, verdict
from app.delivery.remember import remember
from app.domain.evidence import (
    Absent,
    Declined,
    Found,
    Inconclusive,
    NoReport,
    Verdict,
)
from app.domain.identifiers import MESSAGE, shown
from app.domain.outcome import Failure
from app.domain.status import Status
from app.store import campaigns, messages, uncertain
from app.store.uncertain import PROVEN

log = structlog.get_logger()

EVERY: Final = timedelta(minutes=5)  # between two reports of one provider, at least
BATCH: Final = 200  # messages at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Uncertain messages in a worker's hands."""

    rows: Sequence[RowMapping]
    turns: Sequence[str] = ()  # providers whose report it may ask for
    waits: Mapping[str, datetime] = field(default_factory=dict)  # others: when it may


async def claim(gateway: Gateway, *, twins: bool = False) -> Taken:
    """Take messages that are due, and the turn to ask for their providers' reports.

    Those of simulated `twins` are taken apart.
    """
    await brake.release(gateway)
    of = sorted(carry.names(gateway, twins=twins))
    now, timing = gateway.now(), gateway.timing
    every, leased_until = timing.pace * EVERY, now + timing.lease
    async with gateway.database.transaction() as connection:
        rows = list(
            await uncertain.claim(
                connection, due_by=now, leased_until=leased_until, limit=BATCH, providers=of
            )
        )
        wanted = {
            row["provider"]
            for row in rows
            if row["provider"] in gateway.evidence
            and row["blocked_reason"] != PROVEN
            and carry.may_carry(gateway, row["provider"], row["mode"])
        }
        waits: dict[str, datetime] = {}
        turns: list[str] = []
        for provider in sorted(wanted):
            again = await uncertain.take_turn(connection, f"{provider}:report"[:32], now, every)
            if again is None:
                turns.append(provider)
            else:
                waits[provider] = again
        if turns:
            # What would be due before there is another report is looked at in this one.
            rows += await uncertain.claim(
                connection,
                due_by=now + every,
                leased_until=leased_until,
                limit=BATCH,
                providers=turns,
                besides=[row["id"] for row in rows],
            )
    return Taken(rows=rows, turns=turns, waits=waits)


async def settle(gateway: Gateway, taken: Taken) -> None:
    """Look at messages, and write down what is known of each."""
    async with gateway.database.reading() as connection:
        attempts = await uncertain.tries(connection, [row["id"] for row in taken.rows])
    cases = [Case(row, attempts[row["id"]]) for row in taken.rows if row["id"] in attempts]
    askable = [
        one for one in cases if carry.may_carry(gateway, one.row["provider"], one.row["mode"])
    ]
    found: dict[UUID, Verdict] = {}
    for provider in taken.turns:
        those = [one for one in askable if one.row["provider"] == provider]
        if those:
            found |= await _by_report(gateway, provider, those)
    counted = await count.look(gateway, askable)
    for case in cases:
        message_id = case.row["id"]
        told = found.get(message_id), counted.get(message_id)
        await _settle_one(gateway, case, *told, taken.waits)
    await brake.release(gateway)


async def _by_report(
    gateway: Gateway, provider: str, cases: Sequence[Case]
) -> Mapping[UUID, Verdict]:
    """Return what a provider's report says of messages."""
    since = min(one.began for one in cases) - BEFORE
    report = await gateway.evidence[provider].report(since, gateway.now())
    if isinstance(report, NoReport):
        log.warning("no_report", provider=provider, why=report.why, uncertain=len(cases))
        missing = Inconclusive(report.why, lasting=report.lasting)
        return {one.row["id"]: missing for one in cases}
    async with gateway.database.reading() as connection:
        context = await remember(connection, provider, report, cases)
    return {one.row["id"]: verdict(one, report, context, gateway.timing.settle) for one in cases}


async def _settle_one(
    gateway: Gateway,
    case: Case,
    found: Verdict | None,
    counted: Counted | None,
    waits: Mapping[str, datetime],
) -> None:
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        campaign = {case.row["campaign_id"]} - {None}
        locked, due = await campaigns.lock(connection, {case.row["id"]}, campaign)
        row = locked[case.row["id"]]
        if row["status"] != Status.UNCERTAIN or row["fence"] != case.row["fence"]:
            return
        case = Case(row, (await uncertain.tries(connection, [row["id"]]))[row["id"]])
        judged = await _at_hand(gateway, connection, case, now) or found
        judged = count.agree(case, judged, counted)
        await count.write(connection, case, judged, counted, now)
        if judged is None:
            again = waits.get(row["provider"], now + gateway.timing.pace * EVERY)
            if counted is not None and counted.again is not None:
                again = min(again, counted.again)
            await messages.note(connection, {row["id"]: {"due_at": again}}, _fence(row))
            return
        decision = decide(gateway, case, judged, now)
        await _write(gateway, connection, case, decision)
        await campaigns.pass_on(connection, due, now)
        await gateway.fault_points.reached(Point.RECONCILING)
    _tell(case, judged, decision)


async def _at_hand(
    gateway: Gateway, connection: AsyncConnection, case: Case, now: datetime
) -> Verdict | None:
    """Return what our own store proves; None where a report is needed."""
    if (late := _late(case)) is not None:
        return late
    if case.row["blocked_reason"] == PROVEN:
        return Absent(by="report")
    provider = gateway.providers[case.row["provider"]]
    if not carry.may_carry(gateway, provider.name, case.row["mode"]):
        return Inconclusive("a message of its mode must not reach the provider", lasting=True)
    if provider.fetches_document:
        if await uncertain.revoke_unfetched(connection, case.last["id"], now):
            return Absent(by="document_never_fetched", complete=True)
        return Inconclusive("the document was fetched: only an acknowledgement can tell")
    if case.row["provider"] not in gateway.evidence:
        return Inconclusive("the provider has nothing that could tell", lasting=True)
    return None


def _late(case: Case) -> Verdict | None:
    """Return what an answer says that came when the lease was another's already."""
    for attempt in reversed(case.attempts):
        late = attempt["late"]
        if late and late["outcome"] == "accepted":
            return Found(by="late_answer", provider_message_id=late["provider_message_id"])
    late = case.last["late"]
    match late and late["outcome"]:
        case "refused":
            failure = Failure(
                type="permanent",
                reason=late["why"] or "policy",
                retryable=False,
                provider_code=late["code"],
                label=late["words"],
            )
            return Declined(failure)
        case "deferred" | "blocked":
            return Absent(by="late_answer", complete=True)
        case _:
            return None


async def _write(
    gateway: Gateway, connection: AsyncConnection, case: Case, decision: Decision
) -> None:
    if decision.attempt:
        await uncertain.change(connection, case.last["id"], **decision.attempt)
    if decision.move is not None:
        await messages.move(connection, gateway.ids, [decision.move])
    if decision.note:
        await messages.note(connection, {case.row["id"]: decision.note}, _fence(case.row))


def _fence(row: RowMapping) -> dict[UUID, int]:
    return {row["id"]: row["fence"]}


def _tell(case: Case, judged: Verdict, decision: Decision) -> None:
    named = {
        "message_id": shown(MESSAGE, case.row["id"]),
        "attempt_reference": case.last["reference"],
    }
    if isinstance(judged, Found) and judged.copies > 1:
        log.error("duplicate_detected", copies=judged.copies, **named)
    log.info(
        "reconciled" if decision.move is not None else "still_uncertain",
        verdict=type(judged).__name__.casefold(),
        by=getattr(judged, "by", None),
        why=getattr(judged, "why", None),
        to=decision.move.to if decision.move is not None else None,
        **named,
    )
