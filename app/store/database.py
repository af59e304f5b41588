"""The engine, and the two ways to use it: `transaction()` writes, `reading()` only reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.sql.schema import Table

from app.store import counters
from app.store.patience import STALLED, Impatient

BUSY_TIMEOUT: Final = 10_000  # milliseconds that a SQLite writer waits for another process
CONNECT: Final = 3  # seconds for a new connection, or for one of the pool to be free
# What must hold in every PostgreSQL session: a 202 stands for a synced commit, and no statement,
# lock or forgotten transaction may block the gateway for ever.
SESSION: Final = (
    "-c synchronous_commit=on -c statement_timeout=4000 -c lock_timeout=3000"
    " -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
)
_READ_ONLY: Final = "25006"  # SQLSTATE read_only_sql_transaction

# What says that the store itself, and not one row, is at fault.
UNAVAILABLE: Final = (OperationalError, InterfaceError, PoolTimeout, OSError)


class CommitUnknown(ConnectionError):
    """The connection broke after COMMIT was sent: what was written may stand, or not."""


class StoreReadOnly(ConnectionError):
    """The store takes no writes, such as a standby, or a primary that was demoted."""


def address(text: str) -> URL:
    """Return the engine's address for `sqlite:///file` or `postgresql://...`."""
    message = "the database is sqlite:///file or postgresql://user@host/name"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text of the fault may hold a part of the password.
        raise ValueError(message) from None
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    raise ValueError(message)


class Database:
    """One store; SQLite and PostgreSQL take the same statements."""

    def __init__(self, text: str, *, pool: int = 10) -> None:
        url = address(text)
        self.is_sqlite: Final = url.get_backend_name() == "sqlite"
        # Where an SQLite store's file is.
        self.folder: Final = Path(url.database or "").parent if self.is_sqlite else None
        # `hide_parameters`: recipients must not reach the text of an exception.
        options: dict[str, Any] = {"hide_parameters": True}
        if self.is_sqlite:
            options["connect_args"] = {"isolation_level": None, "timeout": BUSY_TIMEOUT / 1000}
        else:
            options["connect_args"] = {
                "async_creator_fn": Impatient.connect,
                "options": SESSION,
                "connect_timeout": CONNECT,
            }
            options |= {"pool_pre_ping": True, "pool_timeout": CONNECT, "max_overflow": pool // 2}
        self._engine = create_async_engine(url, pool_size=pool, **options)
        # One statement reads one state: a transaction around it would be two more round trips.
        self._reader = create_async_engine(
            url,
            pool_size=pool,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_reset_on_return=None,
            **options,
        )
        # Two writers of one process would otherwise wait for each other by sleeping.
        self._one_writer = asyncio.Lock() if self.is_sqlite else None
        if self.is_sqlite:
            _prepare_sqlite(self._engine.sync_engine, begins=True)
            _prepare_sqlite(self._reader.sync_engine, begins=False)

    @asynccontextmanager
    async def transaction(self, *, patient: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that writes; its end commits, an exception rolls back.

        A `patient` one waits for the server as long as it takes. Raises CommitUnknown where nobody
        can say whether it was committed, and StoreReadOnly where nothing can be written.
        """
        async with AsyncExitStack() as stack:
            if self._one_writer is not None:
                await stack.enter_async_context(self._one_writer)
            # What is not committed at its end is rolled back.
            connection = await stack.enter_async_context(self._engine.connect())
            if patient and not self.is_sqlite:
                raw = await connection.get_raw_connection()
                driver: Any = raw.driver_connection
                driver.patience = None
                stack.callback(setattr, driver, "patience", STALLED)
            await connection.begin()
            counters.start(connection)
            try:
                yield connection
                await counters.settle(connection)
            except InternalError as fault:
                if getattr(fault.orig, "sqlstate", None) != _READ_ONLY:
                    raise
                raise StoreReadOnly from None
            try:
                await connection.commit()
            except (OperationalError, InterfaceError) as fault:
                raise CommitUnknown(type(fault).__name__) from fault

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection that only reads, each statement by itself; it waits for no writer."""
        async with self._reader.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
        await self._reader.dispose()


def is_unavailable(fault: BaseException) -> bool:
    """Say whether a fault means that the store cannot be reached, not that a row is wrong."""
    if isinstance(fault, DBAPIError) and fault.connection_invalidated:
        return True
    return isinstance(fault, UNAVAILABLE)


def insert_new(connection: AsyncConnection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """Return an INSERT that passes over rows whose unique key stands already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def _prepare_sqlite(engine: Engine, *, begins: bool) -> None:
    @event.listens_for(engine, "connect")
    def _(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 -- the driver's own
        cursor = dbapi_connection.cursor()
        # FULL: with NORMAL, a power cut may take back commits that were answered with 202.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if begins:

        @event.listens_for(engine, "begin")
        def _(connection: Connection) -> None:
            # A deferred transaction that turns into a writer fails at once with "database is
            # locked", whatever the busy timeout: writers say so from the start.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
