"""Follow: messages, their events and lists, from the store and never from a provider."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api import answers, conditional
from app.api.access import Caller
from app.api.conditional import NOT_MODIFIED, IfNoneMatchHeader
from app.api.edge import CallerDep, Edge, EdgeDep, caller_of
from app.api.lists import Narrowing, link_of, page_of, refuse_repeated
from app.api.seen import found, told, visible
from app.api.shapes import EventsOut, MessageOut, MessagesOut, RecipientsOut
from app.store import events, recipients

router = APIRouter(prefix="/v1/messages", tags=["follow"])


@router.get("", response_model=MessagesOut, responses=NOT_MODIFIED)
async def list_messages(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    query: Annotated[Narrowing, Query()],
    _: IfNoneMatchHeader = None,
) -> Response:
    """List messages, newest first, page by page."""
    caller.may("messages:read")
    refuse_repeated(request)
    page = await page_of(edge, caller, query)
    return conditional.answer(request, page, link_of(request, page))


@router.get("/{message_id}", response_model=MessageOut, responses=NOT_MODIFIED)
async def get_message(
    message_id: str,
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    _: IfNoneMatchHeader = None,
) -> Response:
    """Return a message as the store knows it."""
    return await _message(edge, caller, message_id, request)


async def show(edge: Edge, request: Request) -> Response:
    """Answer as `get_message` does, without the framework."""
    caller = await caller_of(edge, request)
    return await _message(edge, caller, request.path_params["message_id"], request)


async def _message(edge: Edge, caller: Caller, message_id: str, request: Request) -> Response:
    row = await visible(edge, caller, message_id)
    return conditional.answer(request, told(caller, row))


@router.get("/{message_id}/events", response_model=EventsOut, responses=NOT_MODIFIED)
async def list_events(
    message_id: str,
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    _: IfNoneMatchHeader = None,
) -> Response:
    """Return what happened to a message, first to last."""
    row = await visible(edge, caller, message_id)
    async with edge.gateway.database.reading() as connection:
        rows = await events.timeline(connection, row["id"])
    return conditional.answer(request, {"data": [answers.event(one, row) for one in rows]})


@router.get("/{message_id}/recipients", response_model=RecipientsOut, responses=NOT_MODIFIED)
async def list_recipients(
    message_id: str,
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    _: IfNoneMatchHeader = None,
) -> Response:
    """Return where a message stands for each of its recipients."""
    row = await found(edge, caller, message_id)
    async with edge.gateway.database.reading() as connection:
        rows = await recipients.of_messages(connection, [row["id"]])
    data = [answers.recipient(one, row) for one in rows] or [answers.only_recipient(row)]
    return conditional.answer(request, {"data": data})
