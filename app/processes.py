"""Run servers and workers in one process until a signal, and end them in the right order."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import structlog
import uvicorn
from starlette.types import ASGIApp

from app.api.connections import Connection

log = structlog.get_logger()

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
LOOPBACK: Final = "127.0.0.1"
HTTP_DRAIN: Final = 30  # seconds that open requests of the API have at the end
AFTER_WORKER: Final = 10  # seconds at most, where a worker was waited for before
SWITCH: Final = (
    0.0005  # seconds for which a thread may keep the event loop from running; usual: 5 ms
)
SAME_SIGNAL: Final = 0.5  # seconds: a shell may pass on what the terminal sent to us already


class Working(Protocol):
    """What works beside the servers, as a worker does."""

    async def run(self) -> None:
        """Work until `stop`, and to the end of what was begun."""

    def stop(self) -> None:
        """Begin nothing more."""


class PortTaken(Exception):
    """The port that a server shall listen on is another's."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, or asyncio leaves Nagle's algorithm on: 40 ms for each answer after the first.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as fault:
        listening.close()
        message = f"{host}:{port} cannot be listened on ({fault.strerror}): name another --port"
        raise PortTaken(message) from None
    listening.listen(2048)
    return listening


def port_of(listening: socket.socket) -> int:
    """Return the port that a socket listens on."""
    port: int = listening.getsockname()[1]
    return port


class SimulatedConnection(Connection):
    """A connection to a simulator: that it is cut off is meant, and no error to log."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 -- the server's own
        super().__init__(*given, **named)
        self.logger = logging.getLogger("uvicorn.error.simulated")
        self.logger.addFilter(_is_no_cut)


def _is_no_cut(record: logging.LogRecord) -> bool:
    return record.msg != "ASGI callable returned without completing response."


class Server(uvicorn.Server):
    """An HTTP server that leaves signals to `run`."""

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        *,
        drain: int = 5,
        connection: type[Connection] = Connection,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                # Or whoever calls from loopback could name any address as its own.
                proxy_headers=False,
                http=connection,
                ws="none",
                timeout_graceful_shutdown=drain,
                # Longer than clients keep an idle connection: whoever closes first loses a race.
                timeout_keep_alive=30,
                lifespan="on",
            )
        )
        self._listening = listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def run_until_stopped(self) -> None:
        """Serve until `stop`."""
        await self.serve(sockets=[self._listening])

    async def wait_ready(self, running: "asyncio.Task[None]") -> None:
        """Return when requests are taken."""
        while not self.started and not running.done():
            await asyncio.sleep(0.01)

    def stop(self, most: int = HTTP_DRAIN) -> None:
        """Take no more connections, and let open requests end, for so many seconds at most."""
        drain = self.config.timeout_graceful_shutdown
        self.config.timeout_graceful_shutdown = most if drain is None else min(drain, most)
        self.should_exit = True


async def run(
    servers: Sequence[Server],
    worker: Working | None = None,
    *,
    ready: Any = None,  # noqa: ANN401
    stopping: asyncio.Event | None = None,
) -> None:
    """Run until SIGINT or SIGTERM; a second signal ends everything at once.

    `stopping` is set then, so that readiness can say so. The worker ends first: a fax that is being
    sent still fetches its document from our server.
    """
    sys.setswitchinterval(SWITCH)
    stopping = stopping or asyncio.Event()
    _on_signals(stopping)
    running = [asyncio.create_task(server.run_until_stopped()) for server in servers]
    for server, task in zip(servers, running, strict=True):
        await server.wait_ready(task)
    working = asyncio.create_task(worker.run()) if worker is not None else None
    if ready is not None:
        ready()
    signalled = asyncio.create_task(stopping.wait())
    watched = [signalled, *running, *([working] if working else [])]
    await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping")
    if worker is not None and working is not None:
        worker.stop()
        await asyncio.wait({working})
    for server in servers:
        server.stop(HTTP_DRAIN if worker is None else AFTER_WORKER)
    signalled.cancel()
    await asyncio.gather(*running, *([working] if working else []))


def _on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    first_at = 0.0

    def signalled(number: int) -> None:
        nonlocal first_at
        if not stopping.is_set():
            first_at = loop.time()
            stopping.set()
        elif loop.time() - first_at > SAME_SIGNAL:
            # Whatever is in flight becomes `uncertain` when its lease is over.
            os._exit(128 + number)

    for one in SIGNALS:
        loop.add_signal_handler(one, signalled, one)
