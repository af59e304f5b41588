"""What happened to messages: one row for each move of a status, and for news that moved none."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
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


def first_rows(ids: Identifiers, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of new messages' first events; a message holds its whole new row."""
    return [
        {
            **_FIRST,
            "id": identifier,
            "client_id": one["client_id"],
            "mode": one["mode"],
            "message_id": one["id"],
            "status": one["status"],
            "type": f"message.{one['status']}",
            "at": one["created_at"],
        }
        for identifier, one in zip(ids.many(len(messages)), messages, strict=True)
    ]


_FIRST: Final[Mapping[str, Any]] = {
    "sequence": 1,
    "source": "client",
    "applied": True,
}  # and nothing in the other columns


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
