"""What is written to a provider: where it leads, and the request as bytes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

from yarl import URL

from app.providers.pieces import Body

LARGE: Final = 65_536  # bytes of a body that is not copied to stand behind its head
_HEADERS: Final = "User-Agent: multicanal\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where connections lead; `origin_of` gives an address the same one again."""

    host: str
    port: int
    is_tls: bool


@lru_cache(maxsize=64)
def origin_of(url: str) -> Origin | None:
    """Return where an address leads; None for one that is not plain: others know what it means."""
    if not (url.isascii() and url.isprintable() and " " not in url):
        return None
    try:
        read = URL(url, encoded=True)
        host, port = read.raw_host, read.port
    except ValueError:
        return None
    if read.scheme not in {"http", "https"} or not host or not port or read.raw_user is not None:
        return None
    return Origin(host, port, read.scheme == "https")


@lru_cache(maxsize=256)
def _head(url: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Return the beginning of a request; raises ValueError for a header that would be two."""
    read = URL(url, encoded=True)
    written = "".join(f"{name}: {value}\r\n" for name, value in headers)
    if any(not value.isprintable() for pair in headers for value in pair):
        message = "a header holds what is no text"
        raise ValueError(message)
    host = read.host_port_subcomponent
    start = f"POST {read.raw_path_qs or '/'} HTTP/1.1\r\nHost: {host}\r\n{_HEADERS}{written}"
    return f"{start}Content-Length: ".encode()


def request(url: str, body: Body, headers: Mapping[str, str]) -> Iterable[bytes]:
    """Return a request in the pieces that are written; raises ValueError for wrong headers."""
    start = _head(url, tuple(headers.items()))
    if isinstance(body, bytes) and len(body) <= LARGE:
        return (b"%b%d\r\n\r\n%b" % (start, len(body), body),)
    head = b"%b%d\r\n\r\n" % (start, len(body))
    return (head, body) if isinstance(body, bytes) else chain((head,), body)
