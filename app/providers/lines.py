"""Kept connections to a provider, each of which serves one call at a time.

A call has a connection that stands, or none. What breaks one before an answer is whole leaves open
what the provider did; nothing is ever written twice. A kept connection may be closed by its server
while a request is on its way: it is kept for a moment only, and looked at before it is used again.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from typing import Final

import aiohappyeyeballs

from app.domain.message import MayBegin
from app.providers.asking import Origin
from app.providers.exchange import (
    CONNECT,
    HELD_UP,
    Broken,
    Exchange,
    NotSent,
    too_large,
    why_broken,
    why_not_sent,
)
from app.providers.heads import Heads
from app.providers.line import Line
from app.providers.patience import Patience
from app.providers.reading import TooLarge, Unfit

LIFE: Final = 60.0  # seconds after which a connection is made anew: the name may lead elsewhere
_NEXT_ADDRESS: Final = 0.25  # seconds after which a name's next address is tried too


class Lines:
    """Makes calls on connections that are kept for some seconds after each."""

    def __init__(self, *, timeout: float, concurrency: int, kept: float) -> None:
        self._patience = Patience(timeout)
        self._heads = Heads()
        self._kept = kept
        self._room = asyncio.Semaphore(concurrency)
        self._free: dict[Origin, list[Line]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._tls: ssl.SSLContext | None = None

    async def post(
        self,
        origin: Origin,
        request: Iterable[bytes],
        largest: int,
        may_begin: MayBegin | None,
    ) -> Exchange:
        """Make one call."""
        line: Line | None = None
        try:
            with self._patience.bounded():
                await self._room.acquire()
                try:
                    line = self._taken(origin) or await self._opened(origin)
                    if may_begin is not None and not await may_begin():
                        return HELD_UP
                    return await line.ask(request, largest)
                finally:
                    if line is not None:
                        self._give_back(origin, line)
                    self._room.release()
        except TooLarge:
            return too_large(largest)
        except Unfit as fault:
            return Broken(fault.why)
        except ssl.SSLCertVerificationError:
            return NotSent("ClientConnectorCertificateError", certificate=True)
        # The class names what happened; the text may hold the address.
        except (OSError, ValueError) as fault:
            return Broken(why_broken(fault)) if line is not None else NotSent(why_not_sent(fault))

    def close(self) -> None:
        """Close every connection; those in use when their call is over."""
        self._is_closed = True
        for lines in self._free.values():
            for line in lines:
                line.close()
        self._free.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()

    def _taken(self, origin: Origin) -> Line | None:
        """Return a free connection that stands, None where there is none."""
        free, now = self._free.get(origin), asyncio.get_running_loop().time()
        while free:
            line = free.pop()
            if line.is_quiet and now - line.free_since < self._kept:
                return line
            line.close()
        return None

    async def _opened(self, origin: Origin) -> Line:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT):
            where = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            made = await aiohappyeyeballs.start_connection(
                where, happy_eyeballs_delay=_NEXT_ADDRESS, loop=loop
            )
            _, line = await loop.create_connection(
                lambda: Line(loop.time(), self._heads),
                sock=made,
                ssl=self._context() if origin.is_tls else None,
                server_hostname=origin.host if origin.is_tls else None,
            )
        return line

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _give_back(self, origin: Origin, line: Line) -> None:
        now = asyncio.get_running_loop().time()
        if self._is_closed or not line.is_fit or now - line.opened_at > LIFE:
            line.close()
            return
        line.free_since = now
        self._free.setdefault(origin, []).append(line)
        if self._sweeping is None:
            self._sweep_later()

    def _sweep_later(self) -> None:
        self._sweeping = asyncio.get_running_loop().call_later(self._kept, self._sweep)

    def _sweep(self) -> None:
        """Close what nobody used for so long."""
        self._sweeping = None
        now = asyncio.get_running_loop().time()
        for origin, lines in list(self._free.items()):
            self._free[origin] = [one for one in lines if now - one.free_since < self._kept]
            for line in lines:
                if now - line.free_since >= self._kept:
                    line.close()
        if any(self._free.values()):
            self._sweep_later()
