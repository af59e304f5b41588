"""Uncertain messages, for those who resolve them: masked, and nothing else.

Whoever may resolve finds here what there is to resolve in its key's mode: with `messages:resolve` its
own client's messages, an operator with `admin` every client's. What a client said of its message for
its own use is not shown to an operator.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app.api.cursors import opened, sealed
from app.api.edge import CallerDep, EdgeDep
from app.api.lists import Page, link_of, refuse_repeated
from app.api.seen import RESOLVES, reach, told
from app.api.shapes import MessageOut
from app.store import reading

router = APIRouter(prefix="/v1/messages", tags=["resolve"])


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
    caller.may(*RESOLVES)
    refuse_repeated(request)
    after = opened(edge, query.cursor) if query.cursor is not None else None
    async with edge.gateway.database.reading() as connection:
        rows = await reading.uncertain(
            connection, caller.mode, reach(caller), limit=query.limit + 1, after=after
        )
    page = rows[: query.limit]
    following = sealed(edge, page[-1]["id"]) if len(rows) > query.limit else None
    content = {
        "data": [told(caller, row) | {"client": row["client_name"]} for row in page],
        "has_more": following is not None,
        "next_cursor": following,
    }
    return JSONResponse(content, headers=link_of(request, content))
