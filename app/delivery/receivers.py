"""One HTTP exchange with a receiver of webhooks.

aiohttp takes 8 MiB, and most processes of the API never need it: this is read when it is first used.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from aiohttp import ClientTimeout
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from app.delivery.guard import AddressRefused, Guard
from app.delivery.networks import literal
from app.domain.webhooks import Missed, Outcome, outcome_of

KEPT: Final = 1024  # bytes of an answer; no more of it is read
READS_FOR: Final = 1.0  # seconds; the status says it all
CONNECT: Final = 5.0  # seconds
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


class Receivers:
    """Connections to receivers, each for one exchange."""

    def __init__(self, guard: Guard, *, timeout: float) -> None:
        self._guard = guard
        self._timeout = ClientTimeout(total=timeout, sock_connect=CONNECT)
        self._session: aiohttp.ClientSession | None = None

    async def exchange(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Outcome, str | None]:
        """Make one POST; return what came of it, and the beginning of the answer's body."""
        if self._guard.wrong_url(url) is not None:
            return Missed("address_refused"), None  # the settings have changed since
        address = URL(url, encoded=True)
        try:
            # The library asks no resolver for an address that is written as a number.
            if literal(address.raw_host or "") is not None:
                await self._guard.resolve(address.raw_host or "", address.port or 0)
            async with self._opened().post(
                address, data=body, headers=headers, allow_redirects=False
            ) as answer:
                wait = _wait(answer.headers)
                return outcome_of(answer.status, wait), await _beginning(answer)
        # Never the fault's text: it holds the address, and with it perhaps a token.
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            return Missed(_why(fault)), None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(
                    limit=0,
                    # What was judged is judged again for each connection.
                    force_close=True,
                    use_dns_cache=False,
                    resolver=_Judging(self._guard),
                    # Of the system, or of SSL_CERT_FILE: receivers inside have their own authority.
                    ssl=ssl.create_default_context(),
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                headers={
                    "User-Agent": "multicanal-webhooks",
                    "Content-Type": "application/json",
                    "Accept-Encoding": "identity",
                },
            )
        return self._session


class _Judging(AbstractResolver):
    """Resolves a name to addresses that were judged; the connection goes to these."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises AddressRefused."""
        _ = family
        found = await self._guard.resolve(host, port)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address, family in found
        ]

    async def close(self) -> None:
        """Close nothing: the guard is closed by whoever built it."""


# What went wrong, by the class of the fault; the first that fits.
_WHY: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "host_unknown"),
    ((aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError, ssl.SSLError), "tls_failed"),
    (TimeoutError, "timed_out"),
    (aiohttp.ClientConnectorError, "not_connected"),
)


def _why(fault: Exception) -> str:
    cause = getattr(fault, "os_error", fault)
    if isinstance(cause, AddressRefused):
        return cause.why
    return next((why for kind, why in _WHY if isinstance(fault, kind)), "connection_broken")


async def _beginning(answer: aiohttp.ClientResponse) -> str:
    """Return the beginning of an answer's body, as far as it comes soon."""
    parts: list[bytes] = []
    size = 0
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(READS_FOR):
            while size < KEPT and (part := await answer.content.read(KEPT - size)):
                parts.append(part)
                size += len(part)
    # PostgreSQL keeps no NUL.
    return b"".join(parts).decode(errors="replace").replace("\x00", "\ufffd")[:KEPT]


def _wait(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long a receiver asks us to wait: so many seconds, or to a date by its own clock.

    RFC 9110, 10.2.3.
    """
    asked = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(asked):
        return timedelta(seconds=int(asked))
    with suppress(ValueError, TypeError, OverflowError):  # no dates, or of different kinds
        return parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    return None
