"""Lists of messages: what they are narrowed to, and how a page is told."""

from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from app.api import answers
from app.api.access import Caller
from app.api.bodies import failed
from app.api.cursors import opened, sealed
from app.api.edge import Edge
from app.api.fields import BatchId, SearchText, Time
from app.api.wrong_fields import pointer
from app.domain.errors import FieldError
from app.domain.identifiers import BATCH, read
from app.domain.message import Channel
from app.domain.status import Status
from app.store import lists
from app.store.lists import Filter


class Page(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None


class Narrowing(BaseModel):
    """What a list is narrowed to, and which page of it is wanted."""

    model_config = ConfigDict(extra="forbid")

    channel: Channel | None = None
    status: Status | None = None
    reference: Annotated[SearchText, Field(max_length=200)] | None = None
    billing_code: Annotated[SearchText, Field(max_length=100)] | None = None
    batch_id: BatchId | None = None
    provider_message_id: Annotated[SearchText, Field(max_length=100)] | None = None
    created_after: Time | None = Field(None, description="At or after this time")
    created_before: Time | None = Field(None, description="Before this time")
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None


async def page_of(
    edge: Edge, caller: Caller, asked: Narrowing, *, digest: str | None = None
) -> dict[str, Any]:
    """Return a page of a caller's messages; `digest`: only of a recipient with this keyed hash."""
    batch_id = read(BATCH, asked.batch_id) if asked.batch_id is not None else None
    if asked.batch_id is not None and batch_id is None:
        raise failed([FieldError("/batch_id", "invalid", "This is not the id of a batch.")])
    narrowed = Filter(
        channel=asked.channel,
        status=asked.status,
        reference=asked.reference,
        billing_code=asked.billing_code,
        batch_id=batch_id,
        provider_message_id=asked.provider_message_id,
        created_after=asked.created_after,
        created_before=asked.created_before,
        digest=digest,
    )
    after = opened(edge, asked.cursor) if asked.cursor is not None else None
    async with edge.gateway.database.reading() as connection:
        rows = await lists.page(
            connection,
            caller.client_id,
            caller.mode,
            narrowed,
            limit=asked.limit + 1,
            after=after,
        )
    shown = rows[: asked.limit]
    following = sealed(edge, shown[-1]["id"]) if len(rows) > asked.limit else None
    return {
        "data": [answers.message(row) for row in shown],
        "has_more": following is not None,
        "next_cursor": following,
    }


def link_of(request: Request, page: dict[str, Any]) -> dict[str, str]:
    """Return the header that leads to the next page, where there is one."""
    if page["next_cursor"] is None:
        return {}
    again = {**dict(request.query_params), "cursor": page["next_cursor"]}
    return {"Link": f'<{request.url.path}?{urlencode(again)}>; rel="next"'}


def refuse_repeated(request: Request) -> None:
    """Refuse a parameter that is given twice: nobody could say which of them counts."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    detail = "Give this parameter once."
    wrong = [
        FieldError(pointer((name,)), "repeated", detail)
        for name, times in given.items()
        if times > 1
    ]
    if wrong:
        raise failed(wrong)
