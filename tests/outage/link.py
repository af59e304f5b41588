"""A TCP link between the gateway and PostgreSQL that a test cuts, swallows or closes."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from urllib.parse import urlsplit

COMMIT = b"COMMIT\x00"
# Statements of store/alone.py, prepared by a name, and then run by it. Those that write are each a
# transaction, but for those between a BEGIN and its COMMIT.
PREPARED = re.compile(rb"P....(alone_\d+)\x00([^\x00]*)\x00", re.DOTALL)
RUN = re.compile(rb"B....\x00(alone_\d+)\x00", re.DOTALL)
WRITES = re.compile(rb"\b(INSERT|UPDATE|DELETE)\b")


class Cut(StrEnum):
    """Where the link breaks around a COMMIT."""

    BEFORE = "before"  # the server never sees it
    AT_ONCE = "at once"  # forwarded; whether the server still does it is its matter
    AFTER = "after"  # done; the answer is lost


class Prepared:
    """The statements that a connection has prepared, and whether it is in a transaction."""

    def __init__(self) -> None:
        self._statements: dict[bytes, bytes] = {}
        self._is_open = False

    def commits(self, data: bytes) -> bool:
        """Say whether what a client says commits something, by whichever statement."""
        self._statements |= dict(PREPARED.findall(data))
        for sql in map(self._statements.get, RUN.findall(data)):
            if sql in {b"BEGIN", b"COMMIT"}:
                self._is_open = sql == b"BEGIN"
                return not self._is_open
            if sql is not None and WRITES.search(sql) and not self._is_open:
                return True
        return COMMIT in data and not PREPARED.search(data)


class Link:
    """Forwards bytes; `cuts` holds what happens to the next commits."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self.cuts: list[Cut] = []
        self.refuses_after_a_cut = False  # everything
        self.refusing = False
        self.swallowing = False
        self.stops_after = b""  # words, after which whoever said them says nothing more
        self.stopped = 0  # connections that said them
        self.open = 0  # connections
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.break_all()
        await asyncio.sleep(0)

    def break_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        self._writers.add(writer)
        self.open += 1
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._to)
        except OSError:
            writer.transport.abort()
            self.open -= 1
            self._writers.discard(writer)
            return
        self._writers.add(server_writer)
        answering = asyncio.create_task(self._answer(server_reader, writer))
        with suppress(OSError):
            await self._ask(reader, server_reader, server_writer, answering)
        answering.cancel()
        for one in (writer, server_writer):
            one.transport.abort()
            self._writers.discard(one)
        self.open -= 1

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
        answering: "asyncio.Task[None]",
    ) -> None:
        prepared = Prepared()
        while data := await reader.read(65536):
            if self.swallowing:
                continue
            if prepared.commits(data) and self.cuts:
                cut = self.cuts.pop(0)
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)
                if cut is not Cut.BEFORE:
                    server_writer.write(data)
                    await server_writer.drain()
                if cut is Cut.AFTER:
                    await server_reader.read(65536)
                if self.refuses_after_a_cut:
                    self.refusing = True
                    self.break_all()
                return
            server_writer.write(data)
            await server_writer.drain()
            if self.stops_after and self.stops_after in data:
                self.stopped += 1
                await asyncio.gather(answering, return_exceptions=True)

    async def _answer(
        self, server_reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await server_reader.read(65536):
                if self.swallowing:
                    continue
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[tuple[Link, str]]:
    """Put a link before a server; return it and the address through it."""
    there = urlsplit(url)
    assert there.hostname
    assert there.port
    link = Link(there.hostname, there.port)
    port = await link.listen()
    try:
        yield link, url.replace(f":{there.port}/", f":{port}/")
    finally:
        await link.close()


def mixed(number: int, seed: int) -> list[Cut]:
    """Return so many cuts of every kind, in a repeatable order."""
    kinds = list(Cut)
    cuts = [kinds[place % len(kinds)] for place in range(number)]
    random.Random(seed).shuffle(cuts)
    return cuts
