"""The recipients of messages that have several, each with a status of its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identity import of_address
from app.domain.message import Content, Email
from app.domain.status import Status
from app.store import many
from app.store.tables import recipients


def rows_of(
    message: Mapping[str, Any], content: Content, digest: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Return the new rows of an e-mail that the relay carries; other messages have none.

    `digest` returns the hash of an identity, by which a search finds the message.
    """
    if not isinstance(content, Email) or not content.relay:
        return []
    to = (content.to_address, *content.also_to)
    kinds = [*(("to", one) for one in to), *(("cc", one) for one in content.cc)]
    return [
        {
            "message_id": message["id"],
            "place": place,
            "kind": kind,
            "address": address,
            "digest": digest(of_address(address)),
            # Where the provider begins to tell; until it does, the message's own status is shown.
            "status": Status.SUBMITTED.value,
            "status_at": message["created_at"],
        }
        for place, (kind, address) in enumerate(kinds)
    ]


async def add(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new recipients."""
    await many.add(connection, recipients, rows)


async def of_messages(
    connection: AsyncConnection, message_ids: Sequence[UUID]
) -> Sequence[RowMapping]:
    """Return the recipients of messages, in their order."""
    found = await connection.execute(
        select(recipients)
        .where(recipients.c.message_id.in_(message_ids))
        .order_by(recipients.c.message_id, recipients.c.place)
    )
    return found.mappings().all()


async def change(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what was learnt of recipients; all name the same columns, message and place too."""
    if not rows:
        return
    key = {"message_id", "place"}
    await connection.execute(
        update(recipients)
        .where(
            recipients.c.message_id == bindparam("_message_id"),
            recipients.c.place == bindparam("_place"),
        )
        .values({name: bindparam(name) for name in rows[0] if name not in key}),
        [
            {("_" + name if name in key else name): value for name, value in row.items()}
            for row in rows
        ],
    )
