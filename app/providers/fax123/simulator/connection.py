"""What is done to the connection itself: cutting it, and keeping its query out of logs."""

from contextlib import suppress

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Cut(Response):
    """The connection is closed and not one byte is answered, not even a status line."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Start a response that has no status, and never finish it.

        Raising would be answered with a 500. uvicorn (httptools and h11 alike) notes that the
        response has started, fails on the missing status before it writes anything, and closes
        a connection whose response was started and not finished. Tests hold it to that.
        """
        with suppress(KeyError):
            await send({"type": "http.response.start"})
        if self.background is not None:
            await self.background()


class HiddenQuery:
    """Hides the query from the server's access log: it has the password and the document's URL."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the application a copy of the scope, and empty the query in the server's own."""
        inner = dict(scope)
        if scope["type"] == "http":
            scope["query_string"] = b""
        await self._app(inner, receive, send)
