"""A server on a real loopback socket that records what arrives and answers what it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext

Pieces = Iterable[bytes | float]  # what is written, and seconds of silence between


@dataclass
class Server:
    """What a test sees of its server."""

    scheme: str = "http"
    port: int = 0
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(
    answer: bytes | Callable[[], Pieces] | None,
    *,
    silent: float = 0.0,
    greets: bool = False,
    tls: SSLContext | None = None,
) -> AsyncIterator[Server]:
    """Answer each request with these bytes and hang up; None hangs up before one is read."""
    server = Server(scheme="https" if tls else "http")
    over = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []
    serving_now: set[asyncio.Task[object]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        serving_now.add(task)
        with suppress(OSError, asyncio.IncompleteReadError):
            if answer is not None:
                if not greets:
                    server.requests.append(await _request(reader))
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), silent)
                for piece in [answer] if isinstance(answer, bytes) else answer():
                    if isinstance(piece, bytes):
                        writer.write(piece)
                        await writer.drain()
                    else:
                        with suppress(TimeoutError):
                            await asyncio.wait_for(over.wait(), piece)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        over.set()
        listening.close()
        for writer in writers:
            # One that has ended after its last byte belongs to no loop any more.
            with suppress(AttributeError):
                writer.transport.abort()
        await asyncio.gather(*serving_now)
        await listening.wait_closed()


async def _request(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return (head + await reader.readexactly(length)).decode("latin-1")


def http_answer(body: bytes, status: int = 200, *headers: str) -> bytes:
    """Return an HTTP/1.1 answer."""
    lines = [
        f"HTTP/1.1 {status} x",
        f"Content-Length: {len(body)}",
        "Content-Type: text/html",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
