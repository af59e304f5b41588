"""One system for all journeys on each database; a journey that stops a part leaves the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.journeys.system import PROVIDERS, System
from tests.journeys.unclear import Unclear, send
from tests.postgres import Postgres


@contextmanager
def prepared(folder: Path, database_url: str, *meanwhile: str) -> Iterator[System]:
    """Build a system with a store and a key; meanwhile some of its parts begin."""
    system = System(folder, database_url)
    try:
        system.begin(*meanwhile)
        if database_url.startswith("postgresql"):
            migrated = system.run("migrate")
            assert migrated.returncode == 0, migrated.stderr
        made = system.run("keys", "create", "--name", "journey", "--mode", "live")
        assert made.returncode == 0, made.stderr
        system.key = made.stdout.splitlines()[-1]
        system.await_ready(*meanwhile)
        yield system
    finally:
        ended = system.stop_all()
    assert set(ended) <= {0}, system.tails()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    folder = tmp_path_factory.mktemp(f"journey-{request.param}")
    if request.param == "sqlite":
        database_url = f"sqlite:///{folder / 'store.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database_url = server.create(f"journey_{uuid4().hex}")
    with prepared(folder, database_url, *PROVIDERS) as system:
        yield system


@pytest.fixture(scope="session")
def unclear(whole: System) -> Unclear:
    """Send what ends unclear before any journey, so that time passes meanwhile."""
    whole.up()
    return send(whole)


@pytest.fixture
def system(whole: System, unclear: Unclear) -> System:
    """Return the system of one database, with everything running."""
    whole.up()
    return whole


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[System]:
    """Return a system of one test, on SQLite, of which nothing runs yet."""
    with prepared(tmp_path, f"sqlite:///{tmp_path / 'store.db'}") as system:
        yield system


@pytest.fixture
def bare(tmp_path: Path) -> System:
    """Return a system that only lends its settings."""
    return System(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
