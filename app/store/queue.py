"""The queue, which is the message table: the only place that claims.

A claim raises the message's fence and writes the attempt, and is committed before any byte leaves.
Whoever writes an outcome names the fence that its claim gave; a later claim makes it worthless.
A lease that runs out while the attempt is open means that the process died or hangs, perhaps after
it sent: such a message becomes `uncertain` and is never queued again by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, insert, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.domain.status import Status
from app.store.messages import Move, event_row, move
from app.store.tables import attempts, events, messages

# The words of the partial indexes, as literals: a prepared plan could not use them otherwise.
_WAITING: Final[ColumnElement[bool]] = literal_column("status IN ('queued', 'scheduled')")
_TRACKED: Final[ColumnElement[bool]] = literal_column(
    "status IN ('submitted', 'sent', 'delivered')"
)
_LEASED: Final[ColumnElement[bool]] = literal_column("status = 'submitting'")
GRACE: Final = timedelta(seconds=30)  # after a lease's end, before it counts as lost


@dataclass(frozen=True, slots=True)
class Claim:
    """A message in a worker's hands: the row, and the attempt written for it."""

    row: RowMapping
    attempt_id: UUID
    reference: str

    @property
    def message_id(self) -> UUID:
        """The message's id."""
        return self.row["id"]  # type: ignore[no-any-return]

    @property
    def fence(self) -> int:
        """What guards the outcome."""
        return self.row["fence"]  # type: ignore[no-any-return]


async def claim(
    connection: AsyncConnection,
    ids: Identifiers,
    channel: Channel,
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
) -> list[Claim]:
    """Take due messages of a channel, each with a new attempt."""
    c = messages.c
    due = (
        select(c.id)
        .where(
            _WAITING,
            c.channel == channel.value,
            c.due_at <= now,
            or_(c.expires_at.is_(None), c.expires_at > now),
        )
        .order_by(c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = await connection.execute(
        update(messages)
        .where(c.id.in_(select(due.c.id)))
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
        )
        .returning(messages)
    )
    claims = [Claim(row, ids.new(), ids.reference()) for row in taken.mappings()]
    if claims:
        await connection.execute(insert(attempts), [_attempt(held, now) for held in claims])
        await connection.execute(insert(events), [_claimed(ids, held, now) for held in claims])
    return claims


def _attempt(held: Claim, now: datetime) -> dict[str, Any]:
    return {
        "id": held.attempt_id,
        "message_id": held.message_id,
        "number": held.row["attempts"],
        "reference": held.reference,
        "provider": held.row["provider"],
        "fence": held.fence,
        "started_at": now,
    }


def _claimed(ids: Identifiers, held: Claim, now: datetime) -> dict[str, Any]:
    return event_row(
        ids,
        held.message_id,
        held.row["sequence"],
        held.row["previous_status"],
        Status.SUBMITTING.value,
        at=now,
        source="worker",
        detail={"attempt": held.row["attempts"], "attempt_reference": held.reference},
    )


async def claim_checks(
    connection: AsyncConnection, *, now: datetime, lease: timedelta, limit: int
) -> Sequence[RowMapping]:
    """Take messages whose status is due to be asked; another worker leaves them alone for a lease.

    Asking twice does no harm, so no fence is needed.
    """
    c = messages.c
    due = (
        select(c.id)
        .where(_TRACKED, c.due_at <= now)
        .order_by(c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = await connection.execute(
        update(messages)
        .where(c.id.in_(select(due.c.id)))
        .values(due_at=now + lease)
        .returning(messages)
    )
    rows: Sequence[RowMapping] = taken.mappings().all()
    return rows


async def lose_leases(
    connection: AsyncConnection, ids: Identifiers, *, now: datetime, limit: int = 100
) -> Sequence[RowMapping]:
    """Make messages uncertain whose worker let its lease run out; return their open attempts."""
    c = messages.c
    found = await connection.execute(
        select(c.id)
        .where(_LEASED, c.lease_until < now - GRACE)
        .order_by(c.lease_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    lost = list(found.scalars())
    if not lost:
        return []
    await move(connection, ids, [_lost(message_id, now) for message_id in lost])
    closed = await connection.execute(
        update(attempts)
        .where(attempts.c.message_id.in_(lost), attempts.c.ended_at.is_(None))
        .values(ended_at=now, outcome="unclear", why="lease_expired")
        .returning(attempts)
    )
    rows: Sequence[RowMapping] = closed.mappings().all()
    return rows


def _lost(message_id: UUID, now: datetime) -> Move:
    return Move(
        message_id=message_id,
        to=Status.UNCERTAIN,
        at=now,
        source="worker",
        raise_fence=True,
        detail={"why": "lease_expired"},
        changes={"lease_until": None, "due_at": None},
    )


async def expire(
    connection: AsyncConnection, ids: Identifiers, *, now: datetime, limit: int = 100
) -> list[UUID]:
    """Expire messages that nobody sent before their `expires_at`."""
    c = messages.c
    found = await connection.execute(
        select(c.id)
        .where(_WAITING, c.expires_at <= now)
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
