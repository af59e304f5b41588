"""Clients that send too slowly, too much, or not what they announced: their connections end."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app import main
from app.api.connections import CHECK, Connection
from app.processes import Server, listen, port_of
from app.store.tables import documents, messages
from tests.api.client import BODY_LIMIT, Api

pytestmark = pytest.mark.anyio

LINE = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@dataclass(frozen=True, slots=True)
class Ended:
    seconds: float  # until the server closed the connection
    content: bytes

    @property
    def status(self) -> int:
        return int(self.content.split(b" ", 2)[1]) if self.content else 0


@asynccontextmanager
async def connected(api: Api) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def served(api: Api, connection: type[Connection]) -> AsyncIterator[int]:
    """Serve beside the others, on a port of its own, with connections of another class."""
    listening = listen("127.0.0.1", 0)
    server = Server(main.application(api.edge), listening, connection=connection)
    server.config.lifespan = "off"
    running = asyncio.create_task(server.run_until_stopped())
    await server.wait_ready(running)
    try:
        yield port_of(listening)
    finally:
        server.stop(1)
        await running


async def fed(
    api: Api, first: bytes, rest: Callable[[int], bytes] = lambda _: b"", *, every: float = 1.0
) -> Ended:
    """Write a beginning, then a little again and again, until the server closes."""
    began = time.monotonic()
    async with connected(api) as (reader, writer):

        async def feed() -> None:
            writer.write(first)
            place = 0
            while True:
                # By the clock: what came late once does not have all that follows come later.
                await asyncio.sleep(began + (place + 1) * every - time.monotonic())
                writer.write(rest(place))
                await writer.drain()
                place += 1

        feeding = asyncio.create_task(feed())
        content = b""
        try:
            async with asyncio.timeout(40):
                # As it comes: a reset, which may follow, takes what nobody has read yet with it.
                while part := await reader.read(65_536):
                    content += part
        except ConnectionResetError:
            pass
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        return Ended(time.monotonic() - began, content)


def post(api: Api, path: str, kind: str, *headers: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {api.live}",
        f"Content-Type: {kind}",
        *headers,
    ]
    return "\r\n".join((*lines, "", "")).encode()


async def test_who_is_too_slow_is_ended_and_who_is_not_is_served(shared: Api) -> None:
    """All at once: each takes its time."""
    sms = post(shared, "/v1/sms", "application/json", "Content-Length: 1000")
    chunked = post(shared, "/v1/sms", "application/json", "Transfer-Encoding: chunked")
    # Somewhat ahead of the slowest pace, so that a machine may stand still for some seconds.
    pieces = [b"a" * 20_480] * 4 + [b"a" * 8_800] * 20
    size = sum(map(len, pieces))
    document = post(
        shared, "/v1/documents", "text/plain", f"Content-Length: {size}", "Connection: close"
    )
    kept = await shared.count(messages)

    async def idle_between() -> int:
        async with connected(shared) as (reader, writer):
            for wait in (14.0, 0.0):
                writer.write(LINE + b"\r\n")
                await reader.readuntil(b"alive")
                await asyncio.sleep(wait)
            return 2

    slow_heads, slow_bodies, steady, idle = await asyncio.gather(
        asyncio.gather(
            fed(shared, LINE + b"X-A: ", lambda _: b"a"),
            fed(shared, LINE, lambda place: b"X-%d: a\r\n" % place),
            fed(shared, b"", lambda _: b"\r\n"),
            fed(shared, LINE + b"\r\n", lambda _: b"\r\n"),
            fed(shared, b""),
        ),
        asyncio.gather(
            fed(shared, sms, lambda _: b" "),
            fed(shared, chunked, lambda _: b"1\r\n \r\n"),
            fed(shared, sms + b"{" * 500),
        ),
        fed(shared, document, lambda place: pieces[place] if place < len(pieces) else b""),
        idle_between(),
    )

    assert [one.status for one in slow_heads] == [408, 408, 408, 200, 0]
    assert max(one.seconds for one in slow_heads) < 15
    assert [one.status for one in slow_bodies] == [408, 408, 408]
    assert max(one.seconds for one in slow_bodies) < 30
    assert b'"request_timeout"' in slow_bodies[0].content
    assert await shared.count(messages) == kept
    assert (steady.status, idle) == (201, 2)
    assert steady.content.count(b"HTTP/1.1") == 1


async def test_a_connection_that_idles_after_an_answer_is_ended(shared: Api) -> None:
    """After the time that it is kept, and not while another answer is under way or was just given."""
    connections: list[Connection] = []

    class Noted(Connection):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self.timeout_keep_alive = 6
            connections.append(self)
            super().connection_made(transport)

    async with served(shared, Noted) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.monotonic()
        for wait in (3.0, 0.0):
            writer.write(LINE + b"\r\n")
            await reader.readuntil(b"alive")
            await asyncio.sleep(wait)
        async with asyncio.timeout(40):
            rest = await reader.read()
        took = time.monotonic() - began
        writer.close()

    assert len(connections) == 1
    assert b"HTTP/1.1" not in rest
    assert 3.0 + 6.0 <= took < 3.0 + 6.0 + CHECK + 10.0


@pytest.mark.parametrize(
    "head",
    [
        LINE + b"X-A: " + b"a" * 2_000_000 + b"\r\n\r\n",
        LINE + b"X-A: " + b"a" * 2_000_000,
        LINE + b"X-A: a\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz?" + b"a" * 2_000_000,
    ],
    ids=["one header", "one header without end", "many headers", "address", "endless address"],
)
async def test_a_large_head_is_refused_at_once(shared: Api, head: bytes) -> None:
    ended = await fed(shared, head)

    # What is sent on into a closed connection may throw the answer away.
    assert ended.status in {431, 0}
    assert ended.seconds < 8  # before a head has taken too long


async def test_a_large_head_is_told_why(shared: Api) -> None:
    ended = await fed(shared, LINE + b"X-A: " + b"a" * 40_000 + b"\r\n\r\n")

    assert (ended.status, b'"headers_too_large"' in ended.content) == (431, True)


async def test_a_head_as_large_as_clients_need_is_taken(shared: Api) -> None:
    ended = await fed(shared, LINE + b"X-A: " + b"a" * 20_000 + b"\r\nConnection: close\r\n\r\n")

    assert ended.status == 200


async def test_a_head_that_comes_with_the_end_of_a_long_body_is_no_larger_for_that(
    shared: Api,
) -> None:
    body = b"{" + b" " * 120_000 + b"}"
    head = post(shared, "/v1/sms", "application/json", f"Content-Length: {len(body)}")
    async with connected(shared) as (reader, writer):
        writer.write(head + body + LINE)
        await asyncio.sleep(0.5)
        writer.write(b"Connection: close\r\n\r\n")
        content = await reader.read()

    assert re.findall(rb"HTTP/1.1 (\d+)", content) == [b"422", b"200"]


async def test_a_large_head_that_began_behind_another_request_is_refused_too(shared: Api) -> None:
    async with connected(shared) as (reader, writer):
        writer.write(LINE + b"\r\n" + LINE + b"X-A: " + b"a" * 50_000)
        await asyncio.sleep(0.5)
        writer.write(b"\r\nConnection: close\r\n\r\n")
        content = await reader.read()

    assert re.findall(rb"HTTP/1.1 (\d+)", content) == [b"200", b"431"]


async def test_a_head_that_began_behind_another_request_and_never_ends_is_told_so(
    shared: Api,
) -> None:
    async with connected(shared) as (reader, writer):
        writer.write(LINE + b"\r\nGE")
        async with asyncio.timeout(20):
            content = await reader.read()

    assert re.findall(rb"HTTP/1.1 (\d+)", content) == [b"200", b"408"]


async def test_a_body_in_many_pieces_is_not_copied_anew_with_each(shared: Api) -> None:
    """A quarter of a megabyte of small chunks, as it may come at once, would take 70 ms."""
    kinds: list[type] = []

    class Noted(Connection):
        def on_body(self, body: bytes) -> None:
            super().on_body(body)
            kinds.append(type(self.cycle.body))

    head = post(shared, "/v1/sms", "application/json", "Transfer-Encoding: chunked")
    async with served(shared, Noted) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + b"1\r\n{\r\n" + b"1\r\n \r\n" * 20 + b"1\r\n}\r\n0\r\n\r\n")
        line = await reader.readline()
        writer.close()

    assert line.startswith(b"HTTP/1.1 422 ")
    assert kinds == [bytes] + [bytearray] * 21


async def test_what_comes_of_a_body_after_the_answer_is_not_kept(shared: Api) -> None:
    kept: list[int] = []

    class Noted(Connection):
        def on_body(self, body: bytes) -> None:
            super().on_body(body)
            kept.append(len(self.cycle.body))

    async with served(shared, Noted) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        line = await reader.readline()
        writer.write(b"0123456789" + LINE + b"\r\n")
        await reader.readuntil(b"alive")
        writer.close()

    assert line.startswith(b"HTTP/1.1 404 ")
    assert kept == [0]


async def test_fields_after_a_body_are_neither_obeyed_nor_kept(shared: Api) -> None:
    fields: list[int] = []

    class Noted(Connection):
        def on_message_complete(self) -> None:
            super().on_message_complete()
            fields.append(len(self.headers) + len(self.cycle.scope["headers"]))

    sent = b'{"to": "+33639980001", "text": "x"}'
    head = (
        b"POST /v1/sms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n"
    )
    key = f"Authorization: Bearer {shared.live}\r\n".encode()
    async with served(shared, Noted) as port:
        for trailers in (key + b"\r\n", b"a: b\r\n" * 10_000 + b"\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head % (len(sent), sent) + trailers)
            line = await reader.readline()
            await asyncio.sleep(0.1)
            writer.close()

            assert line.startswith(b"HTTP/1.1 401 ")
    assert fields == [3, 3]


async def test_each_of_several_requests_is_told_that_its_client_left(shared: Api) -> None:
    """Otherwise the first would be answered into nothing, which is logged as a fault of ours."""
    cycles: list[RequestResponseCycle] = []
    lost = asyncio.Event()

    class Noted(Connection):
        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            cycles.append(self.cycle)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    one = post(shared, "/v1/sms", "application/json", "Content-Length: 35")
    one += b'{"to": "+33639980001", "text": "x"}'
    async with served(shared, Noted) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(one * 3)
        await writer.drain()
        writer.transport.abort()
        async with asyncio.timeout(10):
            await lost.wait()

    assert [cycle.disconnected or cycle.response_complete for cycle in cycles] == [True] * 3
    assert cycles[1].disconnected


async def test_an_announced_body_over_the_limit_is_refused_before_it_is_read(shared: Api) -> None:
    head = post(shared, "/v1/sms", "application/json", f"Content-Length: {BODY_LIMIT + 1}")

    ended = await fed(shared, head)

    assert ended.status == 413
    assert ended.seconds < 6


async def test_a_length_with_zeros_before_it_is_read_as_the_number_that_it_is(shared: Api) -> None:
    length = "0" * 5_000 + "2"  # more digits than Python reads of a number
    head = post(shared, "/v1/sms", "application/json", f"Content-Length: {length}")

    ended = await fed(shared, head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"{}")

    assert ended.status == 422


async def test_an_endless_body_is_refused_at_the_limit_and_ended(shared: Api) -> None:
    kept = await shared.count(documents)
    for kind, path in (("application/json", "/v1/sms"), ("text/plain", "/v1/documents")):
        head = post(shared, path, kind, "Transfer-Encoding: chunked")
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"

        ended = await fed(shared, head, lambda _: chunk, every=0.005)  # noqa: B023

        assert ended.status == 413
        assert ended.seconds < 10
    assert await shared.count(documents) == kept


async def test_a_body_longer_than_announced_is_no_part_of_it(shared: Api) -> None:
    head = post(shared, "/v1/sms", "application/json", "Content-Length: 2")

    ended = await fed(shared, head + b"{}" + b'{"to": "+33639980001", "text": "x"}')

    assert ended.status == 422
    assert ended.content.count(b"HTTP/1.1") == 1
    assert ended.seconds < 8


async def test_no_connection_is_upgraded(shared: Api) -> None:
    for name in (b"websocket", b"h2c"):
        head = LINE + b"Connection: Upgrade, close\r\nUpgrade: " + name + b"\r\n"
        ended = await fed(
            shared, head + b"Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )

        assert ended.status in {200, 400}


@pytest.mark.parametrize("cut", [0, 120, 1_000])
async def test_an_offered_protocol_is_passed_over_and_the_request_answered(
    shared: Api, cut: int
) -> None:
    """As Java's own client offers it with the first request of each connection."""
    body = b'{"to": "+33639980001", "text": "offered"}'
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")
    length = f"Content-Length: {len(body)}"
    key = f"Idempotency-Key: offered-{cut}"
    request = post(shared, "/v1/sms", "application/json", *offer, length, key) + body
    again = post(shared, "/v1/sms", "application/json", length, key, "Connection: close") + body
    async with connected(shared) as (reader, writer):
        writer.write(request[:cut])
        await asyncio.sleep(0.05)
        writer.write(request[cut:] + again)
        async with asyncio.timeout(10):
            answers = await reader.read()

    assert answers.count(b"HTTP/1.1 202 ") == 2
    assert answers.count(b"idempotency-replayed: true") == 1
    assert b"HTTP/1.1 101" not in answers


@pytest.mark.parametrize("offer", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
@pytest.mark.parametrize("target", [b"/v1/sms", b"http://x/v1/sms", b"x:80"])
async def test_nobody_is_connected_to_elsewhere_and_others_are_served(
    shared: Api, target: bytes, offer: bytes
) -> None:
    head = b"CONNECT " + target + b" HTTP/1.1\r\nHost: x\r\n" + offer + b"\r\n"
    async with connected(shared) as (reader, writer):
        writer.write(head + LINE + b"Connection: close\r\n\r\n")
        async with asyncio.timeout(10):
            answers = await reader.read()

    assert answers.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ", b"HTTP/1.1 405 "))
    assert answers.count(b"HTTP/1.1 200 ") == (target != b"x:80")
    assert (await shared.get("/healthz")).status == 200


async def test_many_offers_at_once_are_each_passed_over(shared: Api) -> None:
    one = LINE + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    async with connected(shared) as (reader, writer):
        writer.write(one * 50 + LINE + b"Connection: close\r\n\r\n")
        async with asyncio.timeout(10):
            answers = await reader.read()

    assert answers.count(b"HTTP/1.1 200 ") == 51
