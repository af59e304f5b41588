"""Migrated, empty stores: one of each kind is migrated in a run, the others are its copies.

On PostgreSQL a store is lent: making and removing a database is some hundred files each time.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from psycopg import Connection, sql

from app.store import migrate
from app.store.database import Database
from tests.postgres import Postgres

ORIGINAL: Final = "migrated"
TABLES: Final = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    " AND tablename <> 'alembic_version' ORDER BY tablename"
)
PATIENCE: Final = "-c lock_timeout=2s"


class Migrated:
    """Makes stores that have this version's schema."""

    def __init__(self, folder: Path, server: Callable[[], Postgres]) -> None:
        self._file = folder / f"{ORIGINAL}.db"
        self._server = server
        self._free: list[str] = []

    def sqlite(self, path: Path) -> str:
        """Make a store in a file and return its address."""
        shutil.copyfile(self._migrated_file, path)
        return f"sqlite:///{path}"

    @contextmanager
    def postgresql(self) -> Iterator[str]:
        """Lend a store on the run's server; who comes next gets it emptied."""
        original = self._original
        url = self._free.pop() if self._free else original.copy()
        yield url
        if original.restored(url):
            self._free.append(url)

    @cached_property
    def _migrated_file(self) -> Path:
        _bring(f"sqlite:///{self._file}")
        return self._file

    @cached_property
    def _original(self) -> "Original":
        return Original(self._server())


class Original:
    """A migrated database, and what its tables hold from the beginning."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        url = server.create(ORIGINAL)
        _bring(url)
        with psycopg.connect(url) as store:
            self._tables = _tables(store)
            self._rows = {name: _rows(store, name) for name in self._tables}

    def copy(self) -> str:
        """Return the address of a new copy."""
        return self._server.create(f"store_{uuid4().hex}", template=ORIGINAL)

    def restored(self, url: str) -> bool:
        """Bring a copy back to what it was; say whether that could be done."""
        with suppress(psycopg.Error), psycopg.connect(url, options=PATIENCE) as store:
            if _tables(store) != self._tables:
                return False
            changed = [name for name in self._tables if _rows(store, name) != self._rows[name]]
            if changed:
                names = sql.SQL(", ").join(map(sql.Identifier, changed))
                store.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
            for name in self._tables:
                if self._rows[name] and not _rows(store, name):
                    statement = sql.SQL("INSERT INTO {0} SELECT * FROM {1}(NULL::{0}, %s)")
                    function = sql.SQL("json_populate_recordset")
                    filled = statement.format(sql.Identifier(name), function)
                    store.execute(filled, [self._rows[name]])
            return True
        return False


def _tables(store: Connection[Any]) -> list[str]:
    return [name for (name,) in store.execute(TABLES)]


def _rows(store: Connection[Any], name: str) -> str | None:
    """Return the first rows of a table as JSON, None where it is empty."""
    few = sql.SQL("SELECT json_agg(one)::text FROM (SELECT * FROM {} LIMIT 9) AS one")
    found = store.execute(few.format(sql.Identifier(name))).fetchone()
    assert found is not None
    rows: str | None = found[0]
    return rows


def _bring(url: str) -> None:
    async def bring() -> None:
        database = Database(url)
        await migrate.upgrade(database)
        await database.close()

    # A loop of its own: a fixture may be made while a test's loop runs.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, bring()).result()
