"""One HTTP exchange over real sockets, and how far it got."""

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from app.providers.wire import Answered, Broken, Exchange, NotSent, Wire
from tests.journeys.loopback import free_port
from tests.providers.sockets import http_answer, serving

pytestmark = pytest.mark.anyio

Call = Callable[..., Awaitable[Exchange]]
MEBIBYTE = 1_048_576


async def get(way: Wire, url: str, largest: int = MEBIBYTE) -> Exchange:
    return await way.get(url, largest=largest)


async def post(way: Wire, url: str, largest: int = MEBIBYTE) -> Exchange:
    return await way.post(url, b"<e/>", {"Content-Type": "text/xml"}, largest=largest)


BOTH = pytest.mark.parametrize("call", [get, post])


# Seconds for which connections are kept: with none, aiohttp makes every call.
KEPT = pytest.mark.parametrize("kept", [0.0, 1.0], ids=["one call each", "kept"])


@pytest.fixture(params=[0.0, 1.0], ids=["one call each", "kept"])
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    opened = Wire(timeout=5.0, concurrency=4, kept=request.param)
    yield opened
    await opened.close()


# No connection stood.


@BOTH
async def test_a_refused_connection_sent_nothing(way: Wire, call: Call) -> None:
    exchange = await call(way, f"http://127.0.0.1:{free_port()}/?pass=s3cret")

    assert exchange == NotSent("ClientConnectorError")


@BOTH
async def test_a_name_that_nobody_has_sent_nothing(
    way: Wire, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # No resolver of a network is asked: it may take its time.
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nobody)

    exchange = await call(way, "http://nobody.invalid/?pass=s3cret")

    assert exchange == NotSent("ClientConnectorDNSError")


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "http:///x", "nothing", "ftp://127.0.0.1/", "http://" + "x" * 300 + ".fr/"],
)
async def test_an_address_that_is_none_sent_nothing(way: Wire, url: str) -> None:
    assert isinstance(await way.get(url), NotSent)


async def test_a_connection_that_never_stands_sent_nothing() -> None:
    # The one place in a queue of one is taken, so that the next connection is never answered.
    with closing(socket.socket()) as listening, closing(socket.socket()) as first:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        first.connect(address)
        others = [socket.socket() for _ in range(3)]
        for one in others:
            one.setblocking(False)
            one.connect_ex(address)
        slow = Wire(timeout=0.3, concurrency=1)

        exchange = await slow.get(f"http://127.0.0.1:{address[1]}/")

        await slow.close()
        for one in others:
            one.close()
    assert isinstance(exchange, NotSent)


async def test_a_call_that_found_no_free_connection_in_time_sent_nothing() -> None:
    narrow = Wire(timeout=30.0, concurrency=1)
    async with serving(http_answer(b"x"), silent=30.0) as server:
        first = asyncio.create_task(narrow.get(server.url("/first")))
        async with asyncio.timeout(10):
            while not server.requests:
                await asyncio.sleep(0.01)
        assert narrow._session._session is not None
        # From here on it has less patience: the second gives up long before the first.
        narrow._session._session._timeout = aiohttp.ClientTimeout(total=0.3)
        second = await narrow.get(server.url("/second"))
    assert isinstance(await first, Broken)
    await narrow.close()

    assert isinstance(second, NotSent)
    assert [one.split()[1] for one in server.requests] == ["/first"]


@BOTH
async def test_tls_with_somebody_who_speaks_none_sent_nothing(way: Wire, call: Call) -> None:
    async with serving(b"220 mail\r\n", greets=True) as server:
        exchange = await call(way, server.url().replace("http:", "https:"))

    assert isinstance(exchange, NotSent)
    assert exchange.certificate is False


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = [openssl, "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "1"]
    named = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    written = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*made, *named, *written], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@BOTH
