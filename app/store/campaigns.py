"""Messages that leave in one call: the first of them that waits is due for all.

A claim takes that one first, and then the others; whoever else changes several locks them in the
order of their ids, so that none waits for another in a circle.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.status import WAITING, Status
from app.store.tables import messages

_RESTORE: Final = "restore"  # `blocked_reason` of what is released all at once, `due_at` and all
_WAITING: Final = [status.value for status in WAITING]

Due = Mapping[UUID, datetime | None]  # by campaign: when what waits of it is due


async def lock(
    connection: AsyncConnection, message_ids: Collection[UUID], campaign_ids: Collection[UUID]
) -> tuple[dict[UUID, RowMapping], Due]:
    """Lock messages, and all of their campaigns; return those named, and when campaigns are due."""
    c = messages.c
    query = select(messages).where(c.id.in_(message_ids))
    if campaign_ids:
        query = select(messages).where(or_(c.id.in_(message_ids), c.campaign_id.in_(campaign_ids)))
    found = await connection.execute(query.order_by(c.id).with_for_update())
    rows = found.mappings().all()
    due: dict[UUID, datetime | None] = dict.fromkeys(campaign_ids)
    for row in rows:
        campaign_id, due_at = row["campaign_id"], row["due_at"]
        if campaign_id in due and due_at is not None and _leaves(row):
            due[campaign_id] = min(due[campaign_id] or due_at, due_at)
    wanted = set(message_ids)
    return {row["id"]: row for row in rows if row["id"] in wanted}, due


async def pass_on(connection: AsyncConnection, due: Due, now: datetime) -> None:
    """Make the first that waits of each campaign due for all; their rows are locked.

    Those that a restore holds have a first of their own: they are released apart.
    """
    c = messages.c
    if not due:
        return
    found = await connection.execute(
        select(c.id, c.campaign_id, c.due_at, (c.status == Status.HELD.value).label("held"))
        .where(
            c.campaign_id.in_(due),
            or_(
                c.status.in_(_WAITING),
                and_(c.status == Status.HELD.value, c.blocked_reason == _RESTORE),
            ),
        )
        .order_by(c.campaign_id, "held", c.id)
    )
    for (campaign_id, _), rows in groupby(found.mappings(), key=itemgetter("campaign_id", "held")):
        first, *others = rows
        dues = [row["due_at"] for row in (first, *others) if row["due_at"] is not None]
        at = min(dues, default=due[campaign_id] or now)
        changes = {first["id"]: at} | {row["id"]: None for row in others if row["due_at"]}
        for message_id, due_at in changes.items():
            await connection.execute(
                update(messages).where(c.id == message_id).values(due_at=due_at)
            )


def _leaves(row: RowMapping) -> bool:
    """Say whether a message's `due_at` is when it may be sent."""
    is_held: bool = row["status"] == Status.HELD and row["blocked_reason"] == _RESTORE
    return is_held or row["status"] in _WAITING
