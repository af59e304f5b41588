"""Uncertain messages, for those who resolve them: masked, and nothing else.

Whoever may resolve finds here what there is to resolve in its key's mode: with `messages:resolve` its
own client's messages, an operator with `admin` every client's. What a client said of its message for
its own use is not shown to an operator.
"""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from app.api import answers
from app.api.access import Caller
from app.api.cursors import opened, sealed
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.lists import Page, link_of, refuse_repeated
from app.api.shapes import MessageOut
from app.domain.errors import NotFound
from app.domain.identifiers import MESSAGE, read
from app.store import reading

router = APIRouter(prefix="/v1/messages", tags=["resolve"])

_RESOLVES: Final = ("messages:resolve", "admin")
_OWN: Final[dict[str, Any]] = {"metadata": {}, "tags": []}  # as another's message shows them


class UncertainOut(MessageOut):
    """A message of which nobody knows whether it was sent, and whose it is."""

    client: str = Field(description="The client's name")


class UncertainListOut(BaseModel):
    """One page of them, newest first."""

    data: list[UncertainOut]
    has_more: bool
    next_cursor: str | None


@router.get("/uncertain", response_model=UncertainListOut)
async def list_uncertain(
    request: Request, edge: EdgeDep, caller: CallerDep, query: Annotated[Page, Query()]
) -> Response:
    """List what is uncertain in your key's mode, newest first: every client's for an operator."""
    caller.may(*_RESOLVES)
    refuse_repeated(request)
    after = opened(edge, query.cursor) if query.cursor is not None else None
    async with edge.gateway.database.reading() as connection:
        rows = await reading.uncertain(
            connection, caller.mode, _reach(caller), limit=query.limit + 1, after=after
        )
    page = rows[: query.limit]
    following = sealed(edge, page[-1]["id"]) if len(rows) > query.limit else None
    content = {
        "data": [told(caller, row) | {"client": row["client_name"]} for row in page],
        "has_more": following is not None,
        "next_cursor": following,
    }
    return JSONResponse(content, headers=link_of(request, content))


async def visible(edge: Edge, caller: Caller, text: str) -> RowMapping:
    """Return a caller's message, or one that is uncertain and that the caller may resolve.

    Raises NotFound for every other.
    """
    caller.may("messages:read", *_RESOLVES)
    message_id = read(MESSAGE, text)
    if message_id is None:
        raise NotFound
    row = None
    async with edge.gateway.database.reading() as connection:
        if "messages:read" in caller.scopes:
            row = await reading.find(connection, message_id, caller.client_id, caller.mode)
        if row is None and not caller.scopes.isdisjoint(_RESOLVES):
            row = await reading.find_uncertain(connection, message_id, caller.mode, _reach(caller))
    if row is None:
        raise NotFound
    return row


def told(caller: Caller, row: RowMapping) -> dict[str, Any]:
    """Return a message as a caller is told of it."""
    public = answers.message(row)
    return public if row["client_id"] == caller.client_id else public | _OWN


def _reach(caller: Caller) -> UUID | None:
    """Return the client whose messages a caller may resolve; None: every client's."""
    return None if "admin" in caller.scopes else caller.client_id
