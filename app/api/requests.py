"""Around every request: an id, and one line in the log, by the route and never by the address."""

import re
import time
from typing import Final

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.held import Held
from app.api.measures import Measures
from app.domain.identifiers import REQUEST, Identifiers, shown

log = structlog.get_logger()

_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADER: Final = b"x-request-id"


def limits_of(request: Request) -> list[tuple[str, str]]:
    """Return the list of the limits that hold for a request: RateLimit-Policy's item, RateLimit's.

    The answer has them as headers, whatever it is (draft-ietf-httpapi-ratelimit-headers).
    """
    limits: list[tuple[str, str]] = request.scope.setdefault("state", {}).setdefault("limits", [])
    return limits


def name_caller(request: Request, key_id: str) -> None:
    """Say whose request it is, for its line in the log: by the visible part of the key."""
    request.scope.setdefault("state", {})["key"] = key_id


def _limits(scope: Scope) -> list[tuple[bytes, bytes]]:
    limits = scope["state"].get("limits")
    if not limits:
        return []
    if len(limits) == 1:
        ((policy, left),) = limits
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
    return [
        (name, ", ".join(items).encode())
        for name, items in zip(
            (b"ratelimit-policy", b"ratelimit"), zip(*limits, strict=True), strict=True
        )
    ]


class RequestLog:
    """Pure ASGI: a middleware that wraps requests and responses would cost six times the rest."""

    def __init__(self, app: ASGIApp, ids: Identifiers, measures: Measures, held: Held) -> None:
        self._app = app
        self._ids = ids
        self._measures = measures
        self._held = held
        self._log = log.bind()  # once: a logger is made of what is configured at each call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
        known = _GIVEN.fullmatch(given) is not None
        request_id = given.decode() if known else shown(REQUEST, self._ids.new())
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        began = time.perf_counter()

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = [(_HEADER, request_id.encode()), *_limits(scope)]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        # For all that this request's task logs, and so for the server's line of a fault of ours.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, answering)
        finally:
            self._held.give_back(scope)
            route = getattr(scope.get("route"), "path", None)
            seconds = time.perf_counter() - began
            self._measures.answered(scope["method"], route, status, seconds)
            self._log.info(
                "answered",
                method=scope["method"],
                route=route,
                status=status,
                key=scope["state"].get("key"),
                ms=round(seconds * 1000, 1),
            )
