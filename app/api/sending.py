"""How each channel is sent on, and everything that is checked before a message is kept."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from app.api import answers, bodies, contents
from app.api.access import Caller
from app.api.answers import message_location
from app.api.contents import Gathered
from app.api.edge import Edge
from app.api.schemas import Common, EmailIn, FaxIn, FileIn, LetterIn, SmsIn
from app.delivery.accept import Answer, Arrival, Key
from app.domain.message import Channel, Content, File, Message, Mode, Submission
from app.store import messages

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
)
SMS: Final = Sending(
    channel=Channel.SMS,
    model=SmsIn,
    files=lambda _: {},
    pdf_only=False,
    content=contents.sms,
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
)


async def arrival_of(
    sending: Sending[Body], edge: Edge, caller: Caller, body: Body, key: Key | None
) -> Arrival:
    """Check a request against everything that can be known before it is kept."""
    gateway = edge.gateway
    files, gathered = await contents.gather_files(
        gateway,
        caller.client_id,
        sending.files(body),
        limit=edge.attachment_limit,
        pdf_only=sending.pdf_only,
    )
    now = gateway.now()
    send_at = _send_at(body, sending.delay(body), now, gathered)
    if gathered.errors:
        raise bodies.failed(gathered.errors)
    message_id = gateway.ids.new()
    provider = gateway.routes[sending.channel]
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
        )
    )
    if gathered.errors or prepared.errors:
        raise bodies.failed([*gathered.errors, *prepared.errors])
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
            purpose=body.purpose,
            tags=tuple(body.tags),
            metadata=body.metadata,
            warnings=(*gathered.warnings, *prepared.warnings),
        )
    )
    answer = Answer(
        status=202,
        location=message_location(message_id),
        body=json.dumps(answers.message(row), ensure_ascii=False),
    )
    return Arrival(object_id=message_id, answer=answer, key=key, message=row, files=prepared.files)


def _send_at(body: Common, delay: timedelta, now: datetime, gathered: Gathered) -> datetime | None:
    begins = max(body.send_at or now, now) + delay
    if begins > now + LONGEST_DELAY:
        gathered.refuse("/send_at", "too_late", "A message may wait for 90 days at most.")
    if body.expires_at is not None and body.expires_at <= begins:
        detail = "The message would expire before it could be sent; give a later time."
        gathered.refuse("/expires_at", "too_early", detail)
    return begins if begins > now else None
