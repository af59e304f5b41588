"""Counts for people who read them; nothing that sends waits for one."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import messages


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are; not exact where there were more than may be looked at."""

    count: int
    exact: bool


async def submitted_with(
    connection: AsyncConnection,
    client_id: UUID,
    mode: str,
    billing_code: str,
    *,
    provider: str,
    most: int,
) -> Counted:
    """Count a client's messages with a billing code that a provider accepted.

    At most `most` messages with the code are looked at, by its index.
    """
    c = messages.c
    seen = (
        select(c.mode, c.provider, c.submitted_at)
        .where(c.client_id == client_id, c.billing_code == billing_code)
        .limit(most + 1)
        .subquery()
    )
    accepted = (
        (seen.c.mode == mode) & (seen.c.provider == provider) & seen.c.submitted_at.is_not(None)
    )
    found = await connection.execute(
        select(
            func.count().label("looked_at"), func.count(case((accepted, 1))).label("accepted")
        ).select_from(seen)
    )
    row = found.one()
    return Counted(row.accepted, row.looked_at <= most)
