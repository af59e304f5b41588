"""What a client is told: the shapes of the message object, its events, documents and lists."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.domain.message import Channel
from app.domain.status import Status


class FailureOut(BaseModel):
    """Why a message failed."""

    type: str
    reason: str
    retryable: bool
    provider_code: str | None
    label: str | None


class RecipientOut(BaseModel):
    """Who a message goes to, masked."""

    masked: str


class ProviderOut(BaseModel):
    """What the provider was called for, and said."""

    name: str
    operation: str | None
    message_id: str | None
    attempt_ref: str | None
    code: str | None
    label: str | None


class FaxOut(BaseModel):
    """What only a fax has."""

    pages: int | None
    pages_sent: int | None
    document_fetched_at: datetime | None
    ack_overdue: bool


class SmsOut(BaseModel):
    """What only a text message has."""

    encoding: Literal["gsm7", "ucs2"] | None = Field(
        description="gsm7 takes 160 characters, or 153 in each of several parts; ucs2 70, or 67."
        " The provider's document does not say how it splits: it is told here by the standard"
        " (3GPP TS 23.038)"
    )
    segments: int | None = Field(description="Parts that the text takes")


class CostOut(BaseModel):
    """What a message is paid by."""

    estimated: float | None
    segments_or_pages: int | None
    final: bool


class LinksOut(BaseModel):
    """Where to go on."""

    self: str
    events: str
    recipients: str


class MessageOut(BaseModel):
    """A message, as the store knows it."""

    id: str
    object: str
    channel: Channel
    mode: str
    status: Status
    status_is_final: bool
    status_at: datetime
    status_source: str
    status_checked_at: datetime | None
    next_check_at: datetime | None
    blocked_reason: str | None
    failure: FailureOut | None
    reference: str | None
    billing_code: str | None
    tags: list[str]
    purpose: str
    metadata: dict[str, str]
    recipient: RecipientOut
    warnings: list[str]
    provider: ProviderOut
    attempts: int
    batch_id: str | None
    status_granularity: str
    cost: CostOut
    fax: FaxOut | None
    sms: SmsOut | None
    created_at: datetime
    submitted_at: datetime | None
    send_at: datetime | None
    expires_at: datetime | None
    links: LinksOut


class EventProviderOut(BaseModel):
    """What the provider said."""

    name: str
    code: str | None
    label: str | None
    time: str | None


class EventOut(BaseModel):
    """One change of a message, or one thing learnt about it."""

    id: str
    type: str
    timestamp: datetime
    sequence: int
    message_id: str
    channel: Channel
    previous_status: Status | None
    status: Status
    status_is_final: bool
    source: str
    applied: bool
    provider: EventProviderOut
    detail: dict[str, Any] | None


class EventsOut(BaseModel):
    """A message's timeline, first to last."""

    data: list[EventOut]


class MessagesOut(BaseModel):
    """One page of a list."""

    data: list[MessageOut]
    has_more: bool
    next_cursor: str | None


class RecipientStatusOut(BaseModel):
    """Where a message stands for one of its recipients."""

    index: int
    kind: str
    recipient: RecipientOut
    status: Status
    status_is_final: bool
    status_at: datetime
    failure: FailureOut | None
    provider: EventProviderOut


class RecipientsOut(BaseModel):
    """A message's recipients, in the order of the request."""

    data: list[RecipientStatusOut]


class MemberLinksOut(BaseModel):
    """Where to go on."""

    self: str


class MemberOut(BaseModel):
    """One message of a batch."""

    index: int
    id: str
    status: Status
    reference: str | None
    recipient: RecipientOut
    links: MemberLinksOut


class BatchLinksOut(BaseModel):
    """Where to go on."""

    self: str
    messages: str


class BatchOut(BaseModel):
    """Many messages that were accepted at once."""

    id: str
    object: str
    channel: Channel
    mode: str
    key_mode: str
    status_granularity: str
    size: int
    counts: dict[Status, int]
    is_final: bool
    messages: list[MemberOut] | None
    created_at: datetime
    links: BatchLinksOut


class DocumentOut(BaseModel):
    """A document that was uploaded."""

    id: str
    object: str
    filename: str
    media_type: str
    size: int
    sha256: str
    pages: int | None
    checks: list[str]
    created_at: datetime
