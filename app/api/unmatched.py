"""Acknowledgements that match nothing of ours: for operators, who find out where they belong."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import RowMapping

from app.api.cursors import opened, sealed
from app.api.edge import CallerDep, EdgeDep
from app.api.lists import Page, refuse_repeated
from app.delivery.acknowledge import as_brought
from app.delivery.gateway import Learn
from app.domain.errors import NotFound
from app.domain.identifiers import ACKNOWLEDGEMENT, shown
from app.domain.message import masked_number
from app.domain.moments import moment
from app.domain.status import Status
from app.store import acknowledgements
from app.store.acknowledgements import UNREADABLE

router = APIRouter(prefix="/v1/providers", tags=["providers"])


class UnmatchedOut(BaseModel):
    """An acknowledgement that matches nothing, and what it would have meant."""

    id: str
    object: str
    note: Literal["unknown_reference", "other_number", "unreadable"]
    detail: str | None  # what is wrong with one that cannot be read
    received_at: datetime  # the first time
    times: int
    reference: str
    code: str
    label: str | None
    status: Status | None
    reason: str | None
    number: str  # masked
    pages: int | None
    provider_time: str | None  # as the provider wrote it


class UnmatchedListOut(BaseModel):
    """One page of them, newest first."""

    data: list[UnmatchedOut]
    has_more: bool
    next_cursor: str | None


@router.get("/{name}/unmatched-acknowledgements", response_model=UnmatchedListOut)
async def list_unmatched_acknowledgements(
    name: Annotated[str, Path()],
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    query: Annotated[Page, Query()],
) -> Response:
    """List acknowledgements that match nothing: a wrong reference or number, or unreadable."""
    caller.may("admin")
    refuse_repeated(request)
    learn = edge.gateway.learn.get(name)
    if learn is None:
        raise NotFound
    after = opened(edge, query.cursor) if query.cursor is not None else None
    async with edge.gateway.database.reading() as connection:
        rows = await acknowledgements.unmatched(
            connection, name, limit=query.limit + 1, after=after
        )
    page = rows[: query.limit]
    following = sealed(edge, page[-1]["id"]) if len(rows) > query.limit else None
    headers = {}
    if following is not None:
        again = urlencode({"limit": query.limit, "cursor": following})
        headers["Link"] = f'<{request.url.path}?{again}>; rel="next"'
    content = {
        "data": [_public(row, learn) for row in page],
        "has_more": following is not None,
        "next_cursor": following,
    }
    return JSONResponse(content, headers=headers)


def _public(row: RowMapping, learn: Learn) -> dict[str, Any]:
    same = ("note", "detail", "times", "reference", "code", "pages", "provider_time")
    report = None if row["note"] == UNREADABLE else learn(as_brought(row), None)
    return {
        "id": shown(ACKNOWLEDGEMENT, row["id"]),
        "object": "acknowledgement",
        **{name: row[name] for name in same},
        "received_at": moment(row["received_at"]),
        "number": masked_number(row["number"]) if row["number"] else "",
        "label": report and report.label,
        "status": report and report.status,
        "reason": report.failure.reason if report and report.failure else None,
    }
