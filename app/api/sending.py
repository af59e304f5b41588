"""How each channel is sent on, and everything that is checked before a message is kept."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from app.api import answers, bodies, contents
from app.api.access import Caller
from app.api.base64s import Decoded
from app.api.edge import Edge
from app.api.gather import Gathered, gather_files
from app.api.rules import email_rules, fax_rules, text_alone
from app.api.schemas import Common, EmailIn, FaxIn, FileIn, LetterIn, SmsIn
from app.delivery.accept import Answer, Arrival, Key
from app.domain.message import Channel, Content, File, Message, Mode, Submission
from app.store import messages, recipients

Body = TypeVar("Body", bound=Common)
LONG_HTML: Final = 20_000  # characters
LONGEST_DELAY: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending(Generic[Body]):
    """How one channel is sent on."""

    channel: Channel
    model: type[Body]
    files: Callable[[Body], Mapping[str, FileIn]]  # by their pointers
    pdf_only: bool
    content: Callable[[Body, Sequence[File], Gathered], Content]
    delay: Callable[[Body], timedelta] = lambda _: timedelta(0)
    # Its content takes long to make: not on the event loop.
    is_heavy: Callable[[Body], bool] = lambda _: False
    # What a provider or the operator does not allow of it.
    rules: Callable[[Body, Edge, Gathered], None] = lambda _body, _edge, _gathered: None
    alone: Callable[[Body, Gathered], None] = lambda _body, _gathered: None  # in a call of its own
    provider: Callable[[Body], str | None] = lambda _: None  # None: as the operator routes it


def _listed(name: str, files: Sequence[FileIn]) -> dict[str, FileIn]:
    return {f"/{name}/{place}": one for place, one in enumerate(files)}


EMAIL: Final = Sending(
    channel=Channel.EMAIL,
    model=EmailIn,
    files=lambda body: _listed("attachments", body.attachments),
    pdf_only=False,
    content=contents.email,
    # The text of a megabyte of HTML takes a second to derive.
    is_heavy=lambda body: body.text is None and len(body.html or "") > LONG_HTML,
    rules=email_rules,
)
SMS: Final = Sending(
    channel=Channel.SMS,
    model=SmsIn,
    files=lambda _: {},
    pdf_only=False,
    content=contents.sms,
    alone=text_alone,
)
LETTER: Final = Sending(
    channel=Channel.LETTER,
    model=LetterIn,
    files=lambda body: _listed("documents", body.documents),
    pdf_only=True,
    content=contents.letter,
    delay=lambda body: timedelta(seconds=body.cancel_window_seconds),
)
FAX: Final = Sending(
    channel=Channel.FAX,
    model=FaxIn,
    files=lambda body: {"/document": body.document},
    pdf_only=True,
    content=contents.fax,
    rules=fax_rules,
    provider=lambda body: None if body.provider == "auto" else body.provider,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What messages that were accepted at once share."""

    id: UUID
    together: bool  # they leave in one call


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A message that everything was checked of, ready to be kept."""

    row: dict[str, Any]
    content: Content
    recipients: list[dict[str, Any]]
    files: Mapping[str, bytes]  # by SHA-256
    alike: bool  # as its provider has it: see Prepared


def provider_of(sending: Sending[Body], edge: Edge, body: Body) -> str:
    """Return the provider that will carry a message."""
    return sending.provider(body) or edge.gateway.routes[sending.channel]


async def arrival_of(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    body: Body,
    key: Key | None,
    brought: Mapping[str, Decoded],
) -> Arrival:
    """Check a request against everything that can be known before it is kept.

    `brought` are files of it that were decoded already, by their pointers.
    """
    files, gathered = await gather_files(
        edge.gateway,
        caller.client_id,
        sending.files(body),
        limit=edge.attachment_limit,
        pdf_only=sending.pdf_only,
        brought=brought,
    )
    drafted = await draft(sending, edge, caller, body, (files, gathered))
    if drafted is None:
        raise bodies.failed(gathered.errors)
    told = answers.message(drafted.row)
    return Arrival(
        object_id=drafted.row["id"],
        answer=Answer(
            status=202, location=told["links"]["self"], body=answers.written(told), kept=False
        ),
        key=key,
        unique_references=caller.unique_references,
        daily_quota=caller.quota_of(sending.channel),
        messages=(drafted.row,),
        recipients=drafted.recipients,
        files=drafted.files,
    )


async def draft(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    body: Body,
    given: tuple[Sequence[File], Gathered],
    *,
    batch: Batch | None = None,
) -> Drafted | None:
    """Return a message's rows, or None where something is wrong: `given` then holds the errors."""
    gateway, (files, gathered) = edge.gateway, given
    now = gateway.now()
    together = batch is not None and batch.together
    sending.rules(body, edge, gathered)
    if not together:
        sending.alone(body, gathered)
    send_at = _send_at(body, sending.delay(body), now, gathered)
    if gathered.errors:
        return None
    message_id = gateway.ids.new()
    provider = edge.access.carrier(caller, provider_of(sending, edge, body))
    if sending.is_heavy(body):
        content = await asyncio.to_thread(sending.content, body, files, gathered)
    else:
        content = sending.content(body, files, gathered)
    prepared = await gateway.providers[provider].prepare(
        Submission(
            message_id=message_id,
            content=content,
            reference="",
            billing_code=body.billing_code,
            files=gathered.files,
        ),
        together=together,
    )
    gathered.errors += prepared.errors
    if gathered.errors:
        return None
    row = messages.row_of(
        Message(
            id=message_id,
            client_id=caller.client_id,
            mode=Mode(caller.mode),
            content=prepared.content,
            provider=provider,
            created_at=now,
            send_at=send_at,
            expires_at=body.expires_at,
            reference=body.reference,
            billing_code=body.billing_code,
            on_uncertain=body.on_uncertain,
            purpose=body.purpose,
            tags=tuple(body.tags),
            metadata=body.metadata,
            warnings=(*gathered.warnings, *prepared.warnings),
            batch_id=batch.id if batch is not None else None,
            campaign_id=batch.id if batch is not None and together else None,
            recipient_digest=edge.recognise.content(prepared.content),
        )
    )
    sent = prepared.content
    return Drafted(
        row=row,
        content=sent,
        recipients=recipients.rows_of(row, sent, edge.recognise),
        files=prepared.files,
        alike=prepared.alike,
    )


def _send_at(body: Common, delay: timedelta, now: datetime, gathered: Gathered) -> datetime | None:
    begins = max(body.send_at or now, now) + delay
    if begins > now + LONGEST_DELAY:
        gathered.refuse("/send_at", "too_late", "A message may wait for 90 days at most.")
    if body.expires_at is not None and body.expires_at <= begins:
        detail = "The message would expire before it could be sent; give a later time."
        gathered.refuse("/expires_at", "too_early", detail)
    return begins if begins > now else None
