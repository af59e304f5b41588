"""What is sent: one content type per channel, and what a provider is handed for one attempt."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar
from uuid import UUID

from app.domain.segments import segments

MASKED_LENGTH: Final = 200  # characters that the store keeps of a masked recipient

# Says whether a call may still begin; asked with the connection standing, before its first byte.
MayBegin = Callable[[], Awaitable[bool]]


class Channel(StrEnum):
    """How a message reaches its recipient."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    FAX = "fax"


class Mode(StrEnum):
    """What a key's messages may reach."""

    LIVE = "live"  # anybody
    TEAM = "team"  # only the client's own list of recipients
    TEST = "test"  # simulators only


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a message; its bytes are kept apart, under their SHA-256."""

    sha256: str  # hexadecimal
    name: str
    media_type: str
    size: int  # bytes
    pages: int | None = None  # of a PDF


@dataclass(slots=True, kw_only=True)  # not frozen: that costs more than to make one
class Email:
    """An e-mail: to one recipient, or by the relay to several."""

    to_address: str
    from_address: str
    subject: str
    text: str
    html: str
    to_name: str | None = None
    reply_to: str | None = None
    files: tuple[File, ...] = ()
    variables: tuple[str, ...] = ()  # that the provider puts into the text
    relay: bool = False  # the provider's relay carries it; what follows is the relay's alone
    also_to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    errors_to: str | None = None
    track_opens: bool = False
    track_clicks: bool = False


@dataclass(slots=True, kw_only=True)  # not frozen, as an e-mail
class Sms:
    """A text message."""

    to: str  # E.164, with its plus sign
    text: str
    sender: str | None = None
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A postal letter."""

    last_name: str
    first_name: str
    line1: str
    postal_code: str
    city: str
    country: str  # ISO 3166-1, two letters
    files: tuple[File, ...]
    title: str | None = None
    company: str | None = None
    line2: str | None = None
    color: bool = False
    envelope: str = "C5"
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fax:
    """A fax of one document."""

    to: str  # E.164, with its plus sign
    file: File
    to_name: str | None = None
    cover_text: str | None = None
    cover_template: str | None = None  # of a cover page that the provider keeps
    retry_on: tuple[str, ...] = ("busy",)  # failures after which it is faxed once more
    retry_delays: tuple[int, ...] | None = None  # seconds before each; None: the operator's
    retry_attempts: int | None = None  # transmissions in all; None: one more than the delays


Content = Email | Sms | Letter | Fax
C_co = TypeVar("C_co", bound=Content, covariant=True)


def channel_of(content: Content) -> Channel:
    """Return the channel that carries a content."""
    match content:
        case Email():
            return Channel.EMAIL
        case Sms():
            return Channel.SMS
        case Letter():
            return Channel.LETTER
        case Fax():
            return Channel.FAX


def files_of(content: Content) -> tuple[File, ...]:
    """Return the files of a content, in their order."""
    match content:
        case Sms():
            return ()
        case Email() | Letter():
            return content.files
        case Fax():
            return (content.file,)


def addresses_of(content: Content) -> tuple[str, ...]:
    """Return every recipient of a content, first the one that it is shown under."""
    match content:
        case Email():
            return (content.to_address, *content.also_to, *content.cc)
        case Sms() | Fax():
            return (content.to,)
        case Letter():
            return ()


def units_of(content: Content) -> int | None:
    """Return what a content is paid by: parts of a text message, pages of a letter or fax."""
    match content:
        case Sms():
            return segments(content.text)
        case Letter() | Fax():
            return sum(file.pages or 0 for file in files_of(content)) or None
        case Email():
            return None


def masked_address(address: str) -> str:
    """Return an e-mail address that a reader may recognise and a stranger cannot use."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"[:MASKED_LENGTH]


def masked_number(number: str) -> str:
    """Return a number that a reader may recognise and a stranger cannot use."""
    head, tail = number[: max(0, len(number) - 8)], number[4:][-4:]
    return f"{head[:4]}****{tail}"


def masked_recipient(content: Content) -> str:
    """Return a recipient that a reader may recognise and a stranger cannot use."""
    match content:
        case Email():
            return masked_address(content.to_address)
        case Sms() | Fax():
            return masked_number(content.to)
        case Letter():
            return f"{content.last_name[:1]}***, {content.postal_code} {content.country}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as its client handed it in."""

    id: UUID
    client_id: UUID
    mode: Mode
    content: Content
    provider: str
    created_at: datetime
    send_at: datetime | None = None
    expires_at: datetime | None = None
    reference: str | None = None
    billing_code: str | None = None
    purpose: str = "transactional"
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    batch_id: UUID | None = None
    campaign_id: UUID | None = None  # of messages that leave together, in one call
    on_uncertain: str | None = None  # hold, retry: once nothing is proven to have been sent
    recipient_digest: str | None = None  # by which a search finds it

    @property
    def channel(self) -> Channel:
        """The channel that carries it."""
        return channel_of(self.content)


@dataclass(slots=True, kw_only=True)  # not frozen: that costs more than to make one
class Submission(Generic[C_co]):
    """What a provider is handed for one attempt."""

    message_id: UUID
    content: C_co
    reference: str  # ours, unique for each attempt; what REFCLIENT and `ref` carry
    billing_code: str | None
    files: Mapping[str, bytes]  # by SHA-256
    document_url: str | None = None  # where this attempt's document is served, if it is
    may_begin: MayBegin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Campaign(Generic[C_co]):
    """What a provider is handed to send to many recipients in one call.

    Its members differ in nothing but their recipient, variables and reference.
    """

    members: tuple[Submission[C_co], ...]

    @property
    def first(self) -> Submission[C_co]:
        """What holds for every member."""
        return self.members[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What a provider is asked about: a message that it accepted."""

    message_id: UUID
    channel: Channel
    provider_message_id: str
    function: str  # of the provider, that sent it
    reference: str  # of the attempt: what REFCLIENT carried
    recipients: tuple[str, ...] = ()  # of an e-mail
    recipient: str | None = None  # the one that is asked about, where it is one of several
