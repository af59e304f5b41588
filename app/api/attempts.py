"""The attempts of a message: each call that may have sent it, and what was answered.

The store keeps no request and no answer word for word: neither credentials nor contents are in it.
What is shown of a request is what the message says that it held, with the recipient masked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from app.api import conditional
from app.api.conditional import NOT_MODIFIED, IfNoneMatchHeader
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.seen import visible
from app.domain.message import Channel, files_of
from app.domain.moments import moment
from app.domain.twins import public_name
from app.store import contents, exchanges, reading

router = APIRouter(prefix="/v1/messages", tags=["follow"])

Row = Mapping[str, Any] | RowMapping


class SentFileOut(BaseModel):
    """A file that a call carried, or that the provider fetched."""

    media_type: str
    size: int = Field(description="Bytes")
    pages: int | None


class SentOut(BaseModel):
    """What the call carried, as far as the message tells: the request itself is not kept."""

    recipient: str = Field(description="Masked")
    reference: str = Field(description="What REFCLIENT or `ref` carried")
    billing_code: str | None
    files: list[SentFileOut]


class AnsweredOut(BaseModel):
    """What the provider answered, as far as it is kept; texts are not."""

    code: str | None
    words: str | None = Field(description="What the provider's document says of the code")
    provider_message_id: str | None
    raw: str | None = Field(description="A code or an identifier that could not be believed")


class AcknowledgedOut(BaseModel):
    """What the provider told by itself, later."""

    code: str
    pages: int | None
    provider_time: str | None
    received_at: datetime
    times: int
    note: str | None = Field(description="Why it moved nothing")


class FetchedOut(BaseModel):
    """How often the provider fetched the document."""

    times: int
    last_at: datetime | None


class ExchangeOut(BaseModel):
    """What went over the line, masked: never credentials, nor the content."""

    sent: SentOut
    answered: AnsweredOut
    fetched: FetchedOut | None
    acknowledged: list[AcknowledgedOut]


class AttemptOut(BaseModel):
    """One call that may have sent the message."""

    number: int
    reference: str
    provider: str
    function: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: (
        Literal["accepted", "refused", "deferred", "blocked", "unclear", "found", "absent"] | None
    ) = Field(description="null: it has not ended. found, absent: evidence settled it later")
    why: str | None
    late_outcome: str | None = Field(
        description="What was answered when nobody waited any more: evidence, which moved nothing"
    )
    exchange: ExchangeOut


class AttemptsOut(BaseModel):
    """The attempts of a message, first to last."""

    data: list[AttemptOut]


@router.get("/{message_id}/attempts", response_model=AttemptsOut, responses=NOT_MODIFIED)
async def list_attempts(
    message_id: str,
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    _: IfNoneMatchHeader = None,
) -> Response:
    """Return each call that may have sent a message, and what was answered, masked."""
    seen = await visible(edge, caller, message_id)
    async with edge.gateway.database.reading() as connection:
        content = await reading.content_of(connection, seen["id"])
        row = {**seen, "content": content}
        tried = await exchanges.attempts_of(connection, row["id"])
        told = await exchanges.acknowledged(connection, tried) if tried else []
    data = [_attempt(edge, row, one, told, is_last=one is tried[-1]) for one in tried]
    return conditional.answer(request, {"data": data})


def _attempt(
    edge: Edge, of: Row, row: Row, told: Sequence[Row], *, is_last: bool
) -> dict[str, Any]:
    same = ("number", "reference", "outcome", "why")
    return {
        **{name: row[name] for name in same},
        "provider": public_name(row["provider"]),
        "function": _function(edge, of, row, is_last=is_last),
        "started_at": moment(row["started_at"]),
        "ended_at": moment(row["ended_at"]),
        "late_outcome": row["late"]["outcome"] if row["late"] else None,
        "exchange": {
            "sent": _sent(of, row),
            "answered": {
                name: row[name] for name in ("code", "words", "provider_message_id", "raw")
            },
            "fetched": None
            if row["fetches"] is None
            else {"times": row["fetches"], "last_at": moment(row["fetched_at"])},
            "acknowledged": [_acknowledged(one) for one in told if one["attempt_id"] == row["id"]],
        },
    }


def _function(edge: Edge, of: Row, row: Row, *, is_last: bool) -> str | None:
    """Return what was called: kept with the message for the last attempt that ended."""
    if is_last and of["provider_function"] is not None and row["ended_at"] is not None:
        function: str = of["provider_function"]
        return function
    provider = edge.gateway.providers.get(row["provider"])
    if provider is None:
        return None
    content = contents.read(Channel(of["channel"]), of["content"])
    return provider.function_for(content, together=of["campaign_id"] is not None)


def _sent(of: Row, row: Row) -> dict[str, Any]:
    files = files_of(contents.read(Channel(of["channel"]), of["content"]))
    return {
        "recipient": of["recipient"],
        "reference": row["reference"],
        "billing_code": of["billing_code"],
        "files": [
            {"media_type": one.media_type, "size": one.size, "pages": one.pages} for one in files
        ],
    }


def _acknowledged(row: Row) -> dict[str, Any]:
    # Not the number that it names: it is the recipient's.
    return {
        **{name: row[name] for name in ("code", "pages", "provider_time", "times", "note")},
        "received_at": moment(row["received_at"]),
    }
