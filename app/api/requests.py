"""Around every request: an id, and one line in the log, by the route and never by the address."""

import re
import time
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.measures import Measures
from app.domain.identifiers import REQUEST, Identifiers, shown

log = structlog.get_logger()

_GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADER: Final = b"x-request-id"


class RequestLog:
    """Pure ASGI: a middleware that wraps requests and responses would cost six times the rest."""

    def __init__(self, app: ASGIApp, ids: Identifiers, measures: Measures) -> None:
        self._app = app
        self._ids = ids
        self._measures = measures

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
                message["headers"] = [*message["headers"], (_HEADER, request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answering)
            finally:
                route = getattr(scope.get("route"), "path", None)
                seconds = time.perf_counter() - began
                self._measures.answered(scope["method"], route, status, seconds)
                log.info(
                    "answered",
                    method=scope["method"],
                    route=route,
                    status=status,
                    ms=round(seconds * 1000, 1),
                )
