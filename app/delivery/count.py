"""Count what a provider took under a slot's code: evidence for text messages.

They carry no reference of ours. One that is sent alone under a billing code is told by how many were submitted under that code: one
more than before, or as many. Two counts must say the same; any other count than those two says
that somebody else uses the code, and then it tells nothing of this message any more.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.conclude import Ended
from app.delivery.gateway import Gateway
from app.delivery.match import Case
from app.domain.evidence import Absent, Declined, Found, Inconclusive, Verdict
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Channel
from app.domain.outcome import Accepted, Told, Unclear, Wrong
from app.store import slots
from app.store.uncertain import PROVEN

log = structlog.get_logger()

FUNCTION: Final = "COMPTE_SOUMIS_CODE_FACTURATION"
SETTLES: Final = 3  # a part of the time that a report needs: so long after an attempt it is counted
APART: Final = timedelta(seconds=60)  # two counts of one attempt, at least
TOGETHER: Final = 8  # counts at once
AFTER_A_FAULT: Final = 30.0  # seconds until free slots are counted again


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What counting told of an uncertain message."""

    verdict: Found | Absent | None = None
    again: datetime | None = None  # when it may tell more
    noted: tuple[int | None, datetime] | None = None  # what the slot keeps, and since when


async def prepare(gateway: Gateway) -> bool:
    """Count the free slots whose counts nobody knows, those that due messages need among them.

    False where the provider did not answer. No transaction is open meanwhile.
    """
    now, everything = gateway.now(), True
    settled = now - gateway.timing.settle / SETTLES
    for provider, most in gateway.slots.items():
        if not most:
            continue
        async with gateway.database.reading() as connection:
            wanted = await slots.wanted(connection, provider, most, now)
            left = await slots.left(connection, settled)
        if wanted or left:
            async with gateway.database.transaction() as connection:
                await slots.release(connection, dict.fromkeys(left), now)
                await slots.add(connection, provider, wanted, now)
        async with gateway.database.reading() as connection:
            free = await slots.uncounted(connection, provider, TOGETHER)
        counts = await asyncio.gather(
            # A code that it refuses to count, it refuses to send under: that may be told.
            *(_ask(gateway, provider, one["code"], refused=0) for one in free)
        )
        everything &= None not in counts
        if free:
            async with gateway.database.transaction() as connection:
                for one, count in zip(free, counts, strict=True):
                    if count is not None:
                        await slots.learn(connection, one, count, gateway.now())
            gateway.wake.call(Channel.SMS)
    return everything


async def _ask(
    gateway: Gateway, provider: str, code: str, *, refused: int | None = None
) -> int | None:
    """Return how many messages a provider took under a code; None where it did not tell.

    `refused`: what stands for the count where the code itself is refused.
    """
    told = await gateway.desks[provider].consult(FUNCTION, {"CODE_FACTURATION": code})
    if isinstance(told, Told) and isinstance(told.value, str):
        return int(told.value)
    log.warning("slot_not_counted", provider=provider, answer=type(told).__name__.casefold())
    return refused if isinstance(told, Wrong) else None


async def record(
    connection: AsyncConnection, ended: Sequence[Ended], moved: Sequence[bool], now: datetime
) -> None:
    """Free the slots of calls whose outcomes stand; that of an unclear one waits for a verdict."""
    counts = {
        one.held.claim.attempt_id: slot.expected + isinstance(one.outcome, Accepted)
        for one, was_moved in zip(ended, moved, strict=True)
        if (slot := one.held.claim.slot) and was_moved and not isinstance(one.outcome, Unclear)
    }
    await slots.release(connection, counts, now)


async def look(gateway: Gateway, cases: Sequence[Case]) -> Mapping[UUID, Counted]:
    """Count under the codes of uncertain messages, where it is time; at most once each."""
    those = [one for one in cases if one.last["slot_code"] and one.row["blocked_reason"] != PROVEN]
    if not those:
        return {}
    async with gateway.database.reading() as connection:
        held = await slots.held(connection, [one.last["id"] for one in those])
    those = [one for one in those if one.last["id"] in held and one.last["ended_at"] is not None]
    found: dict[UUID, Counted] = {}
    for start in range(0, len(those), TOGETHER):
        some = those[start : start + TOGETHER]
        counted = await asyncio.gather(
            *(_count(gateway, one, held[one.last["id"]]) for one in some)
        )
        found |= {one.row["id"]: told for one, told in zip(some, counted, strict=True)}
    return found


async def _count(gateway: Gateway, case: Case, slot: RowMapping) -> Counted:
    settled = case.last["ended_at"] + gateway.timing.settle / SETTLES
    before, apart = case.last["expected"], gateway.timing.pace * APART
    if slot["expected"] is None:
        return Counted()  # others use the code
    first = slot["expected"] if slot["changed_at"] >= settled else None
    due_at = settled if first is None else slot["changed_at"] + apart
    if gateway.now() < due_at:
        return Counted(again=due_at)
    count, now = await _ask(gateway, case.row["provider"], slot["code"]), gateway.now()
    if count is None:
        return Counted()
    if count not in {before, before + 1} or first not in {None, count}:
        log.error(
            "slot_code_used_by_others",
            message_id=shown(MESSAGE, case.row["id"]),
            attempt_reference=case.last["reference"],
            expected=before,
            counted=count,
        )
        return Counted(noted=(None, now))
    if first is None:
        return Counted(again=now + apart, noted=(count, now))
    return Counted(verdict=Absent(by="count") if count == before else Found(by="count"))


def agree(case: Case, other: Verdict | None, counted: Counted | None) -> Verdict | None:
    """Return what counting and the other evidence say together; None where neither says anything.

    What the provider answered itself, too late, stands alone.
    """
    if counted is None or getattr(other, "by", None) == "late_answer":
        return other
    if isinstance(other, Found | Absent):
        if counted.verdict is None or type(counted.verdict) is type(other):
            return other
        log.error(
            "evidence_contradictory",
            message_id=shown(MESSAGE, case.row["id"]),
            attempt_reference=case.last["reference"],
            by=(other.by, counted.verdict.by),
        )
        return Inconclusive("the report and the count contradict each other")
    if counted.verdict is not None:
        return counted.verdict
    if isinstance(other, Inconclusive) and counted.again is not None:
        return replace(other, lasting=False, again=counted.again)
    return other


async def write(
    connection: AsyncConnection,
    case: Case,
    judged: Verdict | None,
    counted: Counted | None,
    now: datetime,
) -> None:
    """Free the slot of a message that is settled; keep what was counted of one that is not."""
    last = case.last
    if last["slot_code"] is None:
        return
    if isinstance(judged, Found | Absent | Declined):
        count = _counts_now(case, judged, counted)
        await slots.release(connection, {last["id"]: count}, now)
    elif counted is not None and counted.noted is not None:
        await slots.note(connection, last["id"], *counted.noted)


def _counts_now(
    case: Case, judged: Found | Absent | Declined, counted: Counted | None
) -> int | None:
    """Return what the provider counts under a settled message's slot; None where nobody knows."""
    if counted is not None and counted.noted is not None and counted.noted[0] is None:
        return None  # others use the code
    if isinstance(judged, Found) and judged.by != "count" and len(case.in_doubt) > 1:
        return None  # another of its attempts may be the one that was sent
    before: int = case.last["expected"]
    return before + isinstance(judged, Found)
