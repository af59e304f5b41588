"""Faults as `application/problem+json` (RFC 9457): one table from the class to the HTTP status."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.api.bodies import failed
from app.api.methods import taken_at
from app.api.wrong_fields import field_error
from app.domain import errors
from app.domain.errors import Fault
from app.store.database import CommitUnknown, StoreReadOnly

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"
UNAUTHORIZED: Final = 401

# In the order of the status: (class, HTTP status, title, worth trying again unchanged).
TABLE: Final[tuple[tuple[type[Fault], int, str, bool], ...]] = (
    (errors.MalformedJson, 400, "Malformed JSON", False),
    (errors.MalformedRequest, 400, "Malformed request", False),
    (errors.IdempotencyKeyRequired, 400, "Idempotency-Key required", False),
    (errors.IdempotencyKeyInvalid, 400, "Idempotency-Key invalid", False),
    (errors.CursorInvalid, 400, "Cursor invalid", False),
    (errors.ApiKeyInvalid, 401, "API key invalid", False),
    (errors.TokenInvalid, 401, "Token invalid", False),
    (errors.ScopeMissing, 403, "Scope missing", False),
    (errors.ChannelNotAllowed, 403, "Channel not allowed", False),
    (errors.RecipientNotInTeamList, 403, "Recipient not in the team's list", False),
    (errors.NetworkNotAllowed, 403, "Network not allowed", False),
    (errors.ModeNotAllowed, 403, "Mode not allowed", False),
    (errors.ClientUnknown, 403, "Client unknown", False),
    (errors.NotFound, 404, "Not found", False),
    (errors.MethodNotAllowed, 405, "Method not allowed", False),
    (errors.IdempotencyInProgress, 409, "Request in progress", True),
    (errors.DuplicateReference, 409, "Duplicate reference", False),
    (errors.OutcomeUnknown, 409, "Outcome unknown", False),
    (errors.AlreadySubmitted, 409, "Already submitted", False),
    (errors.AlreadyFinal, 409, "Already final", False),
    (errors.NotSubmitted, 409, "Not submitted", False),
    (errors.NotUncertain, 409, "Not uncertain", False),
    (errors.StatusQueryNotSupported, 409, "Status query not supported", False),
    (errors.SelectionChanged, 409, "Selection changed", False),
    (errors.ReportNotReady, 409, "Report not ready", True),
    (errors.ReportFailed, 409, "Report failed", False),
    (errors.ClientExists, 409, "Client exists", False),
    (errors.KeyNotActive, 409, "Key not active", False),
    (errors.WebhookEndpointDisabled, 409, "Webhook endpoint disabled", False),
    (errors.WebhookEndpointsExhausted, 409, "Webhook endpoints exhausted", False),
    (errors.PayloadTooLarge, 413, "Payload too large", False),
    (errors.UnsupportedMediaType, 415, "Unsupported media type", False),
    (errors.ValidationFailed, 422, "Validation failed", False),
    (errors.IdempotencyKeyReused, 422, "Idempotency-Key reused", False),
    (errors.DocumentInvalid, 422, "Document invalid", False),
    (errors.ReportUnreadable, 422, "Report unreadable", False),
    (errors.ProviderRejected, 422, "Provider rejected", False),
    (errors.QuotaExceeded, 429, "Quota exceeded", True),
    (errors.DailyQuotaExceeded, 429, "Daily quota exceeded", True),
    (errors.RateLimited, 429, "Rate limited", True),
    (errors.ProviderProtocolError, 502, "Provider protocol error", False),
    (errors.ProviderUnavailable, 503, "Provider unavailable", True),
    (errors.ProviderCredentials, 503, "Provider credentials", True),
    (errors.ProviderContract, 503, "Provider contract", True),
    (errors.IssuerUnavailable, 503, "Issuer unavailable", True),
    (errors.QueueFull, 503, "Queue full", True),
    (errors.TooBusy, 503, "Too busy", True),
    (errors.StorageLow, 503, "Storage low", True),
    (errors.StoreUnavailable, 503, "Store unavailable", True),
)
_ROWS: Final = {row[0]: row for row in TABLE}
_BY_STATUS: Final[Mapping[int, type[Fault]]] = {
    400: errors.MalformedRequest,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
}
_UNKNOWN: Final = (
    "The store broke off while it kept this; whether it did is not known. Send the same request"
    " again, with the same Idempotency-Key."
)
_NO_ADDRESS: Final = "There is no such address; GET /openapi.json lists all that there are."
_INTERNAL: Final = {
    "code": "internal_error",
    "detail": "This is our fault; it was logged under the request id.",
}


def problem(request: Request, fault: Fault, headers: Mapping[str, str] | None = None) -> Response:
    """Return a fault as an answer."""
    _, status, title, retryable = _ROWS[type(fault)]
    extra = dict(headers or {})
    if fault.retry_after is not None:
        extra["Retry-After"] = str(fault.retry_after)
    if status == UNAUTHORIZED:
        extra["WWW-Authenticate"] = "Bearer"
    found = [
        {"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in fault.errors
    ]
    content = _body(request, status, title, fault.code, fault.detail, retryable=retryable)
    said = dict(fault.provider) if fault.provider else None
    content |= {"errors": found, "provider": said, "message_id": fault.message_id}
    return _response(status, content, extra)


def install(app: FastAPI) -> None:
    """Answer every fault of a FastAPI application as a problem."""
    for kind, answer in _KNOWN.items():
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(Exception, on_our_fault)


async def of(request: Request, fault: Exception) -> Response:
    """Return the answer to a request that raised one of the faults that are KNOWN."""
    answer = next(_KNOWN[kind] for kind in type(fault).__mro__ if kind in _KNOWN)
    return await answer(request, fault)


async def _on_fault(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Fault)
    return problem(request, fault)


async def _on_http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    kind = _BY_STATUS.get(fault.status_code, errors.MalformedRequest)
    if kind is errors.MethodNotAllowed:
        taken = taken_at(request)  # the router knows the first route's alone
        detail = f"The address does not take {request.method}, but {taken}."
        return problem(request, kind(detail), {"Allow": taken})
    return problem(request, kind(_NO_ADDRESS if kind is errors.NotFound else None), fault.headers)


async def _on_parameters(request: Request, fault: Exception) -> Response:
    """Answer for parameters of the address and headers, which FastAPI reads."""
    assert isinstance(fault, RequestValidationError)
    found = [{**error, "loc": error["loc"][1:]} for error in fault.errors()]
    return problem(request, failed([field_error(error) for error in found]))


async def _on_store(request: Request, fault: Exception) -> Response:
    log.error("store_unavailable", fault=type(fault).__name__)
    unknown = _UNKNOWN if isinstance(fault, CommitUnknown) else None
    return problem(request, errors.StoreUnavailable(unknown))


async def on_our_fault(request: Request, fault: Exception) -> Response:
    """Answer for what we did wrong, without a word of it."""
    _ = fault  # the server logs it, without its text
    content = _body(request, 500, "Internal error", **_INTERNAL, retryable=True)
    return _response(500, content | {"errors": []}, {})


_KNOWN: Final[Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]] = {
    Fault: _on_fault,
    HTTPException: _on_http,
    RequestValidationError: _on_parameters,
    **dict.fromkeys(
        (OperationalError, InterfaceError, PoolTimeout, CommitUnknown, StoreReadOnly), _on_store
    ),
}


KNOWN: Final = tuple(_KNOWN)  # that a client is told of; others are ours


def _body(
    request: Request, status: int, title: str, code: str, detail: str, *, retryable: bool
) -> dict[str, Any]:
    route = request.scope.get("route")
    return {
        "type": f"urn:multicanal:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        # The route and not the address: an address may hold a secret.
        "instance": getattr(route, "path", None),
        "code": code,
        "request_id": request.scope.get("state", {}).get("request_id"),
        "retryable": retryable,
        "message_id": None,
        "provider": None,
    }


def _response(status: int, content: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    body = json.dumps(content, ensure_ascii=False).encode()
    return Response(body, status, media_type=MEDIA_TYPE, headers=dict(headers))
