"""Messages as their clients see them: their rows, and what keeps their channel shut."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, RowMapping, Select, and_, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.standing import State
from app.store.database import Database
from app.store.pick import Pick
from app.store.tables import channels, clients, messages

# In the words of the partial index, as a literal: a prepared plan could not use it otherwise.
_UNCERTAIN: Final[ColumnElement[bool]] = literal_column("messages.status = 'uncertain'")
# What no client is shown of its message as it stands: among it whole e-mails.
_UNSHOWN: Final = frozenset({"content", "recipient_digest", "size", "lease_until", "on_uncertain"})
_SHUT: Final = and_(
    channels.c.provider == messages.c.provider,
    channels.c.channel == messages.c.channel,
    channels.c.state != State.CLOSED.value,
)
_FROM: Final[FromClause] = messages.outerjoin(channels, _SHUT)
_REASON: Final = channels.c.reason.label("channel_reason")


_COLUMNS: Final = tuple(column for column in messages.c if column.name not in _UNSHOWN)
_SHOWN: Final = select(*_COLUMNS, _REASON).select_from(_FROM)
_OF_IDS: Final = Pick(
    "SELECT {columns} FROM messages LEFT JOIN channels ON channels.provider = messages.provider"
    " AND channels.channel = messages.channel AND channels.state <> 'closed'"
    " WHERE messages.id {any}",
    {column.name: column for column in _COLUMNS} | {"channel_reason": channels.c.reason},
    of=messages.c.id,
)


def with_channel() -> Select[Any]:
    """Return what is shown of messages, each with why nothing leaves on its channel, if so."""
    return _SHOWN


async def of_ids(database: Database, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return what is shown of the messages of these ids, whoever's they are."""
    return {row["id"]: row for row in await _OF_IDS.rows_at_once(database, ids)}


async def content_of(connection: AsyncConnection, message_id: UUID) -> str:
    """Return the content of a message, as its row keeps it."""
    found = await connection.execute(select(messages.c.content).where(messages.c.id == message_id))
    content: str = found.scalar_one()
    return content


async def find(
    connection: AsyncConnection, message_id: UUID, client_id: UUID, mode: str
) -> RowMapping | None:
    """Return a client's message, None where there is none or it is another's."""
    found = await connection.execute(
        select(messages, _REASON)
        .select_from(_FROM)
        .where(
            messages.c.id == message_id,
            messages.c.client_id == client_id,
            messages.c.mode == mode,
        )
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
