"""What the feed tells: the shapes of its events, which webhooks carry too."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.api.shapes import FailureOut
from app.domain.message import Channel
from app.domain.status import Status


class ToldProviderOut(BaseModel):
    """What the provider said."""

    name: str
    code: str | None
    label: str | None
    time: str | None = Field(description="As the provider wrote it, of no known zone")


class ToldFaxOut(BaseModel):
    """What only a fax has."""

    pages: int | None
    pages_sent: int | None


class ToldDataOut(BaseModel):
    """What happened, to which message; what concerns no message has the first five alone."""

    event_id: str
    position: int | None = Field(description="In the feed: 1, 2, 3, without a gap")
    sequence: int = Field(description="Of the message: 1, 2, 3")
    source: str
    detail: dict[str, Any] | None
    message_id: str | None = None
    channel: Channel | None = None
    reference: str | None = None
    batch_id: str | None = None
    previous_status: Status | None = None
    status: Status | None = None
    status_is_final: bool | None = None
    applied: bool | None = Field(None, description="false: news that moved nothing")
    reported_status: Status | None = Field(None, description="What news said that moved nothing")
    failure: FailureOut | None = None
    provider: ToldProviderOut | None = None
    fax: ToldFaxOut | None = None


class ToldOut(BaseModel):
    """One event, without anything personal."""

    type: str
    timestamp: datetime
    data: ToldDataOut


class FeedOut(BaseModel):
    """A page of the feed, oldest first."""

    data: list[ToldOut]
    has_more: bool
    next_after: int = Field(description="What to give as `after` next time")
