"""What happened to messages: one row for each move of a status, and for news that moved none."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.store.tables import events


async def timeline(connection: AsyncConnection, message_id: UUID) -> Sequence[RowMapping]:
    """Return a message's events, first to last."""
    found = await connection.execute(
        select(events).where(events.c.message_id == message_id).order_by(events.c.sequence)
    )
    return found.mappings().all()


def event_row(
    ids: Identifiers,
    message: Mapping[str, Any] | RowMapping,
    sequence: int,
    previous: str | None,
    status: str,
    **columns: Any,  # noqa: ANN401 -- columns of the table
) -> dict[str, Any]:
    """Return a row of the event table; `message` holds at least id, client_id and mode."""
    return {
        "id": ids.new(),
        "client_id": message["client_id"],
        "mode": message["mode"],
        "message_id": message["id"],
        "sequence": sequence,
        "previous_status": previous,
        "status": status,
        "type": f"message.{status}",
        "provider_code": None,
        "provider_label": None,
        "provider_time": None,
        "applied": True,
        "detail": None,
        **columns,
    }
