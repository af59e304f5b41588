"""How each connection to an SQLite store is prepared, and the one that writes rounds."""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only, greenlet_spawn

from app.store.staging import is_beside

BUSY_TIMEOUT: Final = 10_000  # milliseconds that a SQLite writer waits for another process
# FULL: with NORMAL, a power cut may take back commits that were answered with 202.
# Temporary tables in memory: they hold contents, and a container's disk is read-only.
_PRAGMAS: Final = ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY")

Step = tuple[str, Sequence[Any]]  # a statement, and its parameters


def prepare(engine: Engine, *, begins: bool) -> None:
    """Prepare every connection that an engine opens; of one that `begins`, each transaction too."""

    @event.listens_for(engine, "connect")
    def _(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 -- the driver's own
        try:
            cursor = dbapi_connection.cursor()
            for pragma in _PRAGMAS:
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


class Lane:
    """A connection of its own that writes whole transactions, each in one turn of its thread.

    Each turn costs as much as many rows, and so does each statement: the thread lets the event loop
    run meanwhile, and waits until it may go on.
    """

    def __init__(self, path: str, turn: asyncio.Lock) -> None:
        self._path = path
        self._turn = turn  # of the writers of this process
        self._thread = ThreadPoolExecutor(1, "sqlite-lane")
        self._file: sqlite3.Connection | None = None

    async def write(self, steps: Sequence[Step]) -> DBAPIError | None:
        """Commit what statements write; return the fault of a COMMIT that nobody knows the end of.

        Raises what is wrong with a statement: then nothing was written.
        """
        async with self._turn:
            loop = asyncio.get_running_loop()
            fault, is_undecided = await loop.run_in_executor(self._thread, self._done, steps)
        if fault is None:
            return None
        told = DBAPIError.instance(None, None, fault, sqlite3.Error, hide_parameters=True)
        assert isinstance(told, DBAPIError)
        if is_undecided:
            return told
        raise told from fault

    async def close(self) -> None:
        """Close the connection, and end its thread; who writes again opens another."""
        thread, self._thread = self._thread, ThreadPoolExecutor(1, "sqlite-lane")
        await asyncio.get_running_loop().run_in_executor(thread, self._forget)
        thread.shutdown(wait=False)

    def _done(self, steps: Sequence[Step]) -> tuple[sqlite3.Error | None, bool]:
        """Return what went wrong, and whether it was the COMMIT."""
        is_whole = False
        try:
            file = self._file = self._file or self._opened()
            file.execute("BEGIN IMMEDIATE")
            for sql, parameters in steps:
                file.execute(sql, parameters)
            is_whole = True
            file.execute("COMMIT")
        except sqlite3.Error as fault:
            self._undo(fault)
            return fault, is_whole
        return None, False

    def _undo(self, fault: sqlite3.Error) -> None:
        if isinstance(fault, sqlite3.IntegrityError) and self._file is not None:
            self._file.rollback()  # and keep what is prepared: a key came twice
        else:
            self._forget()

    def _opened(self) -> sqlite3.Connection:
        file = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT / 1000, isolation_level=None)
        for pragma in _PRAGMAS:
            file.execute(f"PRAGMA {pragma}")
        return file

    def _forget(self) -> None:
        """Close the connection; what it did not commit is rolled back."""
        if self._file is not None:
            self._file.close()
            self._file = None
