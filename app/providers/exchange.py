"""What one exchange with a provider came to: how far it got, and what was answered."""

import socket
import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

LARGEST_ANSWER: Final = 1_048_576  # bytes, after decompression
LARGEST_REPORT: Final = 67_108_864  # bytes of an answer that holds a report
CONNECT: Final = 5.0  # seconds
_LONGEST_WAIT: Final = 3600  # seconds that a provider may make us wait


@dataclass(slots=True)  # not frozen: that costs more than to make one
class Answered:
    """A whole answer."""

    status: int
    body: bytes
    retry_after: str | None = None

    @property
    def wait(self) -> timedelta | None:
        """How long the provider asks us to wait, where it says so in seconds."""
        asked = self.retry_after or ""
        if not (asked.isascii() and asked.isdigit() and len(asked) < 10):  # noqa: PLR2004
            return None
        return timedelta(seconds=min(int(asked), _LONGEST_WAIT))


@dataclass(frozen=True, slots=True)
class NotSent:
    """No connection stood: the provider read nothing."""

    why: str
    certificate: bool = False  # the provider's certificate was refused: a matter of set-up


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection stood, and no whole answer came: the provider may have done it."""

    why: str


Exchange = Answered | NotSent | Broken

HELD_UP: Final = NotSent("the worker was held up before the call")


def too_large(largest: int) -> Broken:
    """Return what an answer of more than so many bytes comes to."""
    return Broken(f"the answer is larger than {largest // 1_048_576} MiB")


# aiohttp's words, whichever way a call took.


def why_broken(fault: Exception) -> str:
    """Return what broke a call after its connection stood."""
    return "ClientOSError" if isinstance(fault, ConnectionError) else type(fault).__name__


def why_not_sent(fault: Exception) -> str:
    """Return why no connection stood."""
    match fault:
        case TimeoutError():
            return "ConnectionTimeoutError"
        case socket.gaierror():
            return "ClientConnectorDNSError"
        case ssl.SSLError():
            return "ClientConnectorSSLError"
        case OSError():
            return "ClientConnectorError"
        case _:
            return type(fault).__name__
