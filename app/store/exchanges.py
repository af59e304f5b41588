"""What the store keeps of the calls for a message: attempts, fetches, acknowledgements."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import acknowledgements, attempts, grants


async def attempts_of(connection: AsyncConnection, message_id: UUID) -> Sequence[RowMapping]:
    """Return a message's attempts, first to last, each with the fetches of its document."""
    found = await connection.execute(
        select(
            attempts,
            func.sum(grants.c.fetches).label("fetches"),
            func.max(grants.c.fetched_at).label("fetched_at"),
        )
        .outerjoin(grants, grants.c.attempt_id == attempts.c.id)
        .where(attempts.c.message_id == message_id)
        .group_by(attempts.c.id)
        .order_by(attempts.c.number)
    )
    return found.mappings().all()


async def acknowledged(
    connection: AsyncConnection, tried: Sequence[Mapping[str, Any] | RowMapping]
) -> Sequence[RowMapping]:
    """Return what providers acknowledged of attempts, in the order in which it came."""
    names = {
        name for one in tried for name in (one["reference"], one["provider_message_id"]) if name
    }
    c = acknowledgements.c
    found = await connection.execute(
        select(acknowledgements)
        # By the reference, which has an index; one that names another attempt is not taken.
        .where(c.reference.in_(names), c.attempt_id.in_([one["id"] for one in tried]))
        .order_by(c.received_at, c.id)
    )
    return found.mappings().all()
