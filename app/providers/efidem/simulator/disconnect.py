"""A response that never comes: the connection is closed without a byte of HTTP."""

from contextlib import suppress

from h11 import LocalProtocolError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Disconnect(Response):
    """Closes the connection unanswered.

    ASGI has no word for it. But uvicorn, once a response has started, can only close the
    connection of an application that goes no further; and a start that carries an illegal header
    has begun without a byte being written. The access log shows 444, nginx's code for this; the
    error line beside it, that the application did not complete its response, is meant.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Begin an answer that cannot be written, and leave it there."""
        with suppress(RuntimeError, LocalProtocolError):  # by httptools, by h11
            await send(
                {
                    "type": "http.response.start",
                    "status": 444,
                    "headers": [(b"x-cut", b"\0")],
                }
            )
