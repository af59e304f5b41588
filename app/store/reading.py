"""Messages as their clients see them: their rows, and what keeps their channel shut."""

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.standing import State
from app.store.tables import channels, messages


def with_channel() -> Select[Any]:
    """Return the messages, each with why nothing leaves on its channel, where nothing does."""
    shut = and_(
        channels.c.provider == messages.c.provider,
        channels.c.channel == messages.c.channel,
        channels.c.state != State.CLOSED.value,
    )
    return select(messages, channels.c.reason.label("channel_reason")).outerjoin(channels, shut)


async def find(
    connection: AsyncConnection, message_id: UUID, client_id: UUID, mode: str
) -> RowMapping | None:
    """Return a client's message, None where there is none or it is another's."""
    found = await connection.execute(
        with_channel().where(
            messages.c.id == message_id,
            messages.c.client_id == client_id,
            messages.c.mode == mode,
        )
    )
    row: RowMapping | None = found.mappings().one_or_none()
    return row
