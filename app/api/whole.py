"""Answers on their way out: those that are whole are written at once.

The server takes head and body one after the other, and looks at each header with two expressions:
that costs as much as all else it does. What is not plainly whole is left to it.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from starlette.types import Message, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

Headers = Sequence[tuple[bytes, bytes]]
# Writes a request's answer: its status, headers and body. False: nothing was done.
Writing = Callable[[Scope, int, Headers, bytes], bool]

EXTENSION: Final = "multicanal.whole"  # of ASGI: its name in a scope
_LONGEST: Final = 65_536  # bytes of a body: it is copied
_NOT_MODIFIED: Final = 304
_LENGTH: Final = b"content-length"
# The headers that may come; with any other the server writes the answer.
_USUAL: Final = frozenset(
    {
        b"cache-control", b"content-language", b"content-type", b"date", b"etag",
        b"idempotency-replayed", b"link", b"location", b"preference-applied", b"ratelimit",
        b"ratelimit-policy", b"retry-after", b"vary", b"www-authenticate", b"x-request-id", _LENGTH,
    }
)  # fmt: skip
_FORBIDDEN: Final = bytes(one for one in (*range(0x20), 0x7F) if one != ord("\t"))  # in a value


async def tell(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole answer, in one step where it can be."""
    if isinstance(send, Answering):
        await send.whole(status, headers, body)
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Answering:
    """Sends one request's answer with headers of ours, its head and body at once where it can."""

    __slots__ = ("_begun", "_own", "_scope", "_send", "status")

    def __init__(self, scope: Scope, send: Send, own: Callable[[], Headers]) -> None:
        self.status = 0  # none yet
        self._scope = scope
        self._send = send
        self._own = own
        self._begun: Message | None = None  # whose body comes next

    async def __call__(self, message: Message) -> None:
        """Send what an application says."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self._own()]
            if "extensions" in self._scope:
                self._begun = message
                return
        elif self._begun is not None:
            begun, self._begun = self._begun, None
            is_whole = not message.get("more_body", False)
            if is_whole and self._write(begun["headers"], message.get("body", b"")):
                return
            await self._send(begun)
        await self._send(message)

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer, as an application says it in two messages."""
        self.status = status
        headers = [*headers, *self._own()]
        if not self._write(headers, body):
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
            await self._send({"type": "http.response.body", "body": body})

    def _write(self, headers: Headers, body: bytes) -> bool:
        """Write an answer at once; False: nothing was done."""
        write: Writing | None = self._scope.get("extensions", {}).get(EXTENSION)
        return write is not None and write(self._scope, self.status, headers, body)


def write(cycle: RequestResponseCycle, status: int, headers: Headers, body: bytes) -> bool:
    """Write an answer as the server would; False: it has to, and nothing was done."""
    is_usual = cycle.keep_alive and not cycle.response_started and not cycle.disconnected
    if not is_usual or cycle.flow.write_paused or cycle.scope["method"] == "HEAD":
        return False
    head = _head(status, (*cycle.default_headers, *headers), body)
    if head is None or len(body) > _LONGEST:
        return False
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(head + body)
    cycle.message_event.set()
    cycle.on_response()
    return True


def _head(status: int, headers: Headers, body: bytes) -> bytes | None:
    """Return an answer's head, None where the server has to write it."""
    if not headers:
        return None
    names, values = zip(*headers, strict=True)
    form, place = _form(status, names)
    told = b"".join(values)
    if form is None or len(told.translate(None, _FORBIDDEN)) != len(told):
        return None
    if place is None:
        is_right = status == _NOT_MODIFIED and not body
    else:
        is_right = values[place] == b"%d" % len(body)
    return form % values if is_right else None


@lru_cache(maxsize=256)
def _form(status: int, names: tuple[bytes, ...]) -> tuple[bytes | None, int | None]:
    """Return how a head is written, and which of its values is the body's length."""
    if not _USUAL.issuperset(names) or names.count(_LENGTH) > 1:
        return None, None
    lines = b"".join([name + b": %b\r\n" for name in names])
    place = names.index(_LENGTH) if _LENGTH in names else None
    return STATUS_LINE[status] + lines + b"\r\n", place
