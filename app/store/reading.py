"""Messages as their clients see them: their rows, and what keeps their channel shut."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, and_, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.standing import State
from app.store.tables import channels, clients, messages

# In the words of the partial index, as a literal: a prepared plan could not use it otherwise.
_UNCERTAIN: Final[ColumnElement[bool]] = literal_column("messages.status = 'uncertain'")


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


async def find_uncertain(
    connection: AsyncConnection, message_id: UUID, mode: str, client_id: UUID | None
) -> RowMapping | None:
    """Return a message while it is uncertain; of one client, or of any where none is named."""
    own = [messages.c.client_id == client_id] if client_id is not None else []
    found = await connection.execute(
        with_channel().where(messages.c.id == message_id, messages.c.mode == mode, _UNCERTAIN, *own)
    )
    row: RowMapping | None = found.mappings().one_or_none()
    return row


async def uncertain(
    connection: AsyncConnection,
    mode: str,
    client_id: UUID | None,
    *,
    limit: int,
    after: UUID | None,
) -> Sequence[RowMapping]:
    """Return up to `limit` uncertain messages, newest first, that follow the one named.

    They are one client's, or all clients' where none is named.
    """
    query = (
        with_channel()
        .add_columns(clients.c.name.label("client_name"))
        .join(clients, clients.c.id == messages.c.client_id)
        .where(messages.c.mode == mode, _UNCERTAIN)
    )
    if client_id is not None:
        query = query.where(messages.c.client_id == client_id)
    if after is not None:
        query = query.where(messages.c.id < after)
    found = await connection.execute(query.order_by(messages.c.id.desc()).limit(limit))
    rows: Sequence[RowMapping] = found.mappings().all()
    return rows
