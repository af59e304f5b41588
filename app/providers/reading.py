"""Read one HTTP answer as it arrives: within bounds, and to its end."""

import zlib
from typing import Final

import httptools

from app.providers.exchange import Answered

LARGEST_HEAD: Final = 65_536  # bytes of the headers, and of those that come after a body
LARGEST_LINE: Final = 524_288  # bytes that arrive before the first header is whole
LARGEST_BETWEEN: Final = 2_097_152  # bytes that are no body, between two parts of it
_GZIP: Final = 31  # windows of zlib
_ZLIB: Final = 15
_BARE: Final = -15
_INTERIM: Final = range(100, 200)  # statuses that the answer itself follows


class TooLarge(Exception):
    """An answer that is larger than its caller takes."""


class Unfit(Exception):
    """What arrived is no whole answer of HTTP; `why` is aiohttp's word for it."""

    def __init__(self, why: str = "ClientResponseError") -> None:
        self.why = why
        super().__init__(why)


class Reading:
    """One answer of at most so many bytes. It is whole when `done`."""

    def __init__(self, largest: int) -> None:
        self.done = False
        self.status = 0
        self.retry_after: str | None = None
        self._largest = largest
        self._head = 0  # bytes of headers
        self._beside = 0  # bytes that came since the last part of the body
        self._in_body = False
        self._has_length = False
        self._body = bytearray()
        self._unpacking: _Unpacking | None = None
        self._fault: TooLarge | Unfit = Unfit()
        self.leaves_open = False  # whether its connection may serve another call
        self._parser = httptools.HttpResponseParser(self)

    @property
    def answered(self) -> Answered:
        """The answer, once it is whole."""
        return Answered(self.status, self.body, self.retry_after)

    @property
    def body(self) -> bytes:
        """The body; decompressed where it came compressed."""
        return bytes(self._body)

    @property
    def is_plain(self) -> bool:
        """Whether it is whole, its connection stays, and its headers tell but the body's length."""
        tells_more = self._unpacking is not None or self.retry_after is not None
        return self.done and self.leaves_open and not tells_more

    def feed(self, data: bytes) -> None:
        """Take what arrived; raises TooLarge and Unfit."""
        self._beside += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            raise self._fault from None
        if self._beside > (LARGEST_BETWEEN if self._in_body else LARGEST_LINE):
            raise Unfit

    def end(self) -> None:
        """Take the connection's end; raises Unfit where it is not the answer's end too."""
        self.leaves_open = False
        if not self._in_body:
            raise Unfit("ServerDisconnectedError")
        if self._has_length and not self.done:
            raise Unfit("ClientPayloadError")
        self.done = True

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Refuse what nobody asked for."""
        if self.done:
            raise self._fault
        self._head = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take what is used of the headers."""
        self._head += len(name) + len(value)
        if self._head > LARGEST_HEAD:
            raise self._fault
        match name.lower():
            case b"retry-after":
                self.retry_after = value.decode("latin-1")
            case b"content-length" | b"transfer-encoding":
                self._has_length = True
            case b"content-encoding":
                self._unpacking = _unpacking(value)
            case _:
                return

    def on_headers_complete(self) -> None:
        """Take the status."""
        self.status = self._parser.get_status_code()
        self._in_body = True

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body, if it is not too much; it is never held whole then."""
        self._beside = 0
        if self._unpacking is not None:
            part = self._unpacked(self._unpacking, part)
        if len(self._body) + len(part) > self._largest:
            self._fault = TooLarge()
            raise self._fault
        self._body += part

    def on_message_complete(self) -> None:
        """Be done, unless the answer is still to come."""
        self._beside = 0
        self.done = self.status not in _INTERIM
        self._in_body = self.done
        self.leaves_open = self.done and self._parser.should_keep_alive()

    def _unpacked(self, unpacking: "_Unpacking", part: bytes) -> bytes:
        try:
            return unpacking.next(part, self._largest - len(self._body) + 1)
        except zlib.error:
            self._fault = Unfit("ClientPayloadError")
            raise self._fault from None


class _Unpacking:
    """Unpacks a body part by part: all members of gzip, and deflate with or without zlib's frame."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._stream: zlib._Decompress | None = None

    def next(self, part: bytes, most: int) -> bytes:
        """Return what a part holds, so many bytes at most; raises zlib.error."""
        if self._stream is None:
            if self._window == _ZLIB and part[0] & 0xF != zlib.DEFLATED:
                self._window = _BARE
            self._stream = zlib.decompressobj(self._window)
        held = self._stream.decompress(part, most)
        while self._stream.eof and self._stream.unused_data and len(held) < most:
            rest = self._stream.unused_data
            self._stream = zlib.decompressobj(self._window)
            held += self._stream.decompress(rest, most - len(held))
        return held


def _unpacking(encoding: bytes) -> _Unpacking | None:
    match encoding.strip().lower():
        case b"gzip" | b"x-gzip":
            return _Unpacking(_GZIP)
        case b"deflate":
            return _Unpacking(_ZLIB)
        case b"br" | b"zstd":
            raise Unfit  # not asked for, and nothing here reads it
        case _:
            return None
