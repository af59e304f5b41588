"""The system under test: API, workers and both simulated providers, each a process of its own."""

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.crash.mutants import MUTANTS
from tests.crash.tap import HttpTap
from tests.forked import Forked
from tests.journeys.loopback import HOST, call, free_port
from tests.journeys.system import PROVIDERS, SECRETS

PATIENCE = 30.0  # seconds
LEASE = 3.0  # seconds of a worker's lease
CALL = 2.0  # seconds of a call, at most
GRACE = LEASE / 4
HELD_UP = 1.5  # seconds that the machine itself may hold a call up; a pause is longer
PACE = "0.01"  # of our pauses: what takes half an hour takes 18 seconds
SLOWLY = "0.05"  # no report proves an absence while a test looks
SIMULATED_PACE = "0.1"  # a slow answer comes after three seconds: too late


@dataclass(slots=True)
class Part:
    """One process, and where its log begins."""

    process: Forked
    log: Path
    begins: int
    armed: str

    def said(self) -> str:
        return self.log.read_bytes()[self.begins :].decode(errors="replace")

    @property
    def pid(self) -> int:
        return self.process.pid


class Site:
    """The parts by their names; each is started, ended and looked at alone."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        mutant: str = "",
        second_url: str = "",
        pace: str = PACE,
        lease: float = LEASE,
    ) -> None:
        self.folder = folder
        self.database_url = database_url
        self.mutant = mutant
        self.pace = pace
        self.lease = lease
        self.ports = {name: free_port() for name in ("api", "api-2", *PROVIDERS)}
        self.taps = {name: HttpTap(free_port(), self.ports[name]) for name in PROVIDERS}
        self.key = ""
        self.points = folder / "points.jsonl"
        self._second_url = second_url or database_url  # of the parts whose name ends with -2
        self._parts: dict[str, Part] = {}

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    def settings(self, name: str, armed: str) -> dict[str, str]:
        journal = f"journal={self.points}"
        return SECRETS | {
            "PATH": os.environ["PATH"],
            "MULTICANAL_DATABASE_URL": self._second_url
            if name.endswith("-2")
            else self.database_url,
            "MULTICANAL_PUBLIC_URL": self.url("api"),
            "MULTICANAL_EFIDEM_WSDL": f"{self.url('efidem')}/efidem.wsdl",
            "MULTICANAL_EFIDEM_ADDRESS": f"http://{HOST}:{self.taps['efidem'].port}/soap",
            "MULTICANAL_EFIDEM_TIMEOUT": f"{CALL:g}",
            "MULTICANAL_FAX123_URL": f"http://{HOST}:{self.taps['fax123'].port}/http.php",
            "MULTICANAL_FAX123_TIMEOUT": f"{CALL:g}",
            # Few calls at once: a kill shall hit few of many.
            "MULTICANAL_EFIDEM_CONCURRENCY": "2",
            "MULTICANAL_FAX123_CONCURRENCY": "2",
            "MULTICANAL_WORKER_LEASE": f"{self.lease:g}",
            "MULTICANAL_WORKER_IDLE": "0.1",
            "MULTICANAL_WORKER_DRAIN": "10",
            "MULTICANAL_PACE": self.pace,
            "MULTICANAL_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "MULTICANAL_WEBHOOK_TIMEOUT": "1",
            "MULTICANAL_FAULT_POINTS": f"{armed},{journal}" if armed else journal,
        }

    # Its processes.

    def open(self) -> None:
        """Have the taps open, a store and a key."""
        for tap in self.taps.values():
            tap.open()
        if self.database_url.startswith("postgresql"):
            self.run("migrate")
        self.key = self.run("keys", "create", "--name", "crash", "--mode", "live").splitlines()[-1]

    def run(self, *arguments: str) -> str:
        """Run one command to its end, and return what it said."""
        one = self._fork("command", arguments, "")
        assert one.process.wait(PATIENCE) == 0, one.said()
        return one.said()

    def start(self, *names: str, armed: str = "") -> None:
        """Start parts together, and return when they are ready."""
        for name in names:
            self.begin(name, armed=armed)
        for name in names:
            self.await_ready(name)

    def begin(self, name: str, *, armed: str = "") -> None:
        assert name not in self._parts, name
        self._parts[name] = self._fork(name, self._arguments(name), armed)

    def await_ready(self, name: str) -> None:
        self.wait_for(lambda: self.is_ready(name), f"{name} is not ready")

    def wait_for(self, happened: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, f"{what}\n{self.tails()}"
            time.sleep(0.02)

    def is_ready(self, name: str) -> bool:
        one = self._parts[name]
        if one.process.poll() is not None:
            # Its armed death may come as soon as it works; any other is a fault.
            away = "the store cannot be used" in one.said()
            ended = f"{name} ended with {one.process.poll()}\n{self.tails()}"
            assert one.armed or away, ended
            return True
        if name.startswith("worker"):
            return "worker_started" in one.said()
        path = "/healthz" if name in PROVIDERS else "/readyz"
        try:
            return call("GET", self.url(name) + path).status == http.client.OK
        except OSError:
            return False

    def signal(self, name: str, number: int) -> None:
        """Send a signal; who has ended already is past it, and its exit status tells how."""
        # Not asked first whether it runs: two threads that ask at once may both find it ended, and
        # only one of them reads how.
        with suppress(ProcessLookupError):
            os.kill(self._parts[name].pid, number)

    def kill(self, name: str) -> None:
        """End a part as by kill -9."""
        self._parts[name].process.kill()
        assert self.ended(name) == -signal.SIGKILL

    def ended(self, name: str, seconds: float = PATIENCE) -> int:
        """Return the exit status of a part that ends; negative: by a signal."""
        one = self._parts[name]
        try:
            # Meanwhile it stands among the parts: who kills it looks it up.
            return one.process.wait(seconds)
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()
            raise AssertionError(f"{name} did not end\n{self.tails()}") from None
        finally:
            del self._parts[name]

    def stop(self, name: str) -> int:
        """End a part by SIGTERM and return its exit status."""
        self.signal(name, signal.SIGTERM)
        return self.ended(name)

    def is_running(self, name: str) -> bool:
        return name in self._parts and self._parts[name].process.poll() is None

    def is_stopped(self, name: str) -> bool:
        """Say whether a part stands still, as after SIGSTOP."""
        try:
            stat = Path(f"/proc/{self._parts[name].pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] == "T"

    def names(self) -> list[str]:
        return list(self._parts)

    def said(self, name: str) -> str:
        """Return what a part has said since it began."""
        return self._parts[name].said()

    def armed(self, name: str) -> str:
        return self._parts[name].armed

    def pids(self) -> dict[str, int]:
        return {name: one.pid for name, one in self._parts.items()}

    def close(self) -> None:
        """End everything that still runs, at once."""
        for name in self.names():
            self._parts[name].process.kill()
            self.ended(name)
        for tap in self.taps.values():
            tap.close()

    def _fork(self, name: str, arguments: Sequence[str], armed: str) -> Part:
        log = self.folder / f"{name}.log"
        log.touch()
        begins = log.stat().st_size
        mutant = None if name in PROVIDERS or not self.mutant else MUTANTS[self.mutant]
        process = Forked(arguments, self.settings(name, armed), self.folder, log, first=mutant)
        return Part(process, log, begins, armed)

    def _arguments(self, name: str) -> list[str]:
        if name.startswith("worker"):
            return ["worker"]
        port = ["--port", str(self.ports[name])]
        if name in PROVIDERS:
            ledger = ["--ledger", str(self.folder / f"{name}.ledger")]
            return ["simulate", name, *port, "--pace", SIMULATED_PACE, *ledger]
        return ["api", *port]

    def tails(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(
            f"--- {log.name}\n"
            + "\n".join(line[:300] for line in log.read_text(errors="replace").splitlines()[-10:])
            for log in logs
        )
