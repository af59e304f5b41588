"""Batches as they stand: how many messages have each status, and the messages page by page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from app.api import answers, conditional
from app.api.access import Caller
from app.api.conditional import NOT_MODIFIED, IfNoneMatchHeader
from app.api.cursors import opened, sealed
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.lists import link_of, refuse_repeated
from app.api.shapes import BatchOut, MessagesOut
from app.domain.errors import NotFound
from app.domain.identifiers import BATCH, read
from app.domain.status import Status
from app.store import batches

router = APIRouter(prefix="/v1/batches", tags=["batches"])


class MembersQuery(BaseModel):
    """Which of a batch's messages are wanted, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None


@router.get("/{batch_id}", response_model=BatchOut, responses=NOT_MODIFIED)
async def get_batch(
    request: Request,
    batch_id: str,
    edge: EdgeDep,
    caller: CallerDep,
    _: IfNoneMatchHeader = None,
) -> Response:
    """Return a batch, and how many of its messages have each status."""
    row = await _found(edge, caller, batch_id)
    async with edge.gateway.database.reading() as connection:
        counts = await batches.counts(connection, row["id"])
    return conditional.answer(request, answers.batch(row, counts))


@router.get("/{batch_id}/messages", response_model=MessagesOut, responses=NOT_MODIFIED)
async def list_batch_messages(
    request: Request,
    batch_id: str,
    edge: EdgeDep,
    caller: CallerDep,
    query: Annotated[MembersQuery, Query()],
    _: IfNoneMatchHeader = None,
) -> Response:
    """List a batch's messages in the order in which they were given, page by page."""
    refuse_repeated(request)
    row = await _found(edge, caller, batch_id)
    after: UUID | None = opened(edge, query.cursor) if query.cursor is not None else None
    async with edge.gateway.database.reading() as connection:
        rows = await batches.members(
            connection, row["id"], query.status, limit=query.limit + 1, after=after
        )
    shown = rows[: query.limit]
    following = sealed(edge, shown[-1]["id"]) if len(rows) > query.limit else None
    page = {
        "data": [answers.message(one) for one in shown],
        "has_more": following is not None,
        "next_cursor": following,
    }
    return conditional.answer(request, page, link_of(request, page))


async def _found(edge: Edge, caller: Caller, text: str) -> RowMapping:
    caller.may("messages:read")
    batch_id = read(BATCH, text)
    if batch_id is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        row = await batches.find(connection, batch_id, caller.client_id, caller.mode)
    if row is None:
        raise NotFound
    return row
