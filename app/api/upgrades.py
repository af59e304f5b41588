"""Requests that offer to go on in another protocol are answered in this one (RFC 9110, 7.8).

Java's own HTTP client offers `h2c` with the first request of each connection. The parser takes such
a request for one without a body, and what follows for the other protocol.
"""

from collections.abc import Sequence
from typing import Final

import httptools

Header = tuple[bytes, bytes]

_OFFER: Final = frozenset({b"upgrade", b"http2-settings"})


def parser_for(protocol: object) -> httptools.HttpRequestParser:
    """Return a new parser of what a connection receives, as the server's own."""
    parser = httptools.HttpRequestParser(protocol)
    # The first of several requests is answered, whatever follows it.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def offers(headers: Sequence[Header]) -> bool:
    """Return whether a request that the parser stopped at offers a protocol; CONNECT offers none."""
    return any(name == b"upgrade" for name, _ in headers)


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
