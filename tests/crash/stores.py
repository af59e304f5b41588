"""The store under test: an SQLite file, or a PostgreSQL server that can be killed."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import postgres
from tests.journeys.loopback import PATIENCE


class Postgres(postgres.Postgres):
    """A server of our own."""

    def kill(self) -> None:
        """End it as by kill -9; its children notice, and end too."""
        self.stop(signal.SIGKILL)

    def start(self) -> None:
        # Until the last child has noticed, a new server refuses the data.
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(ChildProcessError):
                super().start()
                return
            time.sleep(0.05)
        raise TimeoutError


@contextmanager
def running() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="multicanal-crash-"))
    server = Postgres(folder)
    server.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
