"""Messages whose provider is due to be asked what became of them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, RowMapping, and_, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import messages

# The words of the partial index, as literals: a prepared plan could not use it otherwise.
TRACKED: Final[ColumnElement[bool]] = literal_column("status IN ('submitted', 'sent', 'delivered')")


async def claim(
    connection: AsyncConnection,
    providers: Collection[str],
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
) -> Sequence[RowMapping]:
    """Take messages of some providers whose status is due to be asked.

    Another worker leaves them alone for a lease. Asking twice does no harm: no fence is needed.
    """
    c = messages.c
    due = (
        select(c.id)
        .where(TRACKED, c.due_at <= now, c.provider.in_(sorted(providers)))
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


async def hasten(connection: AsyncConnection, row: RowMapping, now: datetime) -> None:
    """Make a message due to be asked about now, or the one that is asked about for its campaign."""
    c = messages.c
    which = c.id == row["id"]
    if row["due_at"] is None and row["campaign_id"] is not None:
        which = and_(
            c.campaign_id == row["campaign_id"],
            c.provider_message_id == row["provider_message_id"],
            c.due_at.is_not(None),
            TRACKED,
        )
    await connection.execute(update(messages).where(which).values(due_at=now))
