"""A client's receiver of webhooks: a real HTTP server on loopback that answers as a test says."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from tests.journeys.loopback import HOST, PATIENCE, free_port, wait_for


@dataclass(frozen=True, slots=True)
class Says:
    """One answer."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    waits_for: threading.Event | None = None  # before it answers
    drips: bool = False  # its body never ends


@dataclass(frozen=True, slots=True)
class Got:
    """One webhook, as it came."""

    path: str
    headers: Mapping[str, str]  # their names in lower case
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    def verified(self, secret: str) -> dict[str, Any]:
        """Verify it as a receiver does, and return what it says."""
        content: dict[str, Any] = Webhook(secret).verify(self.body, dict(self.headers))
        return content


class Receiver:
    """Takes webhooks; `says` are the answers to come, `always` the one after them."""

    def __init__(self, port: int = 0) -> None:
        self.port = port or free_port()
        self.got: list[Got] = []
        self.says: list[Says] = []
        self.always = Says()
        self._server: ThreadingHTTPServer | None = None

    def url(self, path: str = "/hook") -> str:
        return f"http://{HOST}:{self.port}{path}"

    def open(self, *, certificate: Path | None = None) -> None:
        """Be there, and over TLS with a certificate, whose file holds the key too."""
        self._server = _Server((HOST, self.port), _handler(self))
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def until(self, happened: Callable[[], bool], what: str) -> None:
        wait_for(happened, lambda: f"{what}: {[one.json['type'] for one in self.got]}", PATIENCE)

    def ids(self) -> list[str]:
        return [one.id for one in self.got]

    def repeats(self) -> int:
        """Return how often something came that had come before."""
        return len(self.got) - len(set(self.ids()))

    def take(self, one: Got) -> Says:
        self.got.append(one)
        return self.says.pop(0) if self.says else self.always


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Have a receiver that is up."""
    made = Receiver()
    made.open()
    try:
        yield made
    finally:
        made.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing where the sender hung up: some tests want that."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            says = receiver.take(Got(self.path, headers, self.rfile.read(length)))
            if says.waits_for is not None:
                says.waits_for.wait(PATIENCE)
            self.send_response_only(says.status)  # with no header but those that it says
            for name, value in says.headers.items():
                self.send_header(name, value)
            if not says.drips:
                self.send_header("Content-Length", str(len(says.body)))
            self.end_headers()
            self.wfile.write(says.body)
            while says.drips:
                self.wfile.write(b"." * 1024)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Log nothing."""

    return Handler
