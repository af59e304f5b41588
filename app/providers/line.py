"""One kept connection to a provider: it serves one call at a time, and writes no request twice."""

import asyncio
import select
from collections.abc import Iterable, Iterator
from typing import Any, Final

from app.providers.asking import LARGE
from app.providers.exchange import HELD_UP, Answered, NotSent, why_not_sent
from app.providers.heads import Heads
from app.providers.reading import Reading, TooLarge, Unfit

LATE: Final = 1.0  # seconds, of a request that was asked for: it is not written any more

OVER: Final = NotSent(why_not_sent(ConnectionResetError()))  # its connection, before the request


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, opened_at: float, heads: Heads) -> None:
        self.opened_at = opened_at
        self.free_since = opened_at
        self._heads = heads
        self._transport: Any = None
        self._largest = 0
        self._reading: Reading | None = None  # of an answer that is not like one before
        self._answer: asyncio.Future[Answered | NotSent] | None = None
        self._left: Iterator[bytes] | None = None  # of a request that is not written whole
        self._is_full = False  # the socket takes no more for now
        self._is_lost = False
        self._is_fit = True
        self._poll = select.poll()

    @property
    def is_quiet(self) -> bool:
        """Whether it stands, and nothing came that nobody asked for: its end would be news too."""
        return self._stands and not self._poll.poll(0)

    @property
    def is_fit(self) -> bool:
        """Whether it may serve another call, after the answer to the last one."""
        is_whole = self._left is None and not self._transport.get_write_buffer_size()
        return self._is_fit and not self._is_lost and is_whole

    def ask(self, request: Iterable[bytes], largest: int) -> "asyncio.Future[Answered | NotSent]":
        """Write a request; its answer follows, or OSError, TooLarge or Unfit is raised.

        It is written when the event loop has done what is ready, one after the other of those that
        were asked meanwhile. A server that waits is woken once then, and to wake it costs more than
        to write. A process that was stopped until then writes nothing.
        """
        loop = asyncio.get_running_loop()
        self._largest, self._reading, self._is_fit = largest, None, False
        answer: asyncio.Future[Answered | NotSent] = loop.create_future()
        loop.call_soon(self._begin, answer, iter(request), loop.time())
        return answer

    def close(self) -> None:
        """Close it, whatever is under way."""
        self._left = None
        self._transport.abort()

    @property
    def _stands(self) -> bool:
        return not (self._is_lost or self._transport.is_closing())

    def _begin(
        self, answer: "asyncio.Future[Answered | NotSent]", request: Iterator[bytes], asked: float
    ) -> None:
        if answer.done():
            return  # it was given up
        if not self._stands:
            answer.set_result(OVER)
        elif asyncio.get_running_loop().time() - asked > LATE:
            answer.set_result(HELD_UP)
        else:
            self._answer, self._left = answer, request
            self._write(request)

    def _write(self, left: Iterator[bytes]) -> None:
        """Write some of what is left; the rest once the loop and the socket have time for it."""
        some, size = [], 0
        for piece in left:
            some.append(piece)
            size += len(piece)
            if size > LARGE:
                break
        else:
            self._left = None
        self._transport.writelines(some)
        if self._left is not None and not self._is_full:
            asyncio.get_running_loop().call_soon(self._write_on)

    def _write_on(self) -> None:
        if self._left is not None and self._stands:
            self._write(self._left)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        self._transport = transport
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def pause_writing(self) -> None:
        """Write nothing more for now."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Write on."""
        self._is_full = False
        self._write_on()

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

    def _read(self, data: bytes, answer: "asyncio.Future[Answered | NotSent]") -> None:
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