async def test_a_certificate_that_nobody_signed_sent_nothing_and_is_named(
    way: Wire, call: Call, self_signed: ssl.SSLContext
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # the server's side of the refused handshake
    async with serving(http_answer(b"x"), tls=self_signed) as server:
        exchange = await call(way, server.url())
    loop.set_exception_handler(None)

    assert exchange == NotSent("ClientConnectorCertificateError", certificate=True)
    assert server.requests == []


# A connection stood, and no whole answer came.


@BOTH
async def test_a_connection_closed_before_the_request_was_read_is_broken(
    way: Wire, call: Call
) -> None:
    async with serving(None) as server:
        exchange = await call(way, server.url())

    assert isinstance(exchange, Broken)
    assert server.connections == 1


@BOTH
async def test_a_connection_closed_after_the_request_is_broken_and_nothing_is_repeated(
    way: Wire, call: Call
) -> None:
    async with serving(b"") as server:
        exchange = await call(way, server.url("/?pass=s3cret"))

    assert exchange == Broken("ServerDisconnectedError")
    assert len(server.requests) == 1
    assert server.connections == 1


@BOTH
async def test_a_connection_reset_after_the_request_is_broken_and_nothing_is_repeated(
    way: Wire, call: Call
) -> None:
    arrived = []

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.readuntil(b"\r\n\r\n"))
        lingering = bytes([1, 0, 0, 0, 0, 0, 0, 0])
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
        writer.transport.abort()

    async with await asyncio.start_server(reset, "127.0.0.1", 0) as server:
        exchange = await call(way, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    assert isinstance(exchange, Broken)
    assert len(arrived) == 1


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n113-x",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n113-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n113-x",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n113-x",
        b"113-x",
        b"SSH-2.0-x\r\n\r\n",
        http_answer(b"113-x", 200, "Content-Encoding: gzip"),
    ],
    ids=["head", "body", "chunk", "length", "long head", "none", "another", "not gzip"],
)
async def test_half_an_answer_is_broken_and_nothing_is_repeated(
    way: Wire, call: Call, answer: bytes
) -> None:
    async with serving(answer) as server:
        exchange = await call(way, server.url())

    assert isinstance(exchange, Broken)
    assert len(server.requests) == 1


@BOTH
@KEPT
async def test_silence_after_the_request_is_broken_when_time_is_up(call: Call, kept: float) -> None:
    impatient = Wire(timeout=0.3, concurrency=1, kept=kept)
    async with serving(http_answer(b"late"), silent=0.8) as server:
        exchange = await call(impatient, server.url())
        await impatient.close()

    assert isinstance(exchange, Broken)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b"x" * 1_048_577),
        http_answer(gzip.compress(bytes(30_000_000)), 200, "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_200_000,
    ],
    ids=["plain", "gzip", "without a length"],
)
async def test_an_answer_over_a_mebibyte_is_broken(way: Wire, answer: bytes) -> None:
    async with serving(answer) as server:
        assert await way.get(server.url()) == Broken("the answer is larger than 1 MiB")


@BOTH
@KEPT
async def test_an_answer_may_be_as_large_as_its_caller_says(call: Call, kept: float) -> None:
    way = Wire(timeout=20.0, concurrency=1, kept=kept)
    body = gzip.compress(bytes(3 * MEBIBYTE))
    async with serving(http_answer(body, 200, "Content-Encoding: gzip")) as server:
        enough = await call(way, server.url(), largest=3 * MEBIBYTE)
        little = await call(way, server.url(), largest=2 * MEBIBYTE)
    await way.close()

    assert enough == Answered(200, bytes(3 * MEBIBYTE))
    assert little == Broken("the answer is larger than 2 MiB")


# A whole answer.


async def test_an_answer_of_a_mebibyte_is_whole(way: Wire) -> None:
    async with serving(http_answer(b"x" * 1_048_576)) as server:
        exchange = await way.get(server.url())

    assert isinstance(exchange, Answered)
    assert len(exchange.body) == 1_048_576


@BOTH
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(
    way: Wire, call: Call, status: int
) -> None:
    async with serving(b"") as elsewhere:
        answer = http_answer(b"moved", status, f"Location: {elsewhere.url('/there')}")
        async with serving(answer) as server:
            exchange = await call(way, server.url())

    assert exchange == Answered(status, b"moved")
    assert len(server.requests) == 1
    assert elsewhere.connections == 0


async def test_an_answer_is_given_with_its_status_and_its_wish_to_wait(way: Wire) -> None:
    async with serving(http_answer(b"-6", 429, "Retry-After: 12")) as server:
        exchange = await way.get(server.url())

    assert exchange == Answered(429, b"-6", "12")


