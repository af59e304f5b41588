"""Connections that are kept: what may be used again, and that nothing is ever written twice."""

import asyncio
import base64
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from app.providers.exchange import HELD_UP, Answered, Broken, NotSent
from app.providers.heads import Heads
from app.providers.line import LATE, Line
from app.providers.pieces import PIECE, InBase64, Pieces, whole
from app.providers.wire import Wire
from tests.providers.sockets import http_answer, serving

pytestmark = pytest.mark.anyio

ANSWER = http_answer(b"x")


@dataclass
class Server:
    """Answers on connections that it leaves open, until it is told otherwise."""

    answers: Callable[[int], bytes]  # by the number of the request, from 1
    connections: list[asyncio.StreamWriter] = field(default_factory=list)
    requests: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                await reader.readexactly(length)
                self.requests += 1
                answer = self.answers(self.requests)
                writer.write(answer)
                if not answer:
                    return
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def running(
    answers: Callable[[int], bytes] = lambda _: ANSWER, kind: type[Server] = Server
) -> AsyncIterator[Server]:
    server = kind(answers)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for one in server.connections:
            one.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
async def way() -> AsyncIterator[Wire]:
    opened = Wire(timeout=2.0, concurrency=4, kept=0.5)
    yield opened
    await opened.close()


async def post(way: Wire, server: Server, **options: object) -> object:
    url = f"http://127.0.0.1:{server.port}/soap"
    return await way.post(url, b"<e/>", {"SOAPAction": '""'}, **options)  # type: ignore[arg-type]


async def test_one_connection_serves_calls_one_after_another(way: Wire) -> None:
    async with running() as server:
        answers = [await post(way, server) for _ in range(5)]

        assert answers == [Answered(200, b"x")] * 5
        assert (server.requests, len(server.connections)) == (5, 1)


async def test_no_connection_serves_two_calls_at_once(way: Wire) -> None:
    async with running() as server:
        await asyncio.gather(*(post(way, server) for _ in range(4)))

        assert (server.requests, len(server.connections)) == (4, 4)


async def test_no_more_connections_stand_than_calls_may_be_made_at_once(way: Wire) -> None:
    async with running() as server:
        answers = await asyncio.gather(*(post(way, server) for _ in range(20)))

        assert answers == [Answered(200, b"x")] * 20
        assert (server.requests, len(server.connections)) == (20, 4)


async def test_a_connection_that_its_server_closed_meanwhile_is_not_written_to(way: Wire) -> None:
    async with running() as server:
        await post(way, server)
        server.connections[0].close()
        await asyncio.sleep(0.05)

        assert await post(way, server) == Answered(200, b"x")
        assert (server.requests, len(server.connections)) == (2, 2)


async def test_a_connection_on_which_something_came_by_itself_is_not_used_again(way: Wire) -> None:
    late = http_answer(b"-1", 408)
    async with running() as server:
        await post(way, server)
        server.connections[0].write(late)
        await asyncio.sleep(0.05)

        assert await post(way, server) == Answered(200, b"x")
        assert len(server.connections) == 2


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b"x", 200, "Connection: close"),
        ANSWER.replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
    ids=["said so", "an old protocol"],
)
async def test_a_connection_that_its_server_will_close_is_not_used_again(
    way: Wire, answer: bytes
) -> None:
    async with running(lambda _: answer) as server:
        for _ in range(3):
            assert await post(way, server) == Answered(200, b"x")

        assert len(server.connections) == 3


async def test_a_connection_is_kept_for_a_while_only(way: Wire) -> None:
    async with running() as server:
        await post(way, server)
        async with asyncio.timeout(10):
            while not server.connections[0].is_closing():
                await asyncio.sleep(0.05)

        await post(way, server)
        assert len(server.connections) == 2


async def test_a_kept_connection_that_breaks_after_the_request_is_broken_and_not_repeated(
    way: Wire,
) -> None:
    async with running(lambda number: ANSWER if number == 1 else b"") as server:
        await post(way, server)

        assert await post(way, server) == Broken("ServerDisconnectedError")
        assert (server.requests, len(server.connections)) == (2, 1)


async def test_what_came_after_an_answer_is_nobodys_answer(way: Wire) -> None:
    async with running(lambda number: ANSWER if number > 1 else ANSWER + ANSWER) as server:
        assert isinstance(await post(way, server), Broken)

        assert await post(way, server) == Answered(200, b"x")
        assert (server.requests, len(server.connections)) == (2, 2)


async def test_each_call_is_asked_for_with_its_connection_standing(way: Wire) -> None:
    stood = []

    async with running() as server:

        async def may_begin() -> bool:
            await asyncio.sleep(0.05)
            stood.append((len(server.connections), server.requests))
            return len(stood) != 2

        answers = [await post(way, server, may_begin=may_begin) for _ in range(3)]

        assert answers == [Answered(200, b"x"), HELD_UP, Answered(200, b"x")]
        assert stood == [(1, 0), (1, 1), (1, 1)]
        assert server.requests == 2


async def test_a_call_that_was_given_up_leaves_its_connection_to_nobody(way: Wire) -> None:
    async with running(lambda number: ANSWER if number > 1 else b"HTTP/1.1 200 OK\r\n") as server:
        asking = asyncio.create_task(post(way, server))
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

        assert await post(way, server) == Answered(200, b"x")
        assert len(server.connections) == 2


