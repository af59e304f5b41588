"""Users of the provider's console: added and removed by one call each, which nobody repeats.

A new user's password is passed on, and stands in no record, log or answer. With a key, the record
is written before the call: whoever asks again, even after this process died, gets what is known,
and never a second call.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import AfterValidator
from sqlalchemy import RowMapping

from app.api import bodies
from app.api.consulting import consult, may_consult, said
from app.api.edge import CallerDep, Edge, EdgeDep, IdempotencyKeyHeader, key_of
from app.api.fields import writable
from app.api.openapi import ASKS_PROVIDER, takes
from app.api.tool_shapes import ProviderUserIn, ProviderUserOut, UserName
from app.delivery import accept
from app.delivery.accept import Answer, Key
from app.domain.errors import (
    IdempotencyInProgress,
    NotFound,
    OutcomeUnknown,
    ProviderContract,
    ProviderCredentials,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
)
from app.domain.outcome import Denied, Told
from app.store import idempotency
from app.store.database import UNAVAILABLE

router = APIRouter(prefix="/v1/provider-users", tags=["provider users"])

SCOPE: Final = "admin"
LARGEST: Final = 65_536  # bytes of a body
_ADD: Final = "AJOUTER_UTILISATEUR"
_REMOVE: Final = "ENLEVER_UTILISATEUR"
_LOOK: Final = (
    "We repeat nothing. Look into the list of users of the provider's console before you ask again."
)
# In a record's status: the call is under way; it is over, and nobody knows what came of it.
_UNDER_WAY: Final = 0
_UNKNOWN: Final = 502
_DONE: Final = 201
_LONGEST_CALL: Final = timedelta(seconds=150)  # a call that is not over by then never will be


@dataclass(frozen=True, slots=True)
class Held:
    """A key that this request has taken."""

    key: Key
    object_id: UUID


@router.post(
    "",
    status_code=201,
    response_model=ProviderUserOut,
    responses=ASKS_PROVIDER,
    openapi_extra=takes(ProviderUserIn),
)
async def add_provider_user(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Add a user to the provider's console; an answer 502 means that it may have been added."""
    desk = may_consult(edge, caller, SCOPE)
    value = await bodies.read_json(request, LARGEST)
    # The fingerprint is an HMAC: the password cannot be found in it.
    key = key_of(edge, caller, idempotency_key, request, value)
    body = bodies.validated(ProviderUserIn, value)
    held = await _take(edge, key)
    if isinstance(held, Answer):
        return _added(held)
    return _added(Answer(status=_DONE, location="", body=await _add(edge, desk, body, held)))


@router.delete("/{username:path}", status_code=204, responses=ASKS_PROVIDER)
async def remove_provider_user(
    username: Annotated[UserName, AfterValidator(writable), Path()],
    edge: EdgeDep,
    caller: CallerDep,
) -> Response:
    """Remove a user from the provider's console."""
    desk = may_consult(edge, caller, SCOPE)
    try:
        told = await consult(edge, desk, _REMOVE, {"NOM_UTILISATEUR": username})
    except ProviderProtocolError as fault:
        raise _perhaps("removed", fault.provider) from None
    if isinstance(told, Denied):
        provider = said(_REMOVE, told.code, told.words)
        raise NotFound("The provider has no such user.", provider=provider)
    return Response(status_code=204)


async def _take(edge: Edge, key: Key | None) -> Held | Answer | None:
    """Take a key before anything is done; return the first answer where it was answered before.

    Raises where its first request is not over, or its outcome is not known.
    """
    if key is None:
        return None
    gateway, held = edge.gateway, Held(key, edge.gateway.ids.new())
    row = {
        "client_id": key.client_id,
        "mode": key.mode,
        "key": key.key,
        "fingerprint": key.fingerprint,
        "object_id": held.object_id,
        "status": _UNDER_WAY,
        "location": "",
        "body": "",
        "created_at": gateway.now(),
    }
    async with gateway.database.transaction() as connection:
        if await idempotency.take(connection, [row]):
            return held
        (record,) = await accept.first_answers(connection, [key])
    if record is None:  # it was taken, and given free since
        raise IdempotencyInProgress
    return _first(record, key, gateway.now())


def _first(record: RowMapping, key: Key, now: datetime) -> Answer:
    answer = accept.replay(record, key)
    if answer.status == _DONE:
        return answer
    if answer.status == _UNDER_WAY and now - record["created_at"] < _LONGEST_CALL:
        raise IdempotencyInProgress
    detail = f"The first request with this key may have added the user, or not. {_LOOK}"
    raise OutcomeUnknown(detail)


async def _add(edge: Edge, desk: str, body: ProviderUserIn, held: Held | None) -> str:
    """Call once; return the answer's body. The key stays taken where the user may exist now."""
    password = body.password.get_secret_value()
    values = {"NOM_UTILISATEUR": body.username, "MOT_DE_PASSE": password}
    try:
        told = await _call(edge, desk, values)
    except ProviderProtocolError as fault:
        await _settle(edge, held, _UNKNOWN, "")
        raise _perhaps("added", fault.provider) from None
    except (ProviderRejected, ProviderUnavailable, ProviderCredentials, ProviderContract):
        # Nothing was done: the key may bring the same again, or what was corrected.
        await _settle(edge, held, None, "")
        raise
    code = told.value if isinstance(told.value, str) else None
    content = {"username": body.username, "provider": said(_ADD, code, None)}
    shown = json.dumps(content, ensure_ascii=False)
    await _settle(edge, held, _DONE, shown)
    return shown


async def _call(edge: Edge, desk: str, values: Mapping[str, object]) -> Told:
    told = await consult(edge, desk, _ADD, values)
    if isinstance(told, Denied):
        raise ProviderRejected(provider=said(_ADD, told.code, told.words))
    return told


async def _settle(edge: Edge, held: Held | None, status: int | None, body: str) -> None:
    """Write down how a key's request ended; None gives the key free."""
    if held is None:
        return
    # The provider has answered, and the client must hear it. What could not be written down stays
    # under way: then nobody calls again with this key either.
    with suppress(*UNAVAILABLE):
        async with edge.gateway.database.transaction() as connection:
            of = (connection, held.object_id, held.key.client_id, held.key.key)
            if status is None:
                await idempotency.free(*of)
            else:
                await idempotency.answer(*of, status=status, body=body)


def _added(answer: Answer) -> Response:
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _perhaps(done: str, provider: Mapping[str, str | None] | None) -> ProviderProtocolError:
    detail = f"The provider's answer is unclear: the user may have been {done}, or not. {_LOOK}"
    return ProviderProtocolError(detail, provider=provider)
