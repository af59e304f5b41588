"""The queue, which is the message table: the only place that claims.

A claim raises the message's fence and writes the attempt, and is committed before any byte leaves.
Whoever writes an outcome names the fence that its claim gave; a later claim makes it worthless.
A lease that runs out while the attempt is open means that the process died or hangs, perhaps after
it sent: such a message becomes `uncertain` and is never queued again by itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.domain.status import Status
from app.store import counters, incarnation, many, slots
from app.store.events import event_row
from app.store.messages import Move, move
from app.store.slots import Slot
from app.store.tables import attempts, events, messages

# The words of the partial indexes, as literals: a prepared plan could not use them otherwise.
WAITING: Final[ColumnElement[bool]] = literal_column("status IN ('queued', 'scheduled')")
_LEASED: Final[ColumnElement[bool]] = literal_column("status = 'submitting'")
# What is needed of a message to call for it, and to write down what came of that.
CLAIMED: Final = [
    messages.c[name]
    for name in (
        *("id", "client_id", "mode", "channel", "provider", "campaign_id", "billing_code"),
        *("content", "size", "status", "previous_status", "fence", "sequence", "attempts"),
    )
]
GRACE: Final = timedelta(seconds=30)  # after a lease's end, before it counts as lost


@dataclass(slots=True)  # not frozen: that costs more than to make one
class Claim:
    """A message in a worker's hands: the row, and the attempt written for it."""

    row: RowMapping | Mapping[str, Any]
    attempt_id: UUID
    reference: str
    follows: bool = False  # another message of its campaign is the one that was due
    slot: Slot | None = None  # under whose code it is sent

    @property
    def message_id(self) -> UUID:
        """The message's id."""
        return self.row["id"]  # type: ignore[no-any-return]

    @property
    def fence(self) -> int:
        """What guards the outcome."""
        return self.row["fence"]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be claimed, of which providers, and of which of those nothing."""

    limit: int
    shut: Collection[str] = ()
    slots: int = 0  # of each billing code; 0: messages are sent without any
    of: Collection[str] | None = None  # None: of every provider


async def claim(
    connection: AsyncConnection,
    ids: Identifiers,
    channel: Channel,
    room: Room,
    *,
    now: datetime,
    lease: timedelta,
) -> list[Claim]:
    """Take due messages of a channel, each with a new attempt; a campaign's all at once.

    Messages of a provider that is shut stay, and all of a store that was restored.
    """
    if room.limit <= 0:
        return []
    c = messages.c
    due = (
        select(c.id, c.provider, c.billing_code)
        .where(
            WAITING,
            ~incarnation.shut(connection),
            c.channel == channel.value,
            c.due_at <= now,
            or_(c.expires_at.is_(None), c.expires_at > now),
            *([c.provider.in_(sorted(room.of))] if room.of is not None else []),
            *([c.provider.not_in(room.shut)] if room.shut else []),
            *([slots.fits(room.slots)] if room.slots else []),
        )
        .order_by(c.due_at)
        .limit(room.limit)
        .with_for_update(skip_locked=True)
    )
    given = await slots.reserve(connection, due, room.slots) if room.slots else {}
    which = list(given) if room.slots else select(due.cte("due").c.id)
    taken = await _take(connection, c.id.in_(which), now=now, lease=lease)
    campaigns = {row["campaign_id"] for row in taken} - {None}
    followers: Sequence[RowMapping] = ()
    if campaigns:
        waiting = and_(c.campaign_id.in_(campaigns), WAITING)
        followers = await _take(connection, waiting, now=now, lease=lease)
    new = iter(ids.many(len(taken) + len(followers)))
    claims = [Claim(row, next(new), ids.reference(), slot=given.get(row["id"])) for row in taken]
    claims += [Claim(row, next(new), ids.reference(), follows=True) for row in followers]
    if claims:
        await many.add(connection, attempts, [_attempt(held, now) for held in claims])
        await many.add(connection, events, [_claimed(ids, held, now) for held in claims])
        await slots.hold(connection, {one.attempt_id: one.slot for one in claims}, now)
        await incarnation.count_claims(connection)
    return claims


async def _take(
    connection: AsyncConnection, which: ColumnElement[bool], *, now: datetime, lease: timedelta
) -> Sequence[RowMapping]:
    c = messages.c
    taken = await connection.execute(
        update(messages)
        .where(which)
        .values(
            status=Status.SUBMITTING.value,
            previous_status=c.status,
            status_at=now,
            status_source="worker",
            fence=c.fence + 1,
            attempts=c.attempts + 1,
            sequence=c.sequence + 1,
            lease_until=now + lease,
            due_at=None,
            blocked_reason=None,
        )
        .returning(*CLAIMED)
    )
    rows: Sequence[RowMapping] = taken.mappings().all()
    counters.claimed(connection, rows)
    return rows


def _attempt(held: Claim, now: datetime) -> dict[str, Any]:
    return {
        "id": held.attempt_id,
        "message_id": held.message_id,
        "number": held.row["attempts"],
        "reference": held.reference,
        "provider": held.row["provider"],
        "fence": held.fence,
        "started_at": now,
        "slot_code": held.slot and held.slot.code,
        "expected": held.slot and held.slot.expected,
    }


def _claimed(ids: Identifiers, held: Claim, now: datetime) -> dict[str, Any]:
    return event_row(
        ids,
        held.row,
        held.row["sequence"],
        held.row["previous_status"],
        Status.SUBMITTING.value,
        at=now,
        source="worker",
        detail={"attempt": held.row["attempts"], "attempt_reference": held.reference},
    )


async def lose_leases(
    connection: AsyncConnection,
    ids: Identifiers,
    *,
    now: datetime,
    grace: timedelta = GRACE,
    limit: int = 100,
    look_at: datetime | None = None,
) -> Sequence[RowMapping]:
    """Make messages uncertain whose worker let its lease run out; return their open attempts.

    `look_at`: when evidence is looked for first; None: at once.
    """
    c = messages.c
    found = await connection.execute(
        select(c.id)
        .where(_LEASED, c.lease_until < now - grace)
        .order_by(c.lease_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    lost = list(found.scalars())
    if not lost:
        return []
    await move(connection, ids, [_lost(message_id, now, look_at or now) for message_id in lost])
    closed = await connection.execute(
        update(attempts)
        .where(attempts.c.message_id.in_(lost), attempts.c.ended_at.is_(None))
        .values(ended_at=now, outcome="unclear", why="lease_expired")
        .returning(attempts)
    )
    rows: Sequence[RowMapping] = closed.mappings().all()
    return rows


def _lost(message_id: UUID, now: datetime, look_at: datetime) -> Move:
    return Move(
        message_id=message_id,
        to=Status.UNCERTAIN,
        at=now,
        source="worker",
        raise_fence=True,
        detail={"why": "lease_expired"},
        changes={"lease_until": None, "due_at": look_at, "checks": 0},
    )


async def expire(
    connection: AsyncConnection, ids: Identifiers, *, now: datetime, limit: int = 100
) -> list[UUID]:
    """Expire messages that nobody sent before their `expires_at`."""
    c = messages.c
    found = await connection.execute(
        select(c.id)
        .where(WAITING, c.expires_at <= now)
        .order_by(c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    late = list(found.scalars())
    steps = [
        Move(
            message_id=message_id,
            to=Status.EXPIRED,
            at=now,
            source="worker",
            detail={"why": "expires_at"},
            changes={"due_at": None, "blocked_reason": None},
        )
        for message_id in late
    ]
    if steps:
        await move(connection, ids, steps)
    return late
