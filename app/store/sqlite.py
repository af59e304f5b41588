"""How each connection to an SQLite store is prepared."""

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import await_only, greenlet_spawn

from app.store.staging import is_beside

BUSY_TIMEOUT: Final = 10_000  # milliseconds that a SQLite writer waits for another process


def prepare(engine: Engine, *, begins: bool) -> None:
    """Prepare every connection that an engine opens; of one that `begins`, each transaction too."""

    @event.listens_for(engine, "connect")
    def _(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 -- the driver's own
        try:
            cursor = dbapi_connection.cursor()
            # FULL: with NORMAL, a power cut may take back commits that were answered with 202.
            # Temporary tables in memory: they hold contents, and a container's disk is read-only.
            for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
                cursor.execute(f"PRAGMA {pragma}")
            await_only(_write_ahead(cursor))
            cursor.close()
        except sqlite3.Error:  # no database: nobody else ends the thread of what was opened
            dbapi_connection.close()
            raise

    if begins:

        @event.listens_for(engine, "invalidate")
        def _(dbapi_connection: Any, _record: object, _fault: object) -> None:  # noqa: ANN401
            # A cancelled writer's connection is closed, but SQLite waits with that for statements
            # that a traceback still holds, and everybody else would wait for the lock.
            with suppress(sqlite3.Error, ValueError):  # it is closed already
                dbapi_connection.rollback()

        @event.listens_for(engine, "begin")
        def _(connection: Connection) -> None:
            # A deferred transaction that turns into a writer fails at once with "database is
            # locked", whatever the busy timeout: writers say so from the start.
            connection.exec_driver_sql("BEGIN" if is_beside(connection) else "BEGIN IMMEDIATE")


async def _write_ahead(cursor: Any) -> None:  # noqa: ANN401 -- the driver's own
    """Let readers and a writer work side by side; the file remembers it."""
    # Processes that open a new file at once: all but one are refused, without the busy timeout.
    gives_up = asyncio.get_running_loop().time() + BUSY_TIMEOUT / 1000
    while True:
        try:
            await greenlet_spawn(cursor.execute, "PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if asyncio.get_running_loop().time() >= gives_up:
                raise
            await asyncio.sleep(0.02)
        else:
            return
