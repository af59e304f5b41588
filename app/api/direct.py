"""The addresses that are asked most, answered without the framework's machinery.

FastAPI looks through all routes for each request, builds what the endpoint depends on and passes
half a dozen layers: more than all that such a request needs. It still describes these addresses,
and answers whatever else names them, such as a method that they do not take.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.routing import iter_route_contexts
from starlette.types import Receive, Scope, Send

from app.api import problems
from app.api.edge import Edge

Endpoint = Callable[[Edge, Request], Awaitable[Response]]
Hot = Mapping[tuple[str, str], Endpoint]  # by method and a route's path: one name at most, the last
# Answers a request and returns None, or returns what reads it from its beginning.
AtOnce = Callable[[Scope, Receive, Send], Awaitable[Receive | None]]


@dataclass(frozen=True, slots=True)
class Address:
    """What logs, measures and problems know an address by."""

    path: str  # with its name in braces


@dataclass(frozen=True, slots=True)
class Answering:
    """How what is asked of an address is answered."""

    address: Address
    endpoint: Endpoint
    at_once: AtOnce | None


class Direct:
    """Pure ASGI: answers what is hot, and hands everything else on."""

    def __init__(
        self, app: FastAPI, edge: Edge, hot: Hot, at_once: Mapping[tuple[str, str], AtOnce]
    ) -> None:
        self._app = app
        self._edge = edge
        self._whole: dict[tuple[str, str], Answering] = {}
        self._named: dict[tuple[str, str], tuple[Answering, str]] = {}
        # Addresses such as /v1/messages/uncertain, which name nothing: they are not hot.
        self._other = {one.path_format for one in iter_route_contexts(app.routes)}
        for (method, path), endpoint in hot.items():
            answering = Answering(Address(path), endpoint, at_once.get((method, path)))
            head, _, last = path.rpartition("/")
            if last.startswith("{"):
                self._named[method, head] = answering, last.strip("{}")
            else:
                self._whole[method, path] = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        found = self._found(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["app"], scope["route"] = self._app, found.address
        try:
            if found.at_once is not None:
                again = await found.at_once(scope, receive, send)
                if again is None:
                    return
                receive = again
            response = await found.endpoint(self._edge, Request(scope, receive, send))
        except problems.KNOWN as fault:
            response = await problems.of(Request(scope), fault)
            fault.__traceback__ = None  # of one that several requests share, it would grow
        await response(scope, receive, send)

    def _found(self, scope: Scope) -> Answering | None:
        """Return what answers a request, and note what the address names."""
        method, path = scope["method"], scope["path"]
        whole = self._whole.get((method, path))
        if whole is not None:
            return whole
        head, _, last = path.rpartition("/")
        named = self._named.get((method, head))
        if named is None or not last or path in self._other:
            return None
        answering, name = named
        scope["path_params"] = {name: last}
        return answering
