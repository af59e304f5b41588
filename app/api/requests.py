"""Around every request: an id, and one line in the log, by the route and never by the address."""

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import problems
from app.api.held import Held
from app.api.measures import Measures
from app.api.whole import Answering
from app.domain.identifiers import Identifiers
from app.domain.request_id import REQUEST_ID

log = structlog.get_logger()

# Writes the line of a request: its id, method and route, its answer's status, who, milliseconds.
Tell = Callable[[str, str, str | None, int, str | None, float], None]

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


def _limits(state: Mapping[str, Any]) -> Sequence[tuple[bytes, bytes]]:
    limits = state.get("limits")
    if not limits:
        return ()
    if len(limits) == 1:
        ((policy, left),) = limits
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
    return [
        (name, ", ".join(items).encode())
        for name, items in zip(
            (b"ratelimit-policy", b"ratelimit"), zip(*limits, strict=True), strict=True
        )
    ]


def told(logger: Any) -> Tell:  # noqa: ANN401 -- structlog's, of whatever kind
    """Return what writes the line of a request with a logger, which has its id by the context."""

    def tell(
        _request_id: str, method: str, route: str | None, status: int, key: str | None, ms: float
    ) -> None:
        logger.info("answered", method=method, route=route, status=status, key=key, ms=ms)

    return tell


class RequestLog:
    """Pure ASGI: a middleware that wraps requests and responses would cost six times the rest."""

    def __init__(
        self,
        app: ASGIApp,
        ids: Identifiers,
        measures: Measures,
        held: Held,
        tell: Tell | None = None,
    ) -> None:
        self._app = app
        self._ids = ids
        self._measures = measures
        self._held = held
        self._tell = tell or told(log.bind())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._id_of(scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        answering = Answering(
            scope, send, lambda: [(_HEADER, request_id.encode()), *_limits(state)]
        )
        began = time.perf_counter()
        # For all that this request's task logs, and so for the server's line of a fault of ours.
        REQUEST_ID.set(request_id)
        try:
            await self._app(scope, receive, answering)
        finally:
            self._held.give_back(scope)
            if not answering.status:
                await _own_up(scope, receive, answering, sys.exc_info()[1])
            seconds = time.perf_counter() - began
            method, route = scope["method"], getattr(scope.get("route"), "path", None)
            self._measures.answered(method, route, answering.status, seconds)
            ms = round(seconds * 1000, 1)
            self._tell(request_id, method, route, answering.status, state.get("key"), ms)

    def _id_of(self, scope: Scope) -> str:
        """Return the id that a request came with, or a new one."""
        for name, value in scope["headers"]:
            if name == _HEADER:
                came: bytes = value
                return came.decode() if _GIVEN.fullmatch(came) else self._ids.request()
        return self._ids.request()


async def _own_up(scope: Scope, receive: Receive, send: Send, fault: BaseException | None) -> None:
    """Answer for what we did wrong; it goes on to the server, which logs it."""
    if isinstance(fault, Exception):
        answer = await problems.on_our_fault(Request(scope), fault)
        await answer(scope, receive, send)
