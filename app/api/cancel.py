"""Cancel what has not left, and ask at once what became of what has."""

from math import ceil
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from sqlalchemy import RowMapping

from app.api import answers
from app.api.access import Caller
from app.api.acting_schemas import BatchCancelledOut
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.shapes import MessageOut
from app.delivery import cancel, refresh
from app.delivery.acting import Actor
from app.domain.errors import NotFound
from app.domain.identifiers import BATCH, MESSAGE, read
from app.store import batches, reading

router = APIRouter(prefix="/v1", tags=["follow"])

_ASKED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": MessageOut, "description": "Its provider is asked now; look again for the news"}
}


@router.post("/messages/{message_id}/cancel", response_model=MessageOut)
async def cancel_message(message_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Cancel a message that is scheduled, queued or held; a second time changes nothing."""
    row = await _found(edge, caller, message_id)
    caller.may(f"{row['channel']}:send")
    return JSONResponse(answers.message(await cancel.cancel(edge.gateway, actor_of(caller), row)))


@router.post(
    "/messages/{message_id}/refresh", status_code=202, responses=_ASKED, response_model=MessageOut
)
async def refresh_message(message_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Ask a message's provider now; at most every ten seconds for each message."""
    caller.may("messages:read")
    row = await _found(edge, caller, message_id)
    asked = await refresh.refresh(edge.gateway, actor_of(caller), row)
    headers = {"Retry-After": str(max(1, ceil(asked.wait.total_seconds())))}
    return JSONResponse(answers.message(asked.row), 202, headers)


@router.post("/batches/{batch_id}/cancel", response_model=BatchCancelledOut)
async def cancel_batch(batch_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Cancel what has not left of a batch; what has goes on."""
    identifier = read(BATCH, batch_id)
    if identifier is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        row = await batches.find(connection, identifier, caller.client_id, caller.mode)
    if row is None:
        raise NotFound
    caller.may(f"{row['channel']}:send")
    cancelled = await cancel.cancel_batch(edge.gateway, actor_of(caller), identifier)
    async with edge.gateway.database.reading() as connection:
        counts = await batches.counts(connection, identifier)
    return JSONResponse(answers.batch(row, counts) | {"cancelled": cancelled})


def actor_of(caller: Caller, *, for_all: bool = False) -> Actor:
    """Return a caller as events name it."""
    return Actor(
        client_id=caller.client_id,
        mode=caller.mode,
        name=caller.name,
        key_id=caller.key_id,
        acts_for_all=for_all,
    )


async def _found(edge: Edge, caller: Caller, text: str) -> RowMapping:
    """Return a message of the caller's, whatever the key may do with it."""
    message_id = read(MESSAGE, text)
    if message_id is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        row = await reading.find(connection, message_id, caller.client_id, caller.mode)
    if row is None:
        raise NotFound
    return row
