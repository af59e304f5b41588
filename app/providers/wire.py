"""The one way out: one HTTP exchange, and how far it got. Nothing is retried or redirected.

What decides between "not sent" and "unclear" is the transport's phase, never an error's text: as
long as no connection stood, the provider cannot have read anything.
"""

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Any

from yarl import URL

from app.domain.message import MayBegin
from app.providers.asking import origin_of, request
from app.providers.exchange import (
    LARGEST_ANSWER,
    LARGEST_REPORT,
    Answered,
    Broken,
    Exchange,
    NotSent,
)
from app.providers.lines import Lines
from app.providers.pieces import Body, whole

if TYPE_CHECKING:
    from app.providers.session import Session

__all__ = [
    "LARGEST_ANSWER",
    "LARGEST_REPORT",
    "Answered",
    "Broken",
    "Exchange",
    "NotSent",
    "Wire",
    "is_loopback",
]


class Wire:
    """Outgoing HTTP to one provider. A call is made once.

    A connection serves one call, unless it is `kept` for so many seconds: then it serves POSTs one
    after another. A GET never shares one: aiohttp repeats a GET whose connection broke, reused or
    not, and 123-fax sends by GET.
    """

    def __init__(
        self, *, timeout: float, concurrency: int, rate: float | None = None, kept: float = 0.0
    ) -> None:
        self._lines = Lines(timeout=timeout, concurrency=concurrency, kept=kept) if kept else None
        self._spacing = 1 / rate if rate else 0.0
        self._free_at = 0.0
        self._timeout = timeout
        self._concurrency = concurrency
        self._session: Session | None = None
        self._is_closed = False

    async def get(
        self, url: str, *, largest: int = LARGEST_ANSWER, may_begin: MayBegin | None = None
    ) -> Exchange:
        """Make one GET; `url` is percent-encoded already and sent as it is."""
        if self._spacing:
            await self._wait_turn()
        return await self._by_session(largest, may_begin, "GET", url)

    async def post(
        self,
        url: str,
        body: Body,
        headers: dict[str, str],
        *,
        largest: int = LARGEST_ANSWER,
        may_begin: MayBegin | None = None,
    ) -> Exchange:
        """Make one POST; an answer of more than `largest` bytes is not read to its end."""
        if self._spacing:
            await self._wait_turn()
        if self._lines is not None and (origin := origin_of(url)) is not None:
            try:
                written = request(url, body, headers)
            except ValueError as fault:
                return NotSent(type(fault).__name__)
            return await self._lines.post(origin, written, largest, may_begin)
        return await self._by_session(largest, may_begin, "POST", url, whole(body), headers)

    async def close(self) -> None:
        """Close every connection, and open none any more."""
        self._is_closed = True
        if self._lines is not None:
            self._lines.close()
        if self._session is not None:
            await self._session.close()

    async def _wait_turn(self) -> None:
        """Keep calls apart as the settings' rate asks."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._free_at)
        self._free_at = turn + self._spacing
        await asyncio.sleep(turn - now)

    async def _by_session(
        self,
        largest: int,
        may_begin: MayBegin | None,
        *asked: Any,  # noqa: ANN401
    ) -> Exchange:
        """Make one exchange over a connection that nothing else uses."""
        session = self._session or self._made(await asyncio.to_thread(_session))
        if self._is_closed:  # meanwhile: what is opened now would be nobody's to close
            return NotSent("closed")
        return await session.exchange(largest, may_begin, *asked)

    def _made(self, kind: "type[Session]") -> "Session":
        if self._session is None:  # nobody was faster
            self._session = kind(timeout=self._timeout, concurrency=self._concurrency)
        return self._session


def _session() -> "type[Session]":
    """Return what is read only when it is needed: it takes a tenth of a second."""
    from app.providers.session import Session  # noqa: PLC0415

    return Session


def is_loopback(address: str | None) -> bool:
    """Say whether an address names this machine itself."""
    host = URL(address).host if address else None
    if host is None or host == "localhost":
        return host is not None
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
