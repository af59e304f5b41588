"""A database and the services that are compared on it, each on the cores that it is given."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg

from bench.measured import family
from tests.postgres import Postgres

MARK: Final = "@" * 12  # where a request's own number stands: `load.py` has the same
ROOT: Final = Path(__file__).resolve().parents[1]
LOGS: Final = 64  # files of 16 MB: as much as is written between two checkpoints at most
PATIENCE: Final = 60.0  # seconds for a process to be ready, and to end
ENVIRONMENT: Final = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


@dataclass(frozen=True, slots=True)
class Running:
    """A process of ours, and the port that it serves, if it serves one."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def wait_ready(self) -> None:
        """Return when it answers on its port."""
        deadline = time.monotonic() + PATIENCE
        while self.port and not answers(self.port):
            assert self.process.poll() is None, f"a process ended\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"a process is not ready\n{self.log.read_text()}"
            time.sleep(0.02)

    def end(self) -> None:
        """Ask it to end, and see that it does."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()


def pinned(cores: set[int] | None, command: Sequence[str]) -> list[str]:
    """Return a command that keeps to some cores, where the machine can say so."""
    if cores is None or shutil.which("taskset") is None:
        return list(command)
    return ["taskset", "-c", ",".join(map(str, sorted(cores))), *command]


@contextmanager
def postgresql(cores: set[int] | None, *, used: bool) -> Iterator[Postgres]:
    """Run a PostgreSQL with default durability; `used`: one that has been at work for some hours."""
    folder = Path(tempfile.mkdtemp(prefix="multicanal-bench-"))
    server = Postgres(folder)
    server.start()
    try:
        if used:
            _use(server)
        keep_to(server, cores)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def keep_to(server: Postgres, cores: set[int] | None) -> None:
    """Have a server keep to some cores, until it is started anew."""
    for pid in family(server.pid) if cores is not None else ():  # later children inherit it
        with suppress(ProcessLookupError):  # some end at once
            os.sched_setaffinity(pid, cores or ())


def _use(server: Postgres) -> None:
    """Have a server make the files of its log, which it then uses again and again.

    A new server makes one after every 16 MB, and nobody's commit proceeds for those 20 to 30 ms.
    """
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        # Twice as much as usual: a checkpoint on the way would have the second half use the first.
        _set(connection, "ALTER SYSTEM SET max_wal_size = '2GB'")
        make_logs(connection, LOGS)
        _set(connection, "ALTER SYSTEM RESET max_wal_size")


def make_logs(connection: psycopg.Connection[Any], files: int) -> None:
    """Have a server write so many files of its log, and use them again from now on."""
    for _ in range(files):
        connection.execute("SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")
    connection.execute("CHECKPOINT")


def _set(connection: psycopg.Connection[Any], statement: LiteralString) -> None:
    connection.execute(statement)
    connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.1)  # until every process of the server has heard of it


@contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    *,
    cores: set[int] | None,
    environment: Mapping[str, str] | None = None,
    port: int = 0,
) -> Iterator[Running]:
    """Begin a process, and end it; `wait_ready` tells when it answers on its port."""
    log = Path(tempfile.mkstemp(suffix=".log", prefix=Path(command[0]).name, dir=folder)[1])
    with log.open("wb") as told:
        process = subprocess.Popen(
            pinned(cores, command),
            env={**ENVIRONMENT, "PYTHONPATH": str(ROOT), **(environment or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
    one = Running(process, port, log)
    try:
        yield one
    finally:
        one.end()


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of these benchmarks."""
    return [sys.executable, "-m", module, *arguments]


def answers(port: int) -> bool:
    """Say whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def load(
    ports: Sequence[int],
    template: bytes,
    folder: Path,
    *,
    values: Sequence[str] = (),
    cores: set[int] | None = None,
    **options: float,
) -> dict[str, Any]:
    """Offer requests from a process of its own; see `load.py`."""
    with loading(ports, template, folder, values=values, cores=cores, **options) as process:
        told, _ = process.communicate()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(told)
    return found


@contextmanager
def loading(
    ports: Sequence[int],
    template: bytes,
    folder: Path,
    *,
    values: Sequence[str] = (),
    cores: set[int] | None = None,
    **options: float,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Begin to offer requests; what came of them is on its standard output."""
    file = folder / f"{time.monotonic_ns()}.http"
    file.write_bytes(template)
    named = [f"--{name}={value}" for name, value in options.items()]
    if values:
        lines = file.with_suffix(".values")
        lines.write_text("\n".join(values))
        named.append(f"--values={lines}")
    named += [f"--port={port}" for port in ports]
    command = pinned(cores, python("bench.load", f"--template={file}", *named))
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
