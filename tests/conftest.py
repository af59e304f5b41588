"""Fixtures for every test: a store on each database, and nothing global."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from hypothesis import settings

from app.store.database import Database
from tests.migrated import Migrated
from tests.postgres import Postgres, running

# The same examples in every run, and no time limit for one: a commit has one verdict, on a slow
# machine too. Others: pytest --hypothesis-profile=default.
settings.load_profile("ci")

# What takes longest begins first: a long file that begins last keeps one process waiting for it.
LONGEST_FIRST: Final = (
    "crash",
    "outage",
    "machine",
    "clients",
    "contract",
    "journeys",
    "memory",
    "bench",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders that take longest first; within a folder the order stays."""
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(tests).parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One real PostgreSQL server for the whole run."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    return Migrated(
        tmp_path_factory.mktemp("migrated"), lambda: request.getfixturevalue("postgres")
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables; each test that asks for it runs on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create(f"empty_{uuid4().hex}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(
    request: pytest.FixtureRequest, migrated: Migrated, tmp_path: Path
) -> Iterator[str]:
    """The address of a migrated, empty store; each test that asks for it runs on both."""
    if request.param == "sqlite":
        yield migrated.sqlite(tmp_path / "store.db")
        return
    with migrated.postgresql() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated, empty store."""
    opened = Database(database_url)
    yield opened
    await opened.close()
