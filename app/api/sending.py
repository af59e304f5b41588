"""How each channel is sent on, and everything that is checked before a message is kept."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from app.api import answers, bodies, contents
from app.api.access import Caller
from app.api.answers import message_location
from app.api.edge import Edge
from app.api.gather import Gathered, gather_files
from app.api.schemas import Common, EmailIn, FaxIn, FileIn, LetterIn, SmsIn
from app.delivery.accept import Answer, Arrival, Key
from app.domain.message import Channel, Content, Email, File, Message, Mode, Submission
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


def _email_rules(body: EmailIn, edge: Edge, gathered: Gathered) -> None:
    """Check that the route carries what the e-mail asks for."""
    needs = contents.needs_relay(body)
    if body.route == "transactional" or (body.route == "auto" and not edge.relay_automatic):
        for pointer in needs:
            detail = "Only the relay carries this: send it with route relay."
            gathered.refuse(pointer, "needs_relay", detail)
    elif body.variables and (needs or body.route == "relay"):
        detail = "The relay has no variables: send one message to each recipient."
        gathered.refuse("/variables", "not_with_relay", detail)
    seen = set()
    given = {f"/to/{place}/address": one.address for place, one in enumerate(body.to)}
    given |= {f"/cc/{place}/address": one.address for place, one in enumerate(body.cc)}
    for pointer, address in given.items():
        if address.casefold() in seen:
            gathered.refuse(pointer, "repeated", "This recipient is named before; name it once.")
        seen.add(address.casefold())


def _text_alone(body: SmsIn, gathered: Gathered) -> None:
    """Refuse what only the function for many recipients has."""
    if body.variables:
        detail = "Only a batch in mode provider_multi has variables: write them into the text."
        gathered.refuse("/variables", "needs_provider_multi", detail)


def _fax_rules(body: FaxIn, edge: Edge, gathered: Gathered) -> None:
    """Check that the provider has cover pages where one is asked for."""
    provider = provider_of(FAX, edge, body)
    if body.retry is not None and provider == "efidem":
        gathered.warnings.append("not_carried:/retry")  # it acknowledges nothing to go by
    if body.cover is not None and provider == "fax123":
        detail = "123-fax has no cover pages: send it with provider efidem, or without cover."
        gathered.refuse("/cover", "not_supported", detail)


EMAIL: Final = Sending(
    channel=Channel.EMAIL,
    model=EmailIn,
    files=lambda body: _listed("attachments", body.attachments),
    pdf_only=False,
    content=contents.email,
    # The text of a megabyte of HTML takes a second to derive.
    is_heavy=lambda body: body.text is None and len(body.html or "") > LONG_HTML,
    rules=_email_rules,
)
SMS: Final = Sending(
    channel=Channel.SMS,
    model=SmsIn,
    files=lambda _: {},
    pdf_only=False,
    content=contents.sms,
    alone=_text_alone,
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
    rules=_fax_rules,
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


def provider_of(sending: Sending[Body], edge: Edge, body: Body) -> str:
    """Return the provider that will carry a message."""
    return sending.provider(body) or edge.gateway.routes[sending.channel]


async def arrival_of(
    sending: Sending[Body], edge: Edge, caller: Caller, body: Body, key: Key | None
) -> Arrival:
    """Check a request against everything that can be known before it is kept."""
    files, gathered = await gather_files(
        edge.gateway,
        caller.client_id,
        sending.files(body),
        limit=edge.attachment_limit,
        pdf_only=sending.pdf_only,
    )
    drafted = await draft(sending, edge, caller, body, (files, gathered))
    if drafted is None:
        raise bodies.failed(gathered.errors)
    message_id = drafted.row["id"]
    answer = Answer(
        status=202,
        location=message_location(message_id),
        body=json.dumps(answers.message(drafted.row), ensure_ascii=False),
    )
    return Arrival(
        object_id=message_id,
        answer=answer,
        key=key,
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
    provider = provider_of(sending, edge, body)
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
        )
    )
    sent = prepared.content
    return Drafted(
        row=row,
        content=sent,
        recipients=recipients.rows_of(row, sent) if isinstance(sent, Email) and sent.relay else [],
        files=prepared.files,
    )


def _send_at(body: Common, delay: timedelta, now: datetime, gathered: Gathered) -> datetime | None:
    begins = max(body.send_at or now, now) + delay
    if begins > now + LONGEST_DELAY:
        gathered.refuse("/send_at", "too_late", "A message may wait for 90 days at most.")
    if body.expires_at is not None and body.expires_at <= begins:
        detail = "The message would expire before it could be sent; give a later time."
        gathered.refuse("/expires_at", "too_early", detail)
    return begins if begins > now else None
