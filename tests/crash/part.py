"""What one process of the system does, from its fork on."""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from app import cli
from tests.crash import mutants

PR_SET_PDEATHSIG = 1


def run(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str, log: str, mutant: str
) -> None:
    """Be the command `multicanal`, as if started by a shell in this folder."""
    _end_with_parent()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["multicanal", *arguments]
    if mutant:
        mutants.MUTANTS[mutant]()
    cli.entry()


def _end_with_parent() -> None:
    """Leave nothing behind when whoever tests is ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def log_of(folder: Path, name: str) -> Path:
    return folder / f"{name}.log"
