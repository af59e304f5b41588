"""Tools: look at an address, a number or a status code; by ourselves, and by the provider."""

from collections.abc import Mapping
from string import digits
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic_core import PydanticCustomError

from app.api import bodies, numbers
from app.api.access import Caller
from app.api.bodies import failed
from app.api.consulting import DESK, consult, may_consult
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.fields import email_address
from app.api.numbers import Looked
from app.api.openapi import ASKS_PROVIDER, takes
from app.api.tool_shapes import (
    EmailAddressIn,
    EmailAddressOut,
    EsmtpCodeOut,
    PhoneNumberIn,
    PhoneNumberOut,
)
from app.domain import esmtp
from app.domain.errors import (
    ChannelNotAllowed,
    Fault,
    FieldError,
    NotFound,
    ProviderContract,
    ProviderCredentials,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
)
from app.domain.esmtp import StatusCode
from app.domain.outcome import Denied, Told

router = APIRouter(prefix="/v1/tools", tags=["tools"])

SCOPE: Final = "messages:read"
LARGEST: Final = 65_536  # bytes of a body
# Digits without leading zeros that a provider is asked about: its answer to fewer cannot be told
# from one of its codes.
_FEWEST: Final = 7
# What may befall a check that nobody asked for: it leaves our own answer as it is.
_PROVIDERS: Final = (
    ChannelNotAllowed,
    ProviderContract,
    ProviderCredentials,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
)


@router.post(
    "/email-address",
    response_model=EmailAddressOut,
    responses=ASKS_PROVIDER,
    openapi_extra=takes(EmailAddressIn),
)
async def check_email_address(request: Request, edge: EdgeDep, caller: CallerDep) -> Response:
    """Check an e-mail address by its form; nothing is looked up, and nothing sent."""
    caller.may(SCOPE)
    body = bodies.validated(EmailAddressIn, await bodies.read_json(request, LARGEST))
    normalised, reason = None, None
    try:
        normalised = email_address(body.address)
    except PydanticCustomError as why:
        reason = why.message()
    verdict = None
    if body.provider_check:
        desk = may_consult(edge, caller, SCOPE)
        told = await consult(edge, desk, "VERIFIER_ADRESSE_EMAIL", {"DESTINATAIRE": body.address})
        verdict = {"name": DESK, "valid": isinstance(told, Told), **_said(told)}
    content = {
        "address": body.address,
        "normalised": normalised,
        "valid": normalised is not None,
        "reason": reason,
        "provider": verdict,
    }
    return JSONResponse(content)


@router.post(
    "/phone-number",
    response_model=PhoneNumberOut,
    responses=ASKS_PROVIDER,
    openapi_extra=takes(PhoneNumberIn),
)
async def check_phone_number(request: Request, edge: EdgeDep, caller: CallerDep) -> Response:
    """Normalise a telephone number; nobody is called."""
    caller.may(SCOPE)
    body = bodies.validated(PhoneNumberIn, await bodies.read_json(request, LARGEST))
    looked = numbers.look(body.number, region=body.region, kind=body.kind)
    wanted = looked.is_french_mobile if body.provider_check is None else body.provider_check
    asks = wanted and (body.number == "" or _digits(body.number) >= _FEWEST)
    theirs = await _transformed(edge, caller, body) if asks else None
    content = {
        "number": body.number,
        "normalised": looked.normalised,
        "national": looked.national,
        "type": looked.type,
        "region": looked.region,
        "valid": looked.normalised is not None and looked.reason is None,
        "reason": looked.reason,
        "provider": theirs,
        "agree": _agree(looked, theirs),
    }
    return JSONResponse(content)


def _digits(text: str) -> int:
    written = filter(digits.__contains__, text.replace("(0)", ""))
    return len("".join(written).lstrip("0"))


async def _transformed(edge: Edge, caller: Caller, body: PhoneNumberIn) -> dict[str, Any]:
    """Return what the provider makes of a number: of the text as it was given."""
    nothing = {"name": DESK, "number": None, "code": None, "label": None, "problem": None}
    try:
        desk = may_consult(edge, caller, SCOPE)
        told = await consult(edge, desk, "TRANSFORMER_NUMERO", {"NUMERO": body.number})
    except _PROVIDERS as fault:
        if body.provider_check:
            raise
        spoken = fault.provider or {}
        return {
            **nothing,
            "code": spoken.get("code"),
            "label": spoken.get("label"),
            "problem": fault.code,
        }
    if isinstance(told, Denied):
        return {**nothing, **_said(told)}
    return {**nothing, "number": told.value}


def _agree(looked: Looked, theirs: Mapping[str, Any] | None) -> bool | None:
    """Compare digits alone: the document's own example of a number is a digit short."""
    if theirs is None or theirs["number"] is None or looked.normalised is None:
        return None
    return bool(looked.normalised.removeprefix("+") == theirs["number"])


@router.get("/esmtp-codes/{code}", response_model=EsmtpCodeOut, responses=ASKS_PROVIDER)
async def get_esmtp_code(
    code: Annotated[str, Path(examples=["5.1.1"])],
    edge: EdgeDep,
    caller: CallerDep,
    source: Annotated[
        Literal["local", "provider"],
        Query(description="Our table of RFC 3463 and later ones, or the provider's own"),
    ] = "local",
) -> Response:
    """Explain an enhanced mail system status code, such as 5.1.1 (RFC 3463)."""
    caller.may(SCOPE)
    known = esmtp.read(code)
    if known is None:
        detail = "Write a code as class.subject.detail, such as 5.1.1; its class is 2, 4 or 5."
        raise failed([FieldError("/code", "code_invalid", detail)])
    if source == "local":
        if known.description is None:
            raise NotFound("The table has no such code.")
        return JSONResponse(_explained(known, known.description, source))
    desk = may_consult(edge, caller, SCOPE)
    told = await consult(edge, desk, "OBTENIR_CODE_ESMTP", {"CODE_ESMTP": code})
    if isinstance(told, Denied):
        raise _unknown(told)
    return JSONResponse(_explained(known, str(told.value), source))


def _unknown(denied: Denied) -> Fault:
    said = {"name": DESK, "function": "OBTENIR_CODE_ESMTP", **_said(denied)}
    return NotFound("The provider knows no such code.", provider=said)


def _explained(known: StatusCode, description: str, source: str) -> dict[str, Any]:
    return {
        "code": known.text,
        "class": {"code": known.code_class, "meaning": esmtp.CLASSES[known.code_class]},
        "subject": {"code": known.subject, "meaning": esmtp.SUBJECTS.get(known.subject)},
        "description": description,
        "temporary": known.is_temporary,
        "source": source,
        "registered_in": known.registered_in if source == "local" else None,
    }


def _said(told: Told | Denied) -> dict[str, str | None]:
    """Return a provider's code and words; what may echo the question is not repeated."""
    match told:
        case Denied(code, words):
            return {"code": code, "label": words or None}
        case Told(str() as value) if value.isascii() and value.isalnum():
            return {"code": value, "label": None}
        case _:
            return {"code": None, "label": None}
