"""Kept connections to a provider, each of which serves one call at a time.

A call has a connection that stands, or none. What breaks one before an answer is whole leaves open
what the provider did; nothing is ever written twice. A kept connection may be closed by its server
while a request is on its way: it is kept for a moment only, and looked at before it is used again.
"""

import asyncio
import select
import socket
import ssl
from collections.abc import Iterable
from typing import Any, Final

import aiohappyeyeballs

from app.domain.message import MayBegin
from app.providers.asking import Origin
from app.providers.exchange import CONNECT, HELD_UP, Answered, Broken, Exchange, NotSent, too_large
from app.providers.heads import Heads
from app.providers.patience import Patience
from app.providers.reading import Reading, TooLarge, Unfit

LIFE: Final = 60.0  # seconds after which a connection is made anew: the name may lead elsewhere
_NEXT_ADDRESS: Final = 0.25  # seconds after which a name's next address is tried too


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, opened_at: float, heads: Heads) -> None:
        self.opened_at = opened_at
        self.free_since = opened_at
        self._heads = heads
        self._transport: Any = None
        self._largest = 0
        self._reading: Reading | None = None  # of an answer that is not like one before
        self._answer: asyncio.Future[Answered] | None = None
        self._is_lost = False
        self._is_fit = True
        self._poll = select.poll()

    @property
    def is_quiet(self) -> bool:
        """Whether it stands, and nothing came that nobody asked for: its end would be news too."""
        return not (self._is_lost or self._transport.is_closing() or self._poll.poll(0))

    @property
    def is_fit(self) -> bool:
        """Whether it may serve another call, after the answer to the last one."""
        return self._is_fit and not self._is_lost and not self._transport.get_write_buffer_size()

    def ask(self, request: Iterable[bytes], largest: int) -> asyncio.Future[Answered]:
        """Write a request; its answer follows, or OSError, TooLarge or Unfit is raised."""
        self._largest, self._reading, self._is_fit = largest, None, False
        self._answer = answer = asyncio.get_running_loop().create_future()
        if self._is_lost:
            answer.set_exception(ConnectionResetError())
        else:
            self._transport.writelines(request)
        return answer

    def close(self) -> None:
        """Close it, whatever is under way."""
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        self._transport = transport
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Take what arrived; what nobody asked for ends the connection."""
        if self._answer is None or self._answer.done():
            self._is_lost = True
            self._transport.abort()
        elif self._reading is None and (whole := self._heads.answer(data, self._largest)):
            self._is_fit = True
            self._answer.set_result(whole)
        else:
            self._read(data, self._answer)

    def _read(self, data: bytes, answer: "asyncio.Future[Answered]") -> None:
        is_first = self._reading is None
        self._reading = reading = self._reading or Reading(self._largest)
        try:
            reading.feed(data)
        except (TooLarge, Unfit) as fault:
            self._is_lost = True  # whatever follows would be taken for the next answer
            answer.set_exception(fault)
            return
        if reading.done:
            if is_first:
                self._heads.learn(data, reading)
            self._is_fit = reading.leaves_open
            answer.set_result(reading.answered)

    def eof_received(self) -> None:
        """Take the end, which may be an answer's."""
        self._is_lost = True
        if self._answer is None or self._answer.done():
            return
        reading = self._reading or Reading(self._largest)
        try:
            reading.end()
        except Unfit as fault:
            self._answer.set_exception(fault)
        else:
            self._answer.set_result(reading.answered)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._is_lost = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())


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
                async with self._room:
                    line = self._taken(origin) or await self._opened(origin)
                    try:
                        if may_begin is not None and not await may_begin():
                            return HELD_UP
                        return await line.ask(request, largest)
                    finally:
                        self._give_back(origin, line)
        except TooLarge:
            return too_large(largest)
        except Unfit as fault:
            return Broken(fault.why)
        except ssl.SSLCertVerificationError:
            return NotSent("ClientConnectorCertificateError", certificate=True)
        # The class names what happened; the text may hold the address.
        except (OSError, ValueError) as fault:
            return Broken(_why(fault)) if line is not None else NotSent(_why_none(fault))

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


# aiohttp's words, whichever way a call took.


def _why(fault: Exception) -> str:
    return "ClientOSError" if isinstance(fault, ConnectionError) else type(fault).__name__


def _why_none(fault: Exception) -> str:
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
