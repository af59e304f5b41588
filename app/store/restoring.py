"""The messages that a restore concerns."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import slots
from app.store.queue import WAITING
from app.store.tables import messages

Id = UUID
HOLD: Final = "hold"  # of `on_uncertain`
_HELD: Final[ColumnElement[bool]] = and_(
    messages.c.status == "held", messages.c.blocked_reason == "restore"
)


async def waiting(connection: AsyncConnection, since: datetime, limit: int) -> Sequence[Id]:
    """Lock messages that waited before a moment, and return their ids."""
    found = await connection.execute(
        select(messages.c.id)
        .where(WAITING, messages.c.created_at <= since)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.scalars().all()


async def held(connection: AsyncConnection, limit: int) -> Sequence[Id]:
    """Lock messages that a restore holds, and return their ids."""
    found = await connection.execute(
        select(messages.c.id).where(_HELD).limit(limit).with_for_update(skip_locked=True)
    )
    return found.scalars().all()


async def never_retry_uncertain(connection: AsyncConnection) -> None:
    """Keep uncertain messages from being queued by evidence.

    What proves that one attempt was not sent says nothing of another, made after the backup.
    """
    await connection.execute(
        update(messages).where(messages.c.status == "uncertain").values(on_uncertain=HOLD)
    )
    await slots.forget_counts(connection)
