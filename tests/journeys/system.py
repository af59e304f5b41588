"""The whole system as real processes on loopback, used through its public faces alone."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.domain.status import Status, allowed
from tests.forked import Forked
from tests.journeys.loopback import HOST, PATIENCE, Answer, call, free_port, wait_for
from tests.journeys.relay import Relay

COMMAND = str(Path(sys.executable).with_name("multicanal"))
PACE = "0.05"  # of our worker's pauses
SIMULATED_PACE = "0.1"  # of the providers' delays: an answer after 30 seconds comes after 3
PROVIDERS = ("efidem", "fax123")
SECRETS = {
    "MULTICANAL_CALLBACK_SECRET": "canary-callback-secret-5d0c1f",
    "MULTICANAL_KEY_PEPPER": "canary-key-pepper-77b2e9",
    "MULTICANAL_EFIDEM_USERNAME": "canary-efidem-user",
    "MULTICANAL_EFIDEM_PASSWORD": "canary-efidem-password",
    "MULTICANAL_EFIDEM_APP_ID": "canary-efidem-app",
    "MULTICANAL_FAX123_EMAIL": "canary-fax-account@example.com",
    "MULTICANAL_FAX123_PASSWORD": "canary-fax-password",
}


@dataclass(slots=True)
class Part:
    """One process, and where its log begins."""

    process: Forked
    log: Path
    begins: int

    def said(self) -> str:
        return self.log.read_bytes()[self.begins :].decode(errors="replace")


class System:
    """A gateway in parts, and both simulated providers. `up` starts what does not run."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("api", "api-2", *PROVIDERS)}
        self.relay = Relay(free_port(), self.ports["fax123"])
        self.key = ""
        self.settings = SECRETS | {
            "MULTICANAL_DATABASE_URL": database_url,
            "MULTICANAL_PUBLIC_URL": self.url("api"),
            "MULTICANAL_EFIDEM_WSDL": f"{self.url('efidem')}/efidem.wsdl",
            "MULTICANAL_EFIDEM_TIMEOUT": "2",
            "MULTICANAL_FAX123_URL": f"http://{HOST}:{self.relay.port}/http.php",
            "MULTICANAL_FAX123_TIMEOUT": "20",
            "MULTICANAL_WORKER_IDLE": "0.1",
            "MULTICANAL_WORKER_DRAIN": "15",
            "MULTICANAL_PACE": PACE,
            "MULTICANAL_FAX_RETRY_DELAYS": "20,40",  # seconds, times the pace
            "MULTICANAL_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "MULTICANAL_WEBHOOK_TIMEOUT": "5",
            "MULTICANAL_LOG_LEVEL": "DEBUG",
        }
        self.dialect = "document"  # of Efidem's WSDL
        self.simulated_pace = SIMULATED_PACE
        self._running: dict[str, Part] = {}
        self._commands = count(1)

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    # Its processes.

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        number = next(self._commands)
        out, errors = (self.folder / f"command-{number}.{one}" for one in ("out", "errors"))
        process = Forked(arguments, self.environment(**settings), self.folder, out, errors=errors)
        try:
            status = process.wait(60)
        finally:
            process.kill()
        said = [one.read_text() if one.exists() else "" for one in (out, errors)]
        return subprocess.CompletedProcess(arguments, status, *said)

    def up(self) -> None:
        """Start what does not run; a provider before whoever reads its WSDL."""
        for names in (PROVIDERS, ("api", "worker")):
            self.start(*(name for name in names if name not in self._running))

    def start(self, *names: str, **settings: str) -> None:
        """Start parts together, and return when they are ready."""
        self.begin(*names, **settings)
        self.await_ready(*names)

    def begin(self, *names: str, **settings: str) -> None:
        for name in names:
            self._begin(name, settings)

    def await_ready(self, *names: str) -> None:
        for name in names:
            wait_for(partial(self._is_ready, name), lambda: f"not ready\n{self.tails()}", PATIENCE)
            if name == "fax123":
                self.relay.open()

    def signal(self, name: str, number: int = signal.SIGTERM) -> None:
        self._running[name].process.send_signal(number)

    def pid(self, name: str) -> int:
        return self._running[name].process.pid

    def wait(self, name: str) -> int:
        """Return the exit status of a part that ends by itself."""
        process = self._running[name].process
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} did not end\n{self.tails()}") from None
        finally:
            del self._running[name]
        return status

    def stop(self, *names: str) -> list[int]:
        """End parts by SIGTERM; return their exit statuses."""
        if "fax123" in names:
            self.relay.close()
        for name in names:
            self.signal(name)
        return [self.wait(name) for name in names]

    def kill(self, name: str) -> None:
        self.signal(name, signal.SIGKILL)
        assert self.wait(name) == -signal.SIGKILL

    def stop_all(self) -> list[int]:
        workers = [name for name in self._running if name.startswith("worker")]
        return self.stop(*workers) + self.stop(*self._running)

    def said(self, name: str) -> str:
        """Return what a running part has logged since it began."""
        return self._running[name].said()

    def environment(self, **settings: str) -> dict[str, str]:
        """Return what its processes find around them."""
        return {"PATH": os.environ["PATH"], **self.settings, **settings}

    def _arguments(self, name: str) -> list[str]:
        if name.startswith("worker"):
            return ["worker"]
        port = ["--port", str(self.ports[name])]
        if name in PROVIDERS:
            ledger = ["--ledger", str(self.folder / f"{name}.ledger")]
            dialect = ["--dialect", self.dialect] if name == "efidem" else []
            return ["simulate", name, *port, "--pace", self.simulated_pace, *ledger, *dialect]
        return ["serve" if name == "serve" else "api", *port]

    def _begin(self, name: str, settings: Mapping[str, str]) -> None:
        log = self.folder / f"{name}.log"
        log.touch()
        begins = log.stat().st_size
        process = Forked(self._arguments(name), self.environment(**settings), self.folder, log)
        self._running[name] = Part(process, log, begins)

    def _is_ready(self, name: str) -> bool:
        part = self._running[name]
        ended = part.process.poll()
        assert ended is None, f"{name} ended with {ended}\n{self.tails()}"
        if name.startswith("worker"):
            return "worker_started" in self.said(name)
        path = "/healthz" if name.startswith(PROVIDERS) else "/readyz"
        try:
            return call("GET", self.url(name) + path).status == http.client.OK
        except OSError:
            return False

    # Its public HTTP API.

    def post(self, path: str, body: Any, *, to: str = "api", **headers: str) -> Answer:
        """Post JSON; a header's name is written with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return call("POST", self.url(to) + path, content, usual | given)

    def get(self, path: str) -> Answer:
        return call("GET", self.url("api") + path, None, {"Authorization": f"Bearer {self.key}"})

    def send(self, path: str, body: Any) -> str:
        """Hand a message in and return its id."""
        answer = self.post(f"/v1/{path}", body)
        assert answer.status == http.client.ACCEPTED, answer.content
        message_id: str = answer.json["id"]
        return message_id

    def message(self, message_id: str) -> dict[str, Any]:
        message: dict[str, Any] = self.get(f"/v1/messages/{message_id}").json
        return message

    def until(self, message_id: str, status: str) -> dict[str, Any]:
        """Return a message as soon as it has a status."""
        return self.follow(message_id, lambda now: bool(now["status"] == status), status)

    def follow(
        self, message_id: str, arrived: Callable[[dict[str, Any]], bool], what: str
    ) -> dict[str, Any]:
        """Return a message as soon as it is as it should become."""
        wait_for(
            lambda: arrived(self.message(message_id)),
            lambda: self.explain(message_id, f"is not {what} after {PATIENCE} seconds"),
            PATIENCE,
        )
        return self.message(message_id)

    def events(self, message_id: str) -> list[dict[str, Any]]:
        """Return a message's events, after a look whether each follows from the one before."""
        events: list[dict[str, Any]] = self.get(f"/v1/messages/{message_id}/events").json["data"]
        standing = None
        for place, event in enumerate(events, 1):
            assert event["sequence"] == place, self.explain(message_id, "has a gap")
            assert event["previous_status"] == standing, self.explain(message_id, "jumps")
            if not event["applied"] or event["status"] == standing:
                continue
            if standing is not None:
                legal = allowed(Status(standing), Status(event["status"]))
                assert legal, self.explain(message_id, "moved as nothing may")
            standing = event["status"]
        return events

    def timeline(self, message_id: str) -> list[str]:
        """Return the statuses that a message went through."""
        return [
            event["status"]
            for event in self.events(message_id)
            if event["applied"] and event["status"] != event["previous_status"]
        ]

    def explain(self, message_id: str, what: str) -> str:
        events = self.get(f"/v1/messages/{message_id}/events").json
        shown = json.dumps([self.message(message_id), events], indent=1, ensure_ascii=False)
        return f"{message_id} {what}\n{shown}\n{self.tails()}"

    # Its providers.

    def ledger(self, provider: str, what: str = "submissions", **like: Any) -> list[dict[str, Any]]:
        """Return what a provider accepted, narrowed to some values."""
        rows = call("GET", f"{self.url(provider)}/ledger").json[what]
        return [row for row in rows if all(row[name] == like[name] for name in like)]

    def outcome(self, provider: str, recipient: str, **outcome: Any) -> None:
        """Stage what a recipient's messages meet."""
        url = f"{self.url(provider)}/outcomes/{quote(recipient)}"
        staged = call("PUT", url, json.dumps(outcome).encode())
        assert staged.status == http.client.NO_CONTENT, staged.content

    def tails(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            for log in logs
        )
