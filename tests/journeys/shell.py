"""Many commands one after the other in one process: each takes two seconds to start by itself."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from app import cli
from tests.journeys.system import System

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Done:
    status: int
    output: list[str]
    said: str  # on standard error


class Shell:
    """Runs commands with a system's settings."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def do(self, *arguments: str) -> Done:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return Done(*json.loads(self._process.stdout.readline()))

    def run(self, *arguments: str) -> list[str]:
        """Run a command that succeeds; return its lines."""
        done = self.do(*arguments)
        assert done.status == 0, done
        return done.output

    def refused(self, *arguments: str) -> str:
        """Run a command that is refused; return why."""
        done = self.do(*arguments)
        assert (done.status != 0, done.output) == (True, []), done
        return done.said


@contextmanager
def opened(system: System) -> Iterator[Shell]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.shell"],
        env=system.environment(PYTHONPATH=str(ROOT)),
        cwd=system.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Shell(process)
        finally:
            process.stdin.close()  # type: ignore[union-attr]
    assert process.returncode == 0


def main() -> None:
    """Run each line's command, and answer with a line."""
    for line in sys.stdin:
        sys.argv = ["multicanal", *json.loads(line)]
        said, output, status = io.StringIO(), io.StringIO(), 0
        with redirect_stdout(output), redirect_stderr(said):
            try:
                cli.entry()
            except SystemExit as end:
                status = int(end.code or 0)
        done = [status, output.getvalue().splitlines(), said.getvalue()]
        print(json.dumps(done), flush=True)  # noqa: T201 -- to the test


if __name__ == "__main__":
    main()
