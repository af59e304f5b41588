"""An answer that is written at once is, byte for byte, what the server writes in two steps."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.connections import Connection
from app.api.whole import Answering, Headers, tell
from app.processes import Server, listen, port_of

pytestmark = pytest.mark.anyio

JSON = (b"content-type", b"application/json")
_DATE = re.compile(rb"date: [^\r]+\r\n")
_WRITTEN: list[bool] = []  # whether each answer was written at once


class Watched(Connection):
    """Notes which answers were written at once."""

    def _write_whole(self, scope: Scope, status: int, headers: Headers, body: bytes) -> bool:
        written = super()._write_whole(scope, status, headers, body)
        _WRITTEN.append(written)
        return written


@dataclass(frozen=True, slots=True)
class Said:
    """What an application answers, and how it is asked."""

    status: int = 200
    headers: Sequence[tuple[bytes, bytes]] = (JSON, (b"content-length", b"2"))
    parts: Sequence[bytes] = (b"{}",)
    method: str = "GET"
    version: str = "1.1"
    asked: Mapping[str, str] = field(default_factory=dict)
    times: int = 1  # that it is asked, all at once


def answering(said: Said, *, whole: bool, in_one_step: bool = False) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        own = Answering(scope, send, lambda: [(b"x-request-id", b"req_1")])
        if whole and in_one_step and len(said.parts) == 1:
            await tell(own, said.status, said.headers, said.parts[0])
            return
        start = {"type": "http.response.start", "status": said.status, "headers": [*said.headers]}
        if not whole:
            start["headers"] = [*said.headers, (b"x-request-id", b"req_1")]
        out = own if whole else send
        await out(start)
        for place, part in enumerate(said.parts, 1):
            more = place < len(said.parts)
            await out({"type": "http.response.body", "body": part, "more_body": more})

    return answer


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    listening = listen("127.0.0.1", 0)
    server = Server(app, listening, connection=Watched)
    server.config.lifespan = "off"
    running = asyncio.create_task(server.run_until_stopped())
    await server.wait_ready(running)
    yield port_of(listening)
    server.stop(1)
    await running


async def told(said: Said, *, whole: bool, in_one_step: bool = False) -> bytes:
    """Return all that is answered, until the connection ends or nothing more comes."""
    async with served(answering(said, whole=whole, in_one_step=in_one_step)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = [f"{said.method} /a HTTP/{said.version}", "Host: x"]
        lines += [f"{name}: {value}" for name, value in said.asked.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() * said.times)
        found = b""
        try:
            # Each is answered or ended; whether more comes after that is seen by waiting.
            while part := await asyncio.wait_for(reader.read(1_000_000), 0.3 if found else 10):
                found += part
        except TimeoutError:
            found += b"(open)"
        writer.close()
    return _DATE.sub(b"", found)


LENGTH = (b"content-length", b"2")
WAYS = {
    "as most are": (Said(202, (*Said().headers, (b"location", b"/v1/messages/msg_1"))), 1),
    "without a body": (Said(headers=((b"content-length", b"0"),), parts=(b"",)), 1),
    "not modified": (Said(304, ((b"etag", b'"a"'),), (b"",)), 1),
    "a problem": (Said(404, (LENGTH, (b"content-type", b"application/problem+json"))), 1),
    "a tab in a value": (Said(headers=(LENGTH, (b"vary", b"a\tb"))), 1),
    "asked together": (Said(times=3), 1),
    "asked for its head": (Said(method="HEAD"), 0),
    "closed by the client": (Said(asked={"Connection": "close"}), 0),
    "an old client": (Said(version="1.0"), 0),
    "an old client that stays": (Said(version="1.0", asked={"Connection": "keep-alive"}), 0),
    "closed by us": (Said(headers=(LENGTH, (b"connection", b"close"))), 0),
    "an unknown header": (Said(headers=(LENGTH, (b"x-other", b"1"))), 0),
    "a header in capitals": (Said(headers=((b"Content-Length", b"2"),)), 0),
    "a header that is none": (Said(headers=(LENGTH, (b"a b", b"1"))), 0),
    "a line break in a value": (Said(headers=(LENGTH, (b"vary", b"a\r\nb: c"))), 0),
    "a NUL in a value": (Said(headers=(LENGTH, (b"vary", b"\0"))), 0),
    "two lengths": (Said(headers=(LENGTH, LENGTH)), 0),
    "no length": (Said(headers=(JSON,)), 0),
    "too short": (Said(parts=(b"{",)), 0),
    "too long": (Said(parts=(b"{} ",)), 0),
    "in parts": (Said(parts=(b"{", b"}")), 0),
    "no content": (Said(204, (), (b"",)), 0),
    "large": (Said(headers=((b"content-length", b"100000"),), parts=(b"a" * 100_000,)), 0),
}


@pytest.mark.parametrize("in_one_step", [False, True])
@pytest.mark.parametrize(("said", "at_once"), WAYS.values(), ids=WAYS)
async def test_every_answer_is_written_as_the_server_writes_it(
    said: Said, at_once: int, in_one_step: bool
) -> None:
    usual = await told(said, whole=False)
    _WRITTEN.clear()

    assert await told(said, whole=True, in_one_step=in_one_step) == usual
    assert sum(_WRITTEN) == at_once


async def test_an_answer_in_one_step_is_two_messages_to_whoever_knows_only_those() -> None:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await tell(send, 200, [LENGTH], b"{}")

    assert messages == [
        {"type": "http.response.start", "status": 200, "headers": [LENGTH]},
        {"type": "http.response.body", "body": b"{}"},
    ]


async def test_an_answer_that_was_begun_is_not_written_again() -> None:
    async def twice(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        out = Answering(scope, send, list)
        for _ in range(2):
            await out({"type": "http.response.start", "status": 200, "headers": [LENGTH]})
            await out({"type": "http.response.body", "body": b"{}"})

    async with served(twice) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            found = await reader.read(1_000_000)
        writer.close()

    assert found.count(b"HTTP/1.1 200") == 1
