"""Batches: many e-mails or text messages in one request, kept all together or not at all."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.api import batch_reading, bodies, in_pieces
from app.api.access import Caller
from app.api.batch_intake import arrival_of
from app.api.batch_key import key_of
from app.api.batch_schemas import BatchIn, read_batch
from app.api.edge import (
    CallerDep,
    Edge,
    EdgeDep,
    IdempotencyKeyHeader,
    take_in,
)
from app.api.openapi import takes
from app.api.quota_items import showing_quota
from app.api.sending import EMAIL, SMS, Body, Sending
from app.api.shapes import BatchOut
from app.api.slices import Slices
from app.delivery.accept_many import ahead

router = APIRouter(prefix="/v1", tags=["batches"])

SWITCH: Final = 0.0002  # seconds for which a thread keeps the interpreter from the others
USUAL: Final = sys.getswitchinterval()

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": BatchOut, "description": "All are kept, and will be sent"}
}


@router.post("/emails/batch", status_code=202, responses=_ANSWERS, openapi_extra=takes(BatchIn))
async def send_email_batch(
    request: Request, edge: EdgeDep, caller: CallerDep, idempotency_key: IdempotencyKeyHeader = None
) -> Response:
    """Send many e-mails; each of `messages` is what POST /v1/emails takes."""
    return await _send(EMAIL, request, edge, caller, idempotency_key)


@router.post("/sms/batch", status_code=202, responses=_ANSWERS, openapi_extra=takes(BatchIn))
async def send_sms_batch(
    request: Request, edge: EdgeDep, caller: CallerDep, idempotency_key: IdempotencyKeyHeader = None
) -> Response:
    """Send many text messages; each of `messages` is what POST /v1/sms takes."""
    return await _send(SMS, request, edge, caller, idempotency_key)


async def _send(
    sending: Sending[Body], request: Request, edge: Edge, caller: Caller, given_key: str | None
) -> Response:
    edge.access.may_send(caller, sending.channel)
    slices = Slices(rested=edge.gateway.database.rested)
    body = await bodies.read_json_bytes(request, edge.body_limit)
    # A repeat of a long batch waits for the first, and is answered without being checked anew.
    async with _turn(edge, len(body)):
        mark = str(edge.gateway.ids.new())
        value, are_whole = await batch_reading.read(body, mark, slices)
        key = key_of(edge, caller, given_key, request)
        answer = await key.first_answer(value, slices) if key is not None else None
        if answer is None:
            batch = read_batch(value)
            if key is not None:
                key.begin(value, are_whole=are_whole)
            async with ahead(edge.gateway) as writing:
                given = (batch, key, writing)
                arrival = await arrival_of(sending, edge, caller, given, slices)
                with showing_quota(edge, caller, sending.channel, request):
                    answer = await take_in(edge, arrival, writing.keep)
            await slices.let_go(arrival.messages)
    headers = {"Location": answer.location}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return await in_pieces.answer(answer.body, answer.status, headers, slices)


@asynccontextmanager
async def _turn(edge: Edge, size: int) -> AsyncIterator[None]:
    if size < bodies.LONG:
        yield
        return
    async with edge.turns:
        # It would look at all that is made of ten thousand messages again and again, at 20 ms a
        # time, and nothing of it is garbage.
        gc.disable()
        # SQLite's threads, and the one that reads the body, would each take 5 ms at a time.
        sys.setswitchinterval(SWITCH)
        try:
            yield
        finally:
            sys.setswitchinterval(USUAL)
            gc.enable()
