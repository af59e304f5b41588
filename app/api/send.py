"""Send: one endpoint per channel. 202 leaves when the message is committed."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.api import answers, bodies, lifted
from app.api.access import Caller
from app.api.direct import Endpoint
from app.api.edge import (
    CallerDep,
    Edge,
    EdgeDep,
    IdempotencyKeyHeader,
    PreferHeader,
    caller_of,
    first_answer,
    key_of,
    take_in,
)
from app.api.given import given
from app.api.openapi import takes
from app.api.prefer import wait_of
from app.api.quota_items import showing_quota
from app.api.schemas import EmailIn, FaxIn, LetterIn, SmsIn
from app.api.sending import EMAIL, FAX, LETTER, SMS, Body, Sending, arrival_of, provider_of
from app.api.shapes import MessageOut
from app.delivery.accept import Answer, Key
from app.domain.errors import Fault
from app.domain.status import Status
from app.store import idempotency, reading
from app.store.database import UNAVAILABLE, StoreReadOnly

router = APIRouter(prefix="/v1", tags=["send"])

_NOT_YET: Final = frozenset({Status.SCHEDULED, Status.QUEUED, Status.SUBMITTING})
_ACCEPTED: Final = frozenset(
    {Status.SUBMITTED, Status.SENT, Status.DELIVERED, Status.PARTIALLY_DELIVERED}
)
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": MessageOut, "description": "The provider accepted it within the wait"},
    202: {"model": MessageOut, "description": "It is kept, and will be sent"},
}


@router.post("/emails", status_code=202, responses=_ANSWERS, openapi_extra=takes(EmailIn))
async def send_email(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
    prefer: PreferHeader = None,
) -> Response:
    """Send an e-mail to one recipient, or by the provider's relay to several."""
    return await _send(EMAIL, request, edge, caller, idempotency_key, prefer)


@router.post("/sms", status_code=202, responses=_ANSWERS, openapi_extra=takes(SmsIn))
async def send_sms(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
    prefer: PreferHeader = None,
) -> Response:
    """Send a text message."""
    return await _send(SMS, request, edge, caller, idempotency_key, prefer)


@router.post("/letters", status_code=202, responses=_ANSWERS, openapi_extra=takes(LetterIn))
async def send_letter(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
    prefer: PreferHeader = None,
) -> Response:
    """Send a postal letter."""
    return await _send(LETTER, request, edge, caller, idempotency_key, prefer)


@router.post("/faxes", status_code=202, responses=_ANSWERS, openapi_extra=takes(FaxIn))
async def send_fax(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
    prefer: PreferHeader = None,
) -> Response:
    """Send a fax of one document: a PDF, a picture or a plain text."""
    return await _send(FAX, request, edge, caller, idempotency_key, prefer)


def answering(sending: Sending[Any]) -> Endpoint:
    """Return what answers a request to send on a channel by itself, as the routes above do."""

    async def answer(edge: Edge, request: Request) -> Response:
        caller = await caller_of(edge, request)
        keys = given(request.scope, b"idempotency-key")
        prefer = given(request.scope, b"prefer")
        return await _send(sending, request, edge, caller, keys[0] if keys else None, prefer)

    return answer


async def _send(
    sending: Sending[Body],
    request: Request,
    edge: Edge,
    caller: Caller,
    given_key: str | None,
    prefer: list[str] | None,
) -> Response:
    edge.access.may_send(caller, sending.channel)
    came = await lifted.read(request, edge.body_limit, edge.reading)
    key = key_of(edge, caller, given_key, request, came.signed)
    try:
        answer = await _taken_in(sending, edge, caller, request, came, key)
    except (Fault, StoreReadOnly):
        # The commit itself finds a repeated key. What is wrong now may not have been so, or have
        # been another request, when the key came first: that comes before every other fault.
        first = await first_answer(edge, key)
        if first is None:
            raise
        answer = first
    seconds = wait_of(prefer) if prefer else 0
    if seconds and not answer.replayed:
        # It is kept: a client that heard of a store that went away since would send it again.
        with suppress(*UNAVAILABLE):
            answer = await _waited(edge, caller, answer, key, seconds)
    return answered(answer, seconds)


async def _taken_in(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    request: Request,
    came: lifted.Body,
    key: Key | None,
) -> Answer:
    body = bodies.validated(sending.model, came.value)
    edge.access.carrier(caller, provider_of(sending, edge, body))
    await edge.team.check(caller, body)
    arrival = await arrival_of(sending, edge, caller, body, key, came.files)
    if arrival.daily_quota is None:
        return await take_in(edge, arrival)
    with showing_quota(edge, caller, sending.channel, request) as showing:
        answer = await take_in(edge, arrival)
        showing.is_wanted = not answer.replayed
    return answer


async def _waited(
    edge: Edge, caller: Caller, answer: Answer, key: Key | None, seconds: int
) -> Answer:
    """Look until the provider has accepted or time is up; what was accepted answers 201."""
    message_id = answers.message_id_of(answer.location)
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + seconds, 0.02
    while True:
        async with edge.gateway.database.reading() as connection:
            row = await reading.find(connection, message_id, caller.client_id, caller.mode)
        assert row is not None
        if row["status"] not in _NOT_YET or loop.time() + pause > deadline:
            break
        left = timedelta(seconds=deadline - loop.time())
        if row["send_at"] is not None and row["send_at"] > edge.gateway.now() + left:
            break
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    status = 201 if row["status"] in _ACCEPTED else 202
    body = answers.written(answers.message(row))
    waited = replace(answer, status=status, body=body)
    if key is not None:
        async with edge.gateway.database.transaction() as connection:
            await idempotency.answer(
                connection, message_id, key.client_id, key.key, status=status, body=body
            )
    return waited


def answered(answer: Answer, waited: int = 0) -> Response:
    """Return what a client is told, that had the provider waited for."""
    headers = {"Location": answer.location}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    elif waited:
        headers["Preference-Applied"] = f"wait={waited}"
    return Response(answer.body, answer.status, headers, media_type="application/json")
