"""Processes of the command, each forked from one that has everything imported.

A start takes a fraction of the CPU that a start from nothing takes; sockets, signals and kills are
as real as any. Tests of the start itself run the installed command.
"""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app import cli

FORKS = multiprocessing.get_context("forkserver")
PRELOADED = [
    "pytest",
    "tests.forked",
    "tests.crash.mutants",
    *sorted({part.module for part in cli.PARTS.values()}),
    "app.mend",
    "app.providers.fax123.simulator",
    "app.store.migrate",
    "uvicorn.protocols.http.httptools_impl",
    "psycopg",
]
PR_SET_PDEATHSIG = 1


class Forked:
    """One process that is the command `multicanal`; its methods are those of `subprocess.Popen`."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        *,
        errors: Path | None = None,
        first: Callable[[], None] | None = None,
    ) -> None:
        """Begin it; `errors`: where stderr goes, if not to the log; `first`: what it does first."""
        FORKS.set_forkserver_preload(PRELOADED)
        outputs = (str(log), str(errors or log))
        self._arguments = list(arguments)
        self._process = FORKS.Process(
            target=become,
            args=(self._arguments, dict(environment), str(folder), outputs, first),
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """Return the exit status, negative by a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status when it ends; raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(self._arguments, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def become(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    outputs: tuple[str, str],
    first: Callable[[], None] | None,
) -> None:
    """Be the command `multicanal`, as if started by a shell in this folder."""
    _end_with_parent()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(outputs, 1):
        said = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(said, number)
        os.close(said)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["multicanal", *arguments]
    if first is not None:
        first()
    cli.entry()


def _end_with_parent() -> None:
    """Leave nothing behind when whoever tests is ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