async def test_an_address_is_sent_as_it_is_encoded(way: Wire) -> None:
    async with serving(http_answer(b"x")) as server:
        await way.get(server.url("/http.php?url=http%3A%2F%2Fa%2Fb%20c&pass=%2B%26%3D%C3%A9"))

    line, *headers = server.requests[0].split("\r\n")
    assert line == ("GET /http.php?url=http%3A%2F%2Fa%2Fb%20c&pass=%2B%26%3D%C3%A9 HTTP/1.1")
    assert "User-Agent: multicanal" in headers
    assert "Accept-Encoding: identity" in headers


async def test_a_body_and_its_headers_arrive_whole(way: Wire) -> None:
    body = "<é/>".encode() * 100_000
    async with serving(http_answer(b"x")) as server:
        await way.post(server.url(), body, {"SOAPAction": '"urn:x"'})

    head, _, arrived = server.requests[0].partition("\r\n\r\n")
    assert arrived.encode("latin-1") == body
    assert 'SOAPAction: "urn:x"' in head.split("\r\n")


async def test_no_connection_serves_two_calls(way: Wire) -> None:
    async with serving(http_answer(b"x")) as server:
        answers = [await way.get(server.url()) for _ in range(3)]

    assert answers == [Answered(200, b"x")] * 3
    assert server.connections == 3


def names_itself() -> bool:
    """Say whether this machine knows the name localhost; a bare container may not."""
    try:
        return socket.gethostbyname("localhost") == "127.0.0.1"
    except OSError:
        return False


@pytest.mark.skipif(not names_itself(), reason="cookies need a name, and localhost has no address")
async def test_no_call_is_told_what_another_was(way: Wire) -> None:
    async with serving(http_answer(b"x", 200, "Set-Cookie: session=1; Path=/")) as server:
        await way.get(server.url(host="localhost"))
        await way.get(server.url(host="localhost"))

    assert len(server.requests) == 2
    assert not [one for one in server.requests if "cookie:" in one.lower()]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_a_proxy_of_the_environment_is_ignored(
    way: Wire, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with serving(http_answer(b"proxy")) as proxy, serving(http_answer(b"x")) as server:
        monkeypatch.setenv(name, proxy.url())
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

        exchange = await way.get(server.url())

    assert exchange == Answered(200, b"x")
    assert proxy.connections == 0


async def test_a_password_file_of_the_machine_is_ignored(
    way: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with serving(http_answer(b"x")) as server:
        await way.get(server.url())

    assert "Authorization" not in server.requests[0]


async def test_calls_are_kept_apart_as_the_rate_asks() -> None:
    loop = asyncio.get_running_loop()
    slow = Wire(timeout=5.0, concurrency=4, rate=20.0)
    async with serving(http_answer(b"x")) as server:
        began = loop.time()
        await asyncio.gather(*(slow.get(server.url()) for _ in range(5)))
        took = loop.time() - began
    await slow.close()

    assert took >= 4 / 20
    assert len(server.requests) == 5


async def test_a_wire_that_was_never_used_closes() -> None:
    await Wire(timeout=1.0, concurrency=1).close()


# Whether a call may still begin.


@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_call_that_may_not_begin_any_more_sends_no_byte(way: Wire, method: str) -> None:
    stood = []

    async with serving(http_answer(b"x")) as server:

        async def too_late() -> bool:
            stood.append(server.connections)
            return False

        if method == "get":
            exchange = await way.get(server.url(), may_begin=too_late)
        else:
            exchange = await way.post(server.url(), b"<e/>", {}, may_begin=too_late)

    assert exchange == NotSent("the worker was held up before the call")
    assert server.requests == []
    assert len(stood) == 1


async def test_a_call_that_may_begin_is_made(way: Wire) -> None:
    async def in_time() -> bool:
        return True

    async with serving(http_answer(b"x")) as server:
        exchange = await way.post(server.url(), b"<e/>", {}, may_begin=in_time)

    assert isinstance(exchange, Answered)
    assert len(server.requests) == 1


async def test_who_was_closed_opens_nothing_any_more() -> None:
    wire = Wire(timeout=1, concurrency=1)
    await wire.close()

    assert await wire.get("http://127.0.0.1:9/") == NotSent("closed")
