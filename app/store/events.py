"""What happened to messages: one row for each move of a status, and for news that moved none."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.store.tables import events


async def add(
    connection: AsyncConnection,
    ids: Identifiers,
    owner: Mapping[str, Any] | RowMapping,
    kind: str,
    at: datetime,
    detail: Mapping[str, Any],
) -> None:
    """Write an event of a kind such as `endpoint.disabled`, for who owns what it is about.

    `owner` holds at least client_id and mode.
    """
    source = kind.partition(".")[0]
    of = {"id": None, "client_id": owner["client_id"], "mode": owner["mode"]}
    row = event_row(ids, of, 0, None, "", type=kind, at=at, source=source, detail=dict(detail))
    await connection.execute(insert(events).values(row | {"status": None}))


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
        "failure": None,
        "detail": None,
        **columns,
    }
