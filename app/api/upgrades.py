"""Requests that offer to go on in another protocol are answered in this one (RFC 9110, 7.8).

Java's own HTTP client offers `h2c` with the first request of each connection. The parser takes such
a request for one without a body, and what follows for the other protocol.
"""

from collections.abc import Sequence
from typing import Final

import httptools

Header = tuple[bytes, bytes]

_OFFER: Final = frozenset({b"upgrade", b"http2-settings"})


class Parser(httptools.HttpRequestParser):
    """A parser that stops at an offer, and keeps what came after the head."""

    def __init__(self, protocol: object) -> None:
        super().__init__(protocol)
        # As uvicorn's: the first of several requests is answered, whatever follows it.
        self.set_dangerous_leniencies(lenient_data_after_close=True)
        self.rest: bytes | None = None

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]
        """Parse on."""
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self.rest = data[offer.args[0] :]

    def stops(self, headers: Sequence[Header]) -> bool:
        """Return whether the request at hand offers another protocol; CONNECT offers none."""
        return bool(self.should_upgrade()) and any(name == b"upgrade" for name, _ in headers)


def without_offer(method: bytes, target: bytes, headers: Sequence[Header]) -> bytes:
    """Return a request's head again, without the offer."""
    lines = [b"%s %s HTTP/1.1" % (method, target)]
    for name, value in headers:
        if name == b"connection":
            kept = [one for one in value.split(b",") if one.strip().lower() not in _OFFER]
            if kept:
                lines.append(b"connection: " + b",".join(kept))
        elif name not in _OFFER:
            lines.append(name + b": " + value)
    return b"\r\n".join((*lines, b"", b""))