@pytest.mark.parametrize("size", [0, 1, 2, 3, PIECE - 1, PIECE, PIECE + 1, 1_000_000])
async def test_a_file_is_written_in_base64_whatever_its_size(way: Wire, size: int) -> None:
    content = random.Random(size).randbytes(size)
    body = Pieces([b"<e>", InBase64(content), b"</e>"])
    expected = b"<e>" + base64.b64encode(content) + b"</e>"
    assert (whole(body), len(body)) == (expected, len(expected))

    async with serving(ANSWER) as server:
        assert await way.post(server.url(), body, {}) == Answered(200, b"x")

    (request,) = server.requests
    head, _, written = request.encode("latin-1").partition(b"\r\n\r\n")
    assert f"Content-Length: {len(expected)}".encode() in head
    assert written == expected


class Counted(Pieces):
    """A body that tells how far it was taken."""

    taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in super().__iter__():
            self.taken += len(piece)
            yield piece


class Hasty(Server):
    """Answers once it has a head, if it answers at all; of a body it reads nothing."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            writer.write(self.answers(self.requests))


async def test_no_more_is_made_than_the_other_side_takes() -> None:
    body = Counted([InBase64(bytes(40_000_000))])
    way = Wire(timeout=0.5, concurrency=1, kept=0.5)
    async with running(lambda _: b"", Hasty) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert await way.post(url, body, {}) == Broken("TimeoutError")
    await way.close()

    assert 0 < body.taken < len(body) / 2


async def test_a_connection_that_answers_before_it_has_all_is_not_used_again(way: Wire) -> None:
    body = Counted([InBase64(bytes(40_000_000))])
    async with running(kind=Hasty) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert await way.post(url, body, {}) == Answered(200, b"x")
        taken = body.taken
        assert 0 < taken < len(body) / 2
        assert await way.post(url, b"<e/>", {}) == Answered(200, b"x")
        assert len(server.connections) == 2
        await asyncio.sleep(0.05)
        assert body.taken == taken


async def test_a_large_body_goes_out_where_connections_are_not_kept() -> None:
    way = Wire(timeout=5.0, concurrency=1)
    async with serving(ANSWER) as server:
        body = Pieces([b"<e>", InBase64(bytes(300_000)), b"</e>"])
        assert await way.post(server.url(), body, {}) == Answered(200, b"x")
    await way.close()
    assert server.requests[0].encode().endswith(b"\r\n\r\n" + whole(body))


async def test_a_header_that_would_be_two_is_not_sent(way: Wire) -> None:
    async with running() as server:
        url = f"http://127.0.0.1:{server.port}/"
        exchange = await way.post(url, b"<e/>", {"SOAPAction": "a\r\nX: b"})

        assert type(exchange).__name__ == "NotSent"
        assert server.connections == []


class Transport(asyncio.Transport):
    """Stands where a connection's transport stands, and keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.socket, self._other = socket.socketpair()
        self.written: list[bytes] = []
        self.is_aborted = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self.socket if name == "socket" else default

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.written += map(bytes, list_of_data)

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True

    def end(self) -> None:
        self.socket.close()
        self._other.close()


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.end()


async def test_what_comes_before_anything_is_written_is_no_answer(transport: Transport) -> None:
    line = Line(0.0, Heads())
    line.connection_made(transport)

    answer = line.ask([b"request"], 1000)
    line.data_received(ANSWER)

    assert await answer == NotSent("ClientConnectorError")
    assert (transport.is_aborted, transport.written) == (True, [])


def aborted(_: Line, transport: Transport) -> None:
    transport.abort()


def ended_by_the_other_side(line: Line, _: Transport) -> None:
    line.eof_received()


def lost(line: Line, _: Transport) -> None:
    line.connection_lost(OSError())


@pytest.mark.parametrize("ends", [aborted, ended_by_the_other_side, lost])
async def test_nothing_is_written_on_a_connection_that_ends_meanwhile(
    transport: Transport, ends: Callable[[Line, Transport], None]
) -> None:
    line = Line(0.0, Heads())
    line.connection_made(transport)

    answer = line.ask([b"request"], 1000)
    ends(line, transport)

    assert await answer == NotSent("ClientConnectorError")
    assert transport.written == []


async def test_what_was_given_up_before_it_was_written_is_not_written(
    transport: Transport,
) -> None:
    line = Line(0.0, Heads())
    line.connection_made(transport)

    line.ask([b"request"], 1000)
    line.close()
    await asyncio.sleep(0)

    assert transport.written == []


async def test_what_could_not_be_written_for_long_is_not_written(way: Wire) -> None:
    """A process that stood still meanwhile must not do what it was allowed to before."""
    async with running() as server:
        await post(way, server)

        async def may_begin() -> bool:
            asyncio.get_running_loop().call_soon(time.sleep, LATE + 0.1)
            return True

        assert await post(way, server, may_begin=may_begin) == HELD_UP
        assert server.requests == 1
        assert await post(way, server) == Answered(200, b"x")


async def test_what_is_asked_in_one_turn_of_the_loop_is_written_after_all_else_of_it(
    transport: Transport,
) -> None:
    line = Line(0.0, Heads())
    line.connection_made(transport)
    seen: list[int] = []
    loop = asyncio.get_running_loop()

    def ask() -> None:
        line.ask([b"request"], 1000)

    loop.call_soon(ask)
    loop.call_soon(lambda: seen.append(len(transport.written)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert (seen, transport.written) == ([0], [b"request"])
    line.data_received(ANSWER)
    assert not transport.is_aborted
