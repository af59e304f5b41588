"""Batches: many messages that were accepted at once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.reading import with_channel
from app.store.tables import batches, messages


async def add(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new batches."""
    if rows:
        await connection.execute(insert(batches), [dict(row) for row in rows])


async def find(
    connection: AsyncConnection, batch_id: UUID, client_id: UUID, mode: str
) -> RowMapping | None:
    """Return a client's batch, None where there is none or it is another's."""
    found = await connection.execute(
        select(batches).where(
            batches.c.id == batch_id, batches.c.client_id == client_id, batches.c.mode == mode
        )
    )
    return found.mappings().one_or_none()


async def counts(connection: AsyncConnection, batch_id: UUID) -> dict[str, int]:
    """Return how many of a batch's messages have each status."""
    found = await connection.execute(
        select(messages.c.status, func.count())
        .where(messages.c.batch_id == batch_id)
        .group_by(messages.c.status)
    )
    return {row[0]: row[1] for row in found}


async def members(
    connection: AsyncConnection,
    batch_id: UUID,
    status: str | None,
    *,
    limit: int,
    after: UUID | None,
) -> Sequence[RowMapping]:
    """Return up to `limit` of a batch's messages, in the order given, that follow the one named."""
    query = with_channel().where(messages.c.batch_id == batch_id)
    if status is not None:
        query = query.where(messages.c.status == status)
    if after is not None:
        query = query.where(messages.c.id > after)
    found = await connection.execute(query.order_by(messages.c.id).limit(limit))
    rows: Sequence[RowMapping] = found.mappings().all()
    return rows


async def last(
    connection: AsyncConnection,
    batch_id: UUID,
    statuses: Collection[str],
    *,
    limit: int,
    before: UUID | None,
) -> list[UUID]:
    """Return the ids of a batch's last messages, before the one named, that have some status."""
    query = select(messages.c.id).where(
        messages.c.batch_id == batch_id, messages.c.status.in_(statuses)
    )
    if before is not None:
        query = query.where(messages.c.id < before)
    found = await connection.execute(query.order_by(messages.c.id.desc()).limit(limit))
    return list(found.scalars())


async def lock(
    connection: AsyncConnection, message_ids: Collection[UUID], statuses: Collection[str]
) -> list[UUID]:
    """Lock those of some messages that have one of some statuses, and return their ids."""
    found = await connection.execute(
        select(messages.c.id)
        .where(messages.c.id.in_(message_ids), messages.c.status.in_(statuses))
        .order_by(messages.c.id)
        .with_for_update()
    )
    return list(found.scalars())


async def of_campaigns(
    connection: AsyncConnection, campaign_ids: Sequence[UUID]
) -> Sequence[RowMapping]:
    """Return the messages that left together."""
    found = await connection.execute(
        select(messages).where(messages.c.campaign_id.in_(campaign_ids)).order_by(messages.c.id)
    )
    return found.mappings().all()
