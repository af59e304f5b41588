"""The feed: all that happened to a client's messages, in one order, without a gap."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement

from app.api.bodies import failed
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.feed_shapes import FeedOut
from app.api.lists import refuse_repeated
from app.api.prefer import wait_of
from app.delivery.tell import IGNORED, TYPES, told
from app.domain.errors import FieldError
from app.store import feed
from app.store.feed import SCANNED, Feed

router = APIRouter(prefix="/v1/events", tags=["follow"])

_LARGEST: Final = 2**63 - 1  # position
_BEYOND: Final = (
    "The feed ends at {end}, and no position after it was ever given: is this one of another client,"
    " mode or gateway?"
)
_DELETED: Final = (
    "Events up to position {end} are deleted with their messages, and some after yours with them:"
    " read on after {end}, and ask for the messages whose news you may have missed."
)
_WAIT: Final = (
    "`wait=20` answers as soon as there is an event, or after 20 seconds; 30 at most (RFC 7240)"
)


class FeedQuery(BaseModel):
    """Which part of the feed is wanted."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=_LARGEST)] = Field(
        0, description="The `next_after` of the page before; 0: from the first event"
    )
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    types: Annotated[str, Field(max_length=1000)] | None = Field(
        None, description="Only events of these types, with commas between them"
    )


@router.get("", response_model=FeedOut)
async def list_feed(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    query: Annotated[FeedQuery, Query()],
    prefer: Annotated[list[str] | None, Header(alias="Prefer", description=_WAIT)] = None,
) -> Response:
    """Return what happened after a position, oldest first: every event once, none left out.

    Positions belong to the client and the mode of its key. With `types`, a page may be empty and
    more may follow all the same. Events are kept as long as their message.
    """
    caller.may("messages:read")
    refuse_repeated(request)
    only = _only(query.types)
    seconds = wait_of(prefer)
    reading = _Reading(edge, (caller.client_id, caller.mode), query, only)
    page = await reading.page()
    if seconds and not page["data"] and not page["has_more"]:
        page = await _waited(reading, request, seconds)
        await edge.access.caller(request)  # its key may have been revoked meanwhile
    headers = {"Preference-Applied": f"wait={seconds}"} if seconds else {}
    return JSONResponse(page, headers=headers)


class _Reading:
    """One request's way through a feed."""

    def __init__(
        self, edge: Edge, of: Feed, query: FeedQuery, only: ColumnElement[bool] | None
    ) -> None:
        self.edge = edge
        self.of = of
        self.after = query.after
        self._limit = query.limit
        self._only = only

    async def page(self) -> dict[str, Any]:
        """Return the page that follows what was read, after what waits was published."""
        standing = await self.edge.looking.do(self.of)
        if self.after > standing.position:
            # An empty page would be believed, and what gets these numbers later be passed over.
            detail = _BEYOND.format(end=standing.position)
            raise failed([FieldError("/after", "beyond_end", detail)])
        # Who begins, begins with what is there; who has read some would miss some unawares.
        if 0 < self.after < standing.forgotten:
            detail = _DELETED.format(end=standing.forgotten)
            raise failed([FieldError("/after", "deleted", detail)])
        self.after = max(self.after, standing.forgotten)
        until = standing.position
        if self._only is not None:
            until = min(until, self.after + SCANNED)
        async with self.edge.gateway.database.reading() as connection:
            found = await feed.page(
                connection,
                self.of,
                after=self.after,
                until=until,
                limit=self._limit + 1,
                only=self._only,
            )
        shown = found[: self._limit]
        is_cut = len(found) > self._limit
        self.after = shown[-1][0]["position"] if is_cut else until
        return {
            "data": [told(event, message) for event, message in shown],
            "has_more": is_cut or until < standing.position,
            "next_after": self.after,
        }


async def _waited(reading: _Reading, request: Request, seconds: int) -> dict[str, Any]:
    """Return the next page that has an event; an empty one when time is up, or we or it end."""
    edge, loop = reading.edge, asyncio.get_running_loop()
    deadline = loop.time() + seconds
    ends: set[asyncio.Future[Any]] = {
        asyncio.create_task(edge.stopping.wait()),
        asyncio.create_task(_hung_up(request)),
    }
    page: dict[str, Any] = {"data": [], "has_more": False, "next_after": reading.after}
    try:
        while (left := deadline - loop.time()) > 0:
            async with edge.followers.waiting(reading.of, reading.after) as woken:
                done, _ = await asyncio.wait(
                    {woken, *ends}, timeout=left, return_when=asyncio.FIRST_COMPLETED
                )
                if woken not in done:
                    break
                await woken
            page = await reading.page()
            if page["data"]:
                break
    finally:
        for task in ends:
            task.cancel()
    return page


async def _hung_up(request: Request) -> None:
    """Return when the client has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _only(types: str | None) -> ColumnElement[bool] | None:
    """Return what narrows the feed to types that a client names."""
    if types is None:
        return None
    named = [one.strip() for one in types.split(",")]
    if not set(named) <= set(TYPES):
        detail = "Name types of events, such as message.delivered, with commas between them."
        raise failed([FieldError("/types", "not_allowed", detail)])
    return feed.of_types(named, IGNORED)
