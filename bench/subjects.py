"""The services that are compared: ours with everything on, F the lean floor, T the usual one."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import randrange
from typing import Any, Final
from uuid import uuid4

from bench import floor_store, usual, usual_store
from bench.asked import Asked, store
from bench.site import ENVIRONMENT, MARK, ROOT, Running, python, running
from tests.journeys.loopback import call, free_port
from tests.postgres import Postgres

COMMAND: Final = str(Path(sys.executable).parent / "multicanal")
KEY: Final = "gw_bench_0123456789_a-key-of-the-floor-and-of-the-usual-service"
NO_LIMIT: Final = str(10_000_000)
SETTINGS: Final = {
    # A status is asked for after 30 seconds, not after 3: measured is dispatch, to "submitted".
    "MULTICANAL_PACE": "10",
    "MULTICANAL_CALLBACK_SECRET": usual.CALLBACK,
    "MULTICANAL_KEY_PEPPER": "bench-key-pepper-0123456789abcdef",
    "MULTICANAL_WEBHOOK_NETWORKS": "127.0.0.0/8",
    # What is measured is how fast it is, not how it refuses.
    "MULTICANAL_CLIENT_RATE": "0",
    "MULTICANAL_QUEUE_MOST": NO_LIMIT,
    "MULTICANAL_QUEUE_CLIENT": NO_LIMIT,
    "MULTICANAL_QUEUE_BYTES": str(10**12),
    "MULTICANAL_DISK_RESERVE": "0",
    "MULTICANAL_EFIDEM_WSDL": str(ROOT / "app/providers/efidem/efidem.wsdl"),
    "MULTICANAL_EFIDEM_USERNAME": "bench",
    "MULTICANAL_EFIDEM_PASSWORD": "bench-password",
    "MULTICANAL_EFIDEM_APP_ID": "bench-app",
    "MULTICANAL_EFIDEM_CONCURRENCY": "256",
    "MULTICANAL_FAX123_EMAIL": "bench@example.com",
    "MULTICANAL_FAX123_PASSWORD": "bench-password",
}
# As a client has it that wants to know what became of its messages.
NEWS: Final = ["message.delivered", "message.failed"]
NOBODY: Final = "http://127.0.0.1:9/hook"  # hears it, where no message gets so far
SCOPES: Final = "email:send,sms:send,letter:send,fax:send,messages:read,webhooks:manage"


@dataclass(slots=True)
class Subject:
    """A service, where it keeps what it is given, and how it is called."""

    name: str
    url: str  # of its database
    folder: Path
    key: str
    environment: Mapping[str, str]
    command: Callable[[int], list[str]]  # that serves a port
    processes: list[Running] = field(default_factory=list)
    is_told: bool = True  # of what becomes of its messages, by a webhook
    told_at: str = NOBODY

    @property
    def ports(self) -> list[int]:
        """Where it is served."""
        return [one.port for one in self.processes]

    @property
    def pids(self) -> list[int]:
        """The processes that serve."""
        return [one.pid for one in self.processes]

    def post(self, path: str, body: object, kind: str = "application/json") -> dict[str, Any]:
        """Have it keep something, bytes or what is JSON, and return what it answered."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        found: dict[str, Any] = json.loads(self.offer(path, content, kind))
        return found

    def offer(self, path: str, content: bytes, kind: str = "application/json") -> bytes:
        """Have it keep something, and return its answer as it came: only the service has work."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        headers["Idempotency-Key"] = str(uuid4())
        answer = call("POST", f"http://127.0.0.1:{self.ports[0]}{path}", content, headers)
        assert answer.status in {200, 201, 202}, answer.content[:2000]
        return answer.content

    @contextmanager
    def served(
        self, cores: set[int] | None, *, processes: int = 1, wait: bool = True
    ) -> Iterator["Subject"]:
        """Serve it by some processes; who does not wait calls `wait_ready`."""
        with ExitStack() as stack:
            self.processes = []
            for _ in range(processes):
                port = free_port()
                process = running(
                    self.command(port),
                    self.folder,
                    cores=cores,
                    environment=self.environment,
                    port=port,
                )
                self.processes.append(stack.enter_context(process))
            if wait:
                self.wait_ready()
            yield self

    def wait_ready(self) -> None:
        """Return when every process of it answers, and its client has a webhook endpoint."""
        for one in self.processes:
            one.wait_ready()
        if not self.is_told:
            self.post("/v1/webhook-endpoints", {"url": self.told_at, "events": NEWS})
            self.is_told = True


def ours(asked: Asked, server: Postgres | None, **settings: str) -> Subject:
    """Return our gateway on a new store, with a key; with a webhook endpoint once it is served."""
    kind = "sqlite" if server is None else "postgresql"
    if kind not in asked.prepared:
        asked.prepared[kind] = _prepare(asked, server)
    original, key = asked.prepared[kind]
    folder = asked.folder_of("ours")
    url = store(server, folder, original.rpartition("/")[2])
    if server is None:
        shutil.copyfile(original.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
    return _subject(url, folder, key, settings)


def _prepare(asked: Asked, server: Postgres | None) -> tuple[str, str]:
    folder = asked.folder_of("prepared")
    url = store(server, folder)
    subject = _subject(url, folder, "", {})
    _said(subject, "migrate")
    # Not more: a store that worked, and then is copied, was restored, and its workers wait.
    return url, _key(subject, "bench")


def over(asked: Asked, url: str, client: str) -> Subject:
    """Return our gateway on a store that is there, with a new key of a client that it has."""
    subject = _subject(url, asked.folder_of("ours"), "", {})
    subject.key, subject.is_told = _key(subject, client), True
    return subject


def _key(subject: Subject, client: str) -> str:
    made = _said(subject, "keys", "create", "--name", client, "--mode", "live", "--scopes", SCOPES)
    return made.splitlines()[-1]


def _said(subject: Subject, *arguments: str) -> str:
    done = subprocess.run(
        [COMMAND, *arguments],
        env={**ENVIRONMENT, **subject.environment},
        cwd=subject.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _subject(url: str, folder: Path, key: str, settings: Mapping[str, str]) -> Subject:
    environment = {**SETTINGS, "MULTICANAL_DATABASE_URL": url, **settings}
    command = [COMMAND, "api", "--port"]
    made = Subject("ours", url, folder, key, environment, lambda port: [*command, str(port)])
    made.is_told = False
    return made


def lean(asked: Asked, server: Postgres | None) -> Subject:
    """Return F, the lean floor."""
    folder = asked.folder_of("F")
    url = store(server, folder)
    floor_store.create(url, sha256(f"Bearer {KEY}".encode()).digest())
    return Subject("F", url, folder, KEY, {}, lambda port: python("bench.floor", url, str(port)))


def common(asked: Asked, server: Postgres | None) -> Subject:
    """Return T, the usual service."""
    folder = asked.folder_of("T")
    url = store(server, folder)
    usual_store.create(url, sha256(f"Bearer {KEY}".encode()).digest())
    return Subject("T", url, folder, KEY, {}, lambda port: python("bench.usual", url, str(port)))


def request(subject: Subject, method: str, path: str, body: bytes = b"", *more: str) -> bytes:
    """Return a whole request, to be offered again and again."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"Authorization: Bearer {subject.key}", *more]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def sms(subject: Subject) -> bytes:
    """Return the request that is each time another text message."""
    body = {
        "to": "+33612345678",
        "text": "Votre code est 123456. Il est valable dix minutes.",
        "reference": f"ref-{MARK}",
    }
    return request(
        subject, "POST", "/v1/sms", json.dumps(body).encode(), f"Idempotency-Key: {MARK}"
    )


def own_sms(subject: Subject, count: int) -> tuple[bytes, list[str]]:
    """Return a request, and what makes it another text message so many times.

    Every key and every recipient is another, in no order: what costs most where there are many.
    """
    body = b'{"to": "+33612@2@", "text": "Votre code est 123456. Il est valable dix minutes."}'
    whole = body.replace(b"@2@", b"000000")
    head = request(subject, "POST", "/v1/sms", whole, "Idempotency-Key: @1@")
    values = [f"{uuid4()}\t{randrange(10**6):06}" for _ in range(count)]
    return head.removesuffix(whole) + body, values
