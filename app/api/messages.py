"""Follow: messages, their events and lists, from the store and never from a provider."""

from collections import Counter
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from app.api import answers
from app.api.access import Caller
from app.api.bodies import failed, pointer
from app.api.cursors import opened, sealed
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.fields import SearchText, Time
from app.api.shapes import EventsOut, MessageOut, MessagesOut, RecipientsOut
from app.domain.errors import FieldError, NotFound
from app.domain.identifiers import BATCH, MESSAGE, read
from app.domain.message import Channel
from app.domain.status import Status
from app.store import events, lists, reading, recipients
from app.store.lists import Filter

router = APIRouter(prefix="/v1/messages", tags=["follow"])


class ListQuery(BaseModel):
    """What a list is narrowed to."""

    model_config = ConfigDict(extra="forbid")

    channel: Channel | None = None
    status: Status | None = None
    reference: Annotated[SearchText, Field(max_length=200)] | None = None
    billing_code: Annotated[SearchText, Field(max_length=100)] | None = None
    batch_id: Annotated[SearchText, Field(max_length=40)] | None = None
    provider_message_id: Annotated[SearchText, Field(max_length=100)] | None = None
    created_after: Time | None = Field(None, description="At or after this time")
    created_before: Time | None = Field(None, description="Before this time")
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None


@router.get("", response_model=MessagesOut)
async def list_messages(
    request: Request, edge: EdgeDep, caller: CallerDep, query: Annotated[ListQuery, Query()]
) -> Response:
    """List messages, newest first, page by page."""
    caller.may("messages:read")
    _refuse_repeated(request)
    batch_id = read(BATCH, query.batch_id) if query.batch_id is not None else None
    if query.batch_id is not None and batch_id is None:
        raise failed([FieldError("/batch_id", "invalid", "This is not the id of a batch.")])
    given = query.model_dump(exclude={"limit", "cursor", "batch_id"})
    narrowed = Filter(**given, batch_id=batch_id)
    after = opened(edge, query.cursor) if query.cursor is not None else None
    async with edge.gateway.database.reading() as connection:
        rows = await lists.page(
            connection,
            caller.client_id,
            caller.mode,
            narrowed,
            limit=query.limit + 1,
            after=after,
        )
    shown = rows[: query.limit]
    following = sealed(edge, shown[-1]["id"]) if len(rows) > query.limit else None
    content = {
        "data": [answers.message(row) for row in shown],
        "has_more": following is not None,
        "next_cursor": following,
    }
    headers = {}
    if following is not None:
        again = {**dict(request.query_params), "cursor": following}
        headers["Link"] = f'<{request.url.path}?{urlencode(again)}>; rel="next"'
    return JSONResponse(content, headers=headers)


@router.get("/{message_id}", response_model=MessageOut)
async def get_message(message_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return a message as the store knows it."""
    return JSONResponse(answers.message(await _found(edge, caller, message_id)))


@router.get("/{message_id}/events", response_model=EventsOut)
async def list_events(message_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return what happened to a message, first to last."""
    row = await _found(edge, caller, message_id)
    async with edge.gateway.database.reading() as connection:
        rows = await events.timeline(connection, row["id"])
    return JSONResponse({"data": [answers.event(one, row) for one in rows]})


@router.get("/{message_id}/recipients", response_model=RecipientsOut)
async def list_recipients(message_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return where a message stands for each of its recipients."""
    row = await _found(edge, caller, message_id)
    async with edge.gateway.database.reading() as connection:
        rows = await recipients.of_messages(connection, [row["id"]])
    data = [answers.recipient(one, row) for one in rows] or [answers.only_recipient(row)]
    return JSONResponse({"data": data})


def _refuse_repeated(request: Request) -> None:
    given = Counter(name for name, _ in request.query_params.multi_items())
    detail = "Give this parameter once."
    wrong = [
        FieldError(pointer((name,)), "repeated", detail)
        for name, times in given.items()
        if times > 1
    ]
    if wrong:
        raise failed(wrong)


async def _found(edge: Edge, caller: Caller, text: str) -> RowMapping:
    caller.may("messages:read")
    message_id = read(MESSAGE, text)
    if message_id is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        row = await reading.find(connection, message_id, caller.client_id, caller.mode)
    if row is None:
        raise NotFound
    return row
