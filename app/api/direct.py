"""The addresses that are asked most, answered without the framework's machinery.

FastAPI looks through all routes for each request, builds what the endpoint depends on and passes
half a dozen layers: more than all that such a request needs. It still describes these addresses,
and answers whatever else names them, such as a method that they do not take.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.routing import iter_route_contexts
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import Receive, Scope, Send

from app.api import problems
from app.api.edge import Edge

_ENDPOINT: Final = "multicanal.endpoint"

Endpoint = Callable[[Edge, Request], Awaitable[Response]]
Hot = Mapping[tuple[str, str], Endpoint]  # by method and a route's path: one name at most, the last


@dataclass(frozen=True, slots=True)
class Address:
    """What logs, measures and problems know an address by."""

    path: str  # with its name in braces


class Direct:
    """Pure ASGI: answers what is hot, and hands everything else on."""

    def __init__(self, app: FastAPI, edge: Edge, hot: Hot) -> None:
        self._app = app
        self._edge = edge
        # A fault of ours is answered as one, and raised again: the server logs it.
        self._answered = ServerErrorMiddleware(self._answer, problems.on_our_fault)
        self._whole: dict[tuple[str, str], tuple[Address, Endpoint]] = {}
        self._named: dict[tuple[str, str], tuple[Address, Endpoint, str]] = {}
        # Addresses such as /v1/messages/uncertain, which name nothing: they are not hot.
        self._other = {one.path_format for one in iter_route_contexts(app.routes)}
        for (method, path), endpoint in hot.items():
            head, _, last = path.rpartition("/")
            if last.startswith("{"):
                self._named[method, head] = Address(path), endpoint, last.strip("{}")
            else:
                self._whole[method, path] = Address(path), endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        endpoint = self._found(scope)
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        scope["app"], scope[_ENDPOINT] = self._app, endpoint
        await self._answered(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        endpoint: Endpoint = scope[_ENDPOINT]
        try:
            response = await endpoint(self._edge, request)
        except problems.KNOWN as fault:
            response = await problems.of(request, fault)
            fault.__traceback__ = None  # of one that several requests share, it would grow
        await response(scope, receive, send)

    def _found(self, scope: Scope) -> Endpoint | None:
        """Return what answers a request, and note the route and what the address names."""
        method, path = scope["method"], scope["path"]
        whole = self._whole.get((method, path))
        if whole is not None:
            scope["route"], endpoint = whole
            return endpoint
        head, _, last = path.rpartition("/")
        named = self._named.get((method, head))
        if named is None or not last or path in self._other:
            return None
        scope["route"], endpoint, name = named
        scope["path_params"] = {name: last}
        return endpoint
