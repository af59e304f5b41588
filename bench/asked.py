"""What a run is asked to do: how long, how often, how much, on which cores, and where."""

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bench import site
from tests.postgres import Postgres

FOUR = 4  # cores, from which on each part has its own


@dataclass(slots=True, kw_only=True)
class Asked:
    """One run of the benchmarks."""

    folder: Path
    seconds: float = 5.0  # of one measurement
    warm: float = 1.0  # seconds before it
    repetitions: int = 5
    size: float = 1.0  # times the usual number of messages
    rates: tuple[int, ...] = (1_000, 3_000)  # of the open loop
    sustained: tuple[int, ...] = (100, 400, 1_000)  # rates of loads that last
    connections: tuple[int, ...] = (32, 128)  # of closed loops
    processes: int = 4  # where there are several of the API
    running: Postgres | None = None  # a PostgreSQL that is there already
    # Where everything only has to work: bounds are not judged, a busy machine is none of ours, and
    # nothing keeps to a core.
    smoke: bool = False
    # Our stores as they are copied for each use: their address, and a key; by kind of store.
    prepared: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def service(self) -> set[int] | None:
        """The core of whatever is measured; None: all cores."""
        return {0} if self._has_cores else None

    @property
    def database(self) -> set[int] | None:
        """The cores of PostgreSQL."""
        return {1, 2} if self._has_cores else None

    @property
    def generator(self) -> set[int] | None:
        """The core of who asks, or is asked."""
        return {3} if self._has_cores else None

    @property
    def _has_cores(self) -> bool:
        return not self.smoke and (os.cpu_count() or 1) >= FOUR

    @property
    def settles(self) -> float:
        """Seconds, after which a process is at rest and has told what it counted.

        One of PostgreSQL's tells once a second at most.
        """
        return 0.2 if self.smoke else 1.2

    def server(self, stack: ExitStack) -> Postgres:
        """Return a PostgreSQL that runs until the stack is left."""
        return self.running or stack.enter_context(
            site.postgresql(self.database, used=not self.smoke)
        )

    def folder_of(self, name: str) -> Path:
        """Return a new folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def many(self, usual: int) -> int:
        """Return how many of something are made in this run."""
        return max(2, int(usual * self.size))


def store(server: Postgres | None, folder: Path, template: str = "template1") -> str:
    """Return the address of a new store: on a server, or in a file."""
    if server is None:
        return f"sqlite:///{folder / f'{uuid4().hex}.db'}"
    return server.create(f"bench_{uuid4().hex}", template)
