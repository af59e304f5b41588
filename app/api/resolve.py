"""Resolve what is uncertain or held: one message, or all that a dry run counted.

A key with the scope `messages:resolve` acts on its own client's messages; an operator's, with
`admin`, on every client's of the key's mode. The reason, the client and the key stand in the events.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import RowMapping

from app.api import answers, bodies
from app.api.access import Caller
from app.api.acting_schemas import ResolutionOut, ResolveBatchIn, ResolveIn
from app.api.cancel import actor_of
from app.api.edge import CallerDep, Edge, EdgeDep, IdempotencyKeyHeader, key_of
from app.api.openapi import takes
from app.api.shapes import MessageOut
from app.delivery import carry, resolve, resolve_many
from app.delivery.acting import Actor
from app.delivery.resolve import Command
from app.delivery.resolve_many import MOST, Counts
from app.delivery.verdicts import SENDS, Resolution, Verdict
from app.domain.errors import FieldError, NotFound, SelectionChanged
from app.domain.identifiers import BATCH, MESSAGE, read, shown
from app.domain.message import Channel
from app.store import resolving
from app.store.resolving import Picked, Selection

router = APIRouter(prefix="/v1/messages", tags=["resolve"])

SCOPE: Final = "messages:resolve"
LARGEST: Final = 65_536  # bytes of a body
_SHOWN: Final = 20  # ids
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": MessageOut, "description": "A letter: a second key must say the same"}
}


@router.post(
    "/{message_id}/resolve",
    response_model=MessageOut,
    responses=_ANSWERS,
    openapi_extra=takes(ResolveIn),
)
async def resolve_message(
    message_id: str,
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Say what became of a message that is uncertain, or what is to be done with it."""
    actor = _actor(caller)
    value = await bodies.read_json(request, LARGEST)
    key = key_of(edge, caller, idempotency_key, request, value)
    body = bodies.validated(ResolveIn, value)
    verdict = Verdict(body.outcome)
    if body.provider_message_id is not None and verdict is not Verdict.ASSUME_SENT:
        detail = "Only what is assumed to be sent has one."
        raise bodies.failed([FieldError("/provider_message_id", "not_with_outcome", detail)])
    resolution = Resolution(
        verdict=verdict,
        reason=body.reason,
        provider_message_id=body.provider_message_id,
        accepts_risk=body.accept_duplicate_risk,
    )
    row = await _found(edge, actor, message_id)
    answer = await resolve.resolve(
        edge.gateway,
        Command(actor=actor, row=row, resolution=resolution, key=key, written=_written),
    )
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, answer.status, headers, media_type="application/json")


@router.post("/resolve-batch", response_model=ResolutionOut, openapi_extra=takes(ResolveBatchIn))
async def resolve_messages(request: Request, edge: EdgeDep, caller: CallerDep) -> Response:
    """Resolve all messages that a filter counts: first a dry run, then the same confirmed."""
    actor = _actor(caller)
    body = bodies.validated(ResolveBatchIn, await bodies.read_json(request, LARGEST))
    selection = _selection(edge, actor, body)
    picked = await resolve_many.pick(edge.gateway, selection)
    if len(picked) > MOST:
        detail = f"More than {MOST:,} messages match; narrow it, by created_before for example."
        raise bodies.failed([FieldError("/filter", "too_many", detail)])
    confirmation = _confirmation(edge, actor, body, picked)
    if body.dry_run:
        return JSONResponse(_public(body, picked, confirmation=confirmation))
    if not hmac.compare_digest(confirmation.encode(), (body.confirmation or "").encode()):
        raise SelectionChanged
    resolution = Resolution(
        verdict=Verdict(body.outcome),
        reason=body.reason,
        accepts_risk=body.accept_duplicate_risk,
    )
    counts = await resolve_many.resolve_many(edge.gateway, actor, picked, resolution)
    return JSONResponse(_public(body, picked, counts=counts))


def _actor(caller: Caller) -> Actor:
    is_operator = "admin" in caller.scopes
    if not is_operator:
        caller.may(SCOPE)
    return actor_of(caller, for_all=is_operator)


async def _found(edge: Edge, actor: Actor, text: str) -> RowMapping:
    message_id = read(MESSAGE, text)
    if message_id is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        row = await resolving.find(connection, message_id, actor.mode, actor.reach)
    if row is None:
        raise NotFound
    return row


def _selection(edge: Edge, actor: Actor, body: ResolveBatchIn) -> Selection:
    """Return what a request selects; refuse what cannot be said of many messages."""
    errors = []
    given, verdict = body.filter, Verdict(body.outcome)
    batch_id = read(BATCH, given.batch_id) if given.batch_id is not None else None
    if given.batch_id is not None and batch_id is None:
        errors.append(FieldError("/filter/batch_id", "invalid", "This is not the id of a batch."))
    if verdict is Verdict.RETRY and not body.accept_duplicate_risk:
        detail = "They may have been sent already: say true to have them sent all the same."
        errors.append(FieldError("/accept_duplicate_risk", "duplicate_risk", detail))
    if Channel(given.channel) is Channel.LETTER and verdict in SENDS:
        detail = "Letters are sent again one by one, each by the word of two keys."
        errors.append(FieldError("/outcome", "needs_two_keys", detail))
    if given.status == "held" and verdict is Verdict.ASSUME_SENT:
        detail = "What is held can be sent or abandoned, and not assumed to be sent."
        errors.append(FieldError("/outcome", "not_with_status", detail))
    if not body.dry_run and body.confirmation is None:
        detail = "Give what the dry run answered."
        errors.append(FieldError("/confirmation", "missing", detail))
    if errors:
        raise bodies.failed(errors)
    narrowed = given.model_dump(exclude={"batch_id"})
    if given.provider is not None:
        # Messages of test keys are at its twin, and show its name all the same.
        narrowed["provider"] = carry.known_as(edge.gateway, given.provider, actor.mode)
    return Selection(**narrowed, mode=actor.mode, client_id=actor.reach, batch_id=batch_id)


def _confirmation(edge: Edge, actor: Actor, body: ResolveBatchIn, picked: Sequence[Picked]) -> str:
    """Return what stands for a filter, an outcome and exactly these messages."""
    named = {
        "filter": body.filter.model_dump(mode="json"),
        "outcome": body.outcome,
        "mode": actor.mode,
        "client": str(actor.reach),
        "messages": resolve_many.digest(picked),
    }
    text = json.dumps(named, sort_keys=True).encode()
    seal = hmac.new(edge.secret, b"resolve-batch\n" + text, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(seal).decode().rstrip("=")


def _public(
    body: ResolveBatchIn,
    picked: Sequence[Picked],
    *,
    confirmation: str | None = None,
    counts: Counts | None = None,
) -> dict[str, Any]:
    return {
        "object": "resolution",
        "dry_run": body.dry_run,
        "channel": body.filter.channel,
        "outcome": body.outcome,
        "count": len(picked),
        "message_ids": [shown(MESSAGE, message_id) for message_id, _ in picked[:_SHOWN]],
        "confirmation": confirmation,
        "resolved": counts and counts.resolved,
        "skipped": counts and counts.skipped,
    }


def _written(row: RowMapping) -> str:
    return json.dumps(answers.message(row), ensure_ascii=False)
