"""A PostgreSQL server of these tests alone, which they stop and kill, and a gateway on it."""

import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from app.store import migrate
from app.store.database import Database
from tests.api.client import Api
from tests.api.conftest import serving, with_keys
from tests.gateways import Scripted
from tests.postgres import Postgres


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="multicanal-outage-"))
    server = Postgres(folder)
    server.start()
    try:
        yield server
    finally:
        with suppress(ProcessLookupError):
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def served(url: str, **settings: Any) -> AsyncIterator[Api]:
    """Serve the API on a PostgreSQL, with providers by script and no worker."""
    database = Database(url, pool=5)
    await migrate.upgrade(database)
    async with serving(database, **settings) as api:
        providers: Any = api.gateway.providers
        providers.update({name: Scripted(name) for name in ("efidem", "fax123")})
        yield await with_keys(api)
    await database.close()
