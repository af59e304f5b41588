"""Batches: many e-mails or text messages in one request, kept all together or not at all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from app.api import answers, bodies, contents
from app.api.access import Caller
from app.api.batch_schemas import BatchIn
from app.api.edge import (
    CallerDep,
    Edge,
    EdgeDep,
    IdempotencyKeyHeader,
    first_answer,
    key_of,
    take_in,
)
from app.api.gather import Gathered, gather_files
from app.api.openapi import takes
from app.api.sending import EMAIL, SMS, Batch, Body, Drafted, Sending, draft, provider_of
from app.api.shapes import BatchOut
from app.delivery.accept import Answer, Arrival, Key
from app.domain.errors import FieldError, NotFound
from app.domain.identifiers import BATCH, read, shown
from app.domain.message import Content, Email, File, Sms
from app.store import batches

router = APIRouter(prefix="/v1", tags=["batches"])

MOST_TOKENS: Final = 200_000  # names, values and brackets of a body
# What may differ between messages that leave in one call, and is no part of their content.
_OWN: Final = frozenset({"reference", "tags", "metadata", "to", "variables"})

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": BatchOut, "description": "All are kept, and will be sent"}
}


@router.post("/emails/batch", status_code=202, responses=_ANSWERS, openapi_extra=takes(BatchIn))
async def send_emails(
    request: Request, edge: EdgeDep, caller: CallerDep, idempotency_key: IdempotencyKeyHeader = None
) -> Response:
    """Send many e-mails; each of `messages` is what POST /v1/emails takes."""
    return await _send(EMAIL, request, edge, caller, idempotency_key)


@router.post("/sms/batch", status_code=202, responses=_ANSWERS, openapi_extra=takes(BatchIn))
async def send_texts(
    request: Request, edge: EdgeDep, caller: CallerDep, idempotency_key: IdempotencyKeyHeader = None
) -> Response:
    """Send many text messages; each of `messages` is what POST /v1/sms takes."""
    return await _send(SMS, request, edge, caller, idempotency_key)


@router.get("/batches/{batch_id}", response_model=BatchOut)
async def get_batch(batch_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return a batch, and how many of its messages have each status."""
    caller.may("messages:read")
    identifier = read(BATCH, batch_id)
    if identifier is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        row = await batches.find(connection, identifier, caller.client_id, caller.mode)
        counts = await batches.counts(connection, identifier) if row is not None else {}
    if row is None:
        raise NotFound
    return JSONResponse(answers.batch(row, counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One message of a batch as it came, and where each of its fields stands in the request."""

    place: int
    given: Mapping[str, Any]
    defaults: Mapping[str, Any]

    @property
    def merged(self) -> dict[str, Any]:
        return {**self.defaults, **self.given}

    def located(self, error: FieldError) -> FieldError:
        """Return an error with its pointer into the request."""
        name = error.pointer.split("/")[1] if error.pointer else ""
        own = name in self.given or name not in self.defaults
        above = f"/messages/{self.place}" if own else "/defaults"
        return replace(error, pointer=above + error.pointer)


async def _send(
    sending: Sending[Body], request: Request, edge: Edge, caller: Caller, given_key: str | None
) -> Response:
    edge.access.may_send(caller, sending.channel)
    value = await bodies.read_json(request, edge.body_limit, MOST_TOKENS)
    key = key_of(edge, caller, given_key, request, value)
    answer = await first_answer(edge, key)
    if answer is None:
        batch = bodies.validated(BatchIn, value)
        answer = await take_in(edge, await _arrival_of(sending, edge, caller, batch, key))
    headers = {"Location": answer.location}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


async def _arrival_of(
    sending: Sending[Body], edge: Edge, caller: Caller, batch: BatchIn, key: Key | None
) -> Arrival:
    rows = [
        _Row(place=place, given=one, defaults=batch.defaults)
        for place, one in enumerate(batch.messages)
    ]
    errors: list[FieldError] = []
    bodies_of = _validated(sending, rows, errors)
    if batch.mode == "provider_multi" and not errors:
        errors += _by_relay(rows, bodies_of)
    if errors:
        raise bodies.failed(_unique(errors))
    provider = edge.gateway.providers[provider_of(sending, edge, bodies_of[0])]
    edge.access.may_reach(caller, simulated=provider.is_local)
    shared = Batch(id=edge.gateway.ids.new(), together=batch.mode == "provider_multi")
    drafted = await _drafted(sending, edge, caller, (rows, bodies_of, shared), errors)
    if shared.together and not errors:
        errors += _differences(rows, bodies_of, drafted)
    if errors:
        raise bodies.failed(_unique(errors))
    if shared.together:
        for one in drafted[1:]:
            one.row["due_at"] = None  # the first is due for all
    row = {
        "id": shared.id,
        "client_id": caller.client_id,
        "mode": caller.mode,
        "channel": sending.channel.value,
        "sending": batch.mode,
        "size": len(drafted),
        "created_at": drafted[0].row["created_at"],
    }
    body = answers.batch(row, {}, [one.row for one in drafted])
    answer = Answer(
        status=202,
        location=f"/v1/batches/{shown(BATCH, shared.id)}",
        body=json.dumps(body, ensure_ascii=False),
    )
    return Arrival(
        object_id=shared.id,
        answer=answer,
        key=key,
        batch=row,
        messages=[one.row for one in drafted],
        recipients=[recipient for one in drafted for recipient in one.recipients],
        files={digest: content for one in drafted for digest, content in one.files.items()},
    )


def _validated(
    sending: Sending[Body], rows: Sequence[_Row], errors: list[FieldError]
) -> list[Body]:
    found = []
    for row in rows:
        try:
            found.append(sending.model.model_validate(row.merged))
        except ValidationError as fault:
            # Never the input: it would echo recipients and contents.
            wrong = fault.errors(include_url=False, include_input=False, include_context=True)
            errors += [row.located(bodies.field_error(one)) for one in wrong]
    return found


async def _drafted(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    batch: tuple[Sequence[_Row], Sequence[Body], Batch],
    errors: list[FieldError],
) -> list[Drafted]:
    """Return each message's rows; the files that messages share are looked at once."""
    rows, given, shared = batch
    known: dict[str, tuple[list[File], Gathered]] = {}
    found = []
    for row, body in zip(rows, given, strict=True):
        files = sending.files(body)
        name = json.dumps([one.model_dump() for one in files.values()])
        if name not in known:
            known[name] = await gather_files(
                edge.gateway,
                caller.client_id,
                files,
                limit=edge.attachment_limit,
                pdf_only=sending.pdf_only,
            )
        looked_at, gathered = known[name]
        own = gathered.copied()
        drafted = await draft(sending, edge, caller, body, (looked_at, own), batch=shared)
        errors += [row.located(one) for one in own.errors]
        if drafted is not None:
            found.append(drafted)
    return found


def _by_relay(rows: Sequence[_Row], given: Sequence[Body]) -> list[FieldError]:
    """Return which messages only the relay carries: no WSDL can be asked how it sends many."""
    detail = "The relay sends one message to several recipients: use mode individual."
    error = FieldError("/route", "not_in_provider_multi", detail)
    pairs = zip(rows, given, strict=True)
    return [row.located(error) for row, body in pairs if contents.takes_relay(body)]


def _differences(
    rows: Sequence[_Row], given: Sequence[Body], drafted: Sequence[Drafted]
) -> list[FieldError]:
    """Return what keeps messages from leaving in one call."""
    errors = []
    first, first_body = _shared(drafted[0].content), given[0].model_dump(exclude=set(_OWN))
    for row, body, one in zip(rows[1:], given[1:], drafted[1:], strict=True):
        own = body.model_dump(exclude=set(_OWN))
        names = [name for name, value in own.items() if value != first_body[name]]
        if _shared(one.content) != first or names:
            name = (names or [""])[0].rstrip("_")
            detail = (
                "Messages that leave in one call differ in recipient, variables, reference, tags"
                " and metadata only: use mode individual, or give this in defaults."
            )
            pointer = f"/{name}" if name else ""
            errors.append(row.located(FieldError(pointer, "not_in_provider_multi", detail)))
    return errors


def _shared(content: Content) -> Content:
    """Return a content without what its recipient alone has."""
    match content:
        case Email():
            return replace(content, to_address="", to_name=None, variables=())
        case Sms():
            return replace(content, to="", variables=())
        case _:
            return content


def _unique(errors: Sequence[FieldError]) -> list[FieldError]:
    """Return errors once each: what is wrong in `defaults` is wrong in every message."""
    return list(dict.fromkeys(errors))
