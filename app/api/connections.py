"""Connections to clients: a head and a body that come too slowly, or too large, end them.

The server itself waits for ever for a request that was begun, and takes a head of any size.
"""

import asyncio
import json
from typing import Any, Final

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api import whole
from app.api.upgrades import offers, parser_for, without_offer
from app.api.whole import EXTENSION, Headers

CHECK: Final = 2.5  # seconds between two looks at a connection
HEAD: Final = 10.0  # seconds for a request's head, and for a new connection's first byte
LARGEST_HEAD: Final = 32_768  # bytes
BODY: Final = 20.0  # seconds, after which a body must have come at the slowest pace at least
SLOWEST: Final = 8_192  # bytes a second
LINGER: Final = 2.0  # seconds for which the rest of a body is still read after the answer

_TIMEOUT: Final = 408
# Said without the application: it never hears of such a request.
_PROBLEMS: Final = {
    400: ("Bad Request", "malformed_request", "The request is not HTTP."),
    408: ("Request Timeout", "request_timeout", "The request came too slowly."),
    431: ("Request Header Fields Too Large", "headers_too_large", "Send fewer or shorter headers."),
}


class HeadTooLarge(Exception):
    """A request's head is larger than any client needs."""


class _Trailers(list[tuple[bytes, bytes]]):
    """Fields after a body: nobody needs them, and they must not be taken for the head's."""

    def append(self, _field: tuple[bytes, bytes]) -> None:
        """Keep nothing, however many come."""


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 -- the server's own
        super().__init__(*given, **named)
        self._offers = False  # whether the request at hand offers another protocol
        self._in_head, self._in_body = True, False
        self._has_ended = False  # a request, in what is being read now
        self._began = self.loop.time()  # when the head or the body did
        self._received = 0  # bytes of it, at least
        self._head_at_most = 0  # bytes that came since the head began, and with its beginning
        self._coming = 0  # bytes that are being read now
        self._answered = 0.0  # when the application did, perhaps before the body's end
        self._too_large = False
        self._refused = False  # nothing more is read
        self._looks: asyncio.TimerHandle | None = None
        self._earlier: list[RequestResponseCycle] = []  # with which the one at hand came together
        self._extensions = {EXTENSION: self._write_whole}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look at it."""
        super().connection_made(transport)
        self._looks = self.loop.call_later(CHECK, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._looks is not None:
            self._looks.cancel()
        for cycle in self._earlier:  # the server tells only the last
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head is too large."""
        if self._refused:
            return
        self._has_ended = False
        self._read(data)
        if not self._in_head and not self._in_body and not self._is_answering():
            # Blank lines before a request begin its head; the parser passes over them.
            self._begin_head()
        if self._in_head:
            self._head_at_most += len(data)
            # Where another request ended in this part, what was read of the head that began then.
            self._received += self._size() if self._has_ended else len(data)
            if self._received > LARGEST_HEAD and not self._refused:
                self._refuse(431)

    def _read(self, data: bytes) -> None:
        while data:
            self._coming = len(data)
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                # What follows is the next request: of CONNECT too, which nobody is granted.
                data = data[offer.args[0] :]
                if self._offers:
                    data = without_offer(self.parser.get_method(), self.url, self.headers) + data
                    self.parser = parser_for(self)
            except httptools.HttpParserError as fault:
                self.logger.warning("Invalid HTTP request received.")
                self.send_400_response(str(fault))
                return
            else:
                return

    def on_message_begin(self) -> None:
        """Take the time of a head."""
        super().on_message_begin()
        self._begin_head()

    def on_headers_complete(self) -> None:
        """Hand a request over, and take the time of its body."""
        if self._head_at_most + self._coming > LARGEST_HEAD and self._size() > LARGEST_HEAD:
            self._too_large = True
            raise HeadTooLarge  # the parser makes it a request that is none
        self._offers = bool(self.parser.should_upgrade()) and offers(self.headers)
        if self._offers:
            return  # it is read once more, without its offer
        before = self.cycle
        super().on_headers_complete()
        if self.pipeline:
            unanswered = [one for one in self._earlier if not one.response_complete]
            self._earlier = [*unanswered, before]
        self.headers = _Trailers()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]
        self._in_head, self._in_body = False, True
        self._began, self._received = self.loop.time(), 0

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._received += len(body)
        cycle = self.cycle
        if cycle.response_complete:
            return
        if not cycle.body:  # the server would copy it into a bytearray, and out of it again
            cycle.body, body = body, b""  # type: ignore[assignment]
        elif isinstance(cycle.body, bytes):  # each further piece would copy all before it
            cycle.body = bytearray(cycle.body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take no time any more."""
        if self._offers:
            return
        self._in_body, self._has_ended = False, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Take the time of what still comes of the body, though nobody wants it."""
        self._answered = self.loop.time()
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        # The server would begin a timer with each answer: `_look` ends a connection that idles.
        self.server_state.total_requests += 1
        self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, without repeating any of it."""
        _ = msg
        self._refuse(431 if self._too_large else 400)

    def _begin_head(self) -> None:
        self._in_head, self._in_body = True, False
        self._began, self._received, self._head_at_most = self.loop.time(), 0, 0

    def _write_whole(self, scope: Scope, status: int, headers: Headers, body: bytes) -> bool:
        """Write a request's answer at once; False: nothing was done.

        Of several requests that came together, the server's own way answers all but the last.
        """
        cycle: RequestResponseCycle = self.cycle
        return cycle.scope is scope and whole.write(cycle, status, headers, body)

    def _size(self) -> int:
        """Return how many bytes the head at hand has, without what stands between them."""
        return len(self.url) + sum([len(name) + len(value) for name, value in self.headers])

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        self._looks = self.loop.call_later(CHECK, self._look)
        now = self.loop.time()
        taken = now - self._began
        if self._in_head:
            if taken > HEAD and not self._is_answering():
                self._refuse(408)
        elif self._in_body and not self._is_answering():
            if now - self._answered > LINGER:
                self.transport.close()
        elif self._in_body and taken > BODY and self._received < taken * SLOWEST:
            # Where the application itself reads slowly, much of it has come.
            self._refuse(408)
        elif not self._is_answering() and now - self._answered > self.timeout_keep_alive:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        """Answer without the application, and close."""
        self._refused = True
        if self._is_answering() and (self._in_head or not self._in_body):
            # An earlier request's answer is to come: whoever waits for it would take this for it.
            self.cycle.keep_alive = False
            return
        is_silent = self._in_head and status == _TIMEOUT and not self._head_at_most
        if not is_silent and not (self._in_body and self.cycle.response_started):
            self.transport.write(_answer(status))
        self.transport.close()


def _answer(status: int) -> bytes:
    title, code, detail = _PROBLEMS[status]
    problem = {
        "type": f"urn:multicanal:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": None,
        "code": code,
        "request_id": None,
        "retryable": status == _TIMEOUT,
        "message_id": None,
        "provider": None,
        "errors": [],
    }
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
