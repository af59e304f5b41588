"""What a person looks for and decides: messages by a filter, and the last attempt of each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import attempts, events, grants, messages

Picked = tuple[UUID, int]  # a message, and its fence


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which messages; None narrows nothing."""

    mode: str
    channel: str
    status: str
    client_id: UUID | None = None
    provider: str | None = None
    billing_code: str | None = None
    batch_id: UUID | None = None
    why: str | None = None  # of the last attempt: why nobody knows what came of it
    created_after: datetime | None = None  # at or after
    created_before: datetime | None = None  # before


async def find(
    connection: AsyncConnection, message_id: UUID, mode: str, client_id: UUID | None
) -> RowMapping | None:
    """Return a message; of one client, or of any where none is named."""
    own = [messages.c.client_id == client_id] if client_id is not None else []
    found = await connection.execute(
        select(messages).where(messages.c.id == message_id, messages.c.mode == mode, *own)
    )
    return found.mappings().one_or_none()


async def pick(connection: AsyncConnection, selection: Selection, limit: int) -> list[Picked]:
    """Return the messages of a selection, in the order of their ids, up to a limit."""
    c = messages.c
    equal = ("mode", "channel", "status", "client_id", "provider", "billing_code", "batch_id")
    conditions = [
        c[name] == getattr(selection, name)
        for name in equal
        if getattr(selection, name) is not None
    ]
    if selection.created_after is not None:
        conditions.append(c.created_at >= selection.created_after)
    if selection.created_before is not None:
        conditions.append(c.created_at < selection.created_before)
    if selection.why is not None:
        last = and_(attempts.c.message_id == c.id, attempts.c.number == c.attempts)
        conditions.append(exists().where(last, attempts.c.why == selection.why))
    found = await connection.execute(
        select(c.id, c.fence).where(*conditions).order_by(c.id).limit(limit)
    )
    return [(row.id, row.fence) for row in found]


async def last_attempts(
    connection: AsyncConnection, message_ids: Collection[UUID]
) -> dict[UUID, RowMapping]:
    """Return the last attempt of each message that has one."""
    found = await connection.execute(
        select(attempts)
        .join(messages, messages.c.id == attempts.c.message_id)
        .where(attempts.c.message_id.in_(message_ids), attempts.c.number == messages.c.attempts)
    )
    return {row["message_id"]: row for row in found.mappings()}


async def campaigns_of(connection: AsyncConnection, message_ids: Collection[UUID]) -> set[UUID]:
    """Return the campaigns that messages are of."""
    c = messages.c
    found = await connection.execute(
        select(c.campaign_id).where(c.id.in_(message_ids), c.campaign_id.is_not(None)).distinct()
    )
    return set(found.scalars())


async def is_granted(connection: AsyncConnection, attempt_id: UUID) -> bool:
    """Say whether an attempt's document could be fetched at all, by whoever knew its token."""
    found = await connection.execute(
        select(grants.c.attempt_id).where(grants.c.attempt_id == attempt_id)
    )
    return found.first() is not None


async def judge(
    connection: AsyncConnection, attempt_ids: Sequence[UUID], columns: Mapping[str, Any]
) -> None:
    """Write down what a person says became of attempts."""
    await connection.execute(update(attempts).where(attempts.c.id.in_(attempt_ids)).values(columns))


async def last_event(connection: AsyncConnection, message_id: UUID, kind: str) -> RowMapping | None:
    """Return a message's last event of a type."""
    found = await connection.execute(
        select(events)
        .where(events.c.message_id == message_id, events.c.type == kind)
        .order_by(events.c.sequence.desc())
        .limit(1)
    )
    return found.mappings().one_or_none()
