"""The engine, and the two ways to use it: `transaction()` writes, `reading()` only reads."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.sql.schema import Table

from app.store import counters
from app.store.addresses import address
from app.store.alone import Alone, Rows, Values, told
from app.store.patience import STALLED, Impatient
from app.store.rested import look_at_rested
from app.store.sqlite import BUSY_TIMEOUT, Lane, prepare
from app.store.staging import Writing, take_over, write_beside

CONNECT: Final = 3  # seconds for a new connection, or for one of the pool to be free
# What must hold in every PostgreSQL session: a 202 stands for a synced commit, and no statement,
# lock or forgotten transaction may block the gateway for ever. A statement that was planned while
# a table was small keeps its plan: it must be one by index from the beginning.
SESSION: Final = (
    "-c synchronous_commit=on -c statement_timeout=4000 -c lock_timeout=3000"
    " -c idle_in_transaction_session_timeout=30000 -c timezone=UTC -c enable_seqscan=off"
)
_CONNECTING: Final = {"options": SESSION, "connect_timeout": CONNECT}
_ENDING: Final = "57P"  # SQLSTATE operator_intervention: the server, or our connection, ends
_READ_ONLY: Final = "25006"  # SQLSTATE read_only_sql_transaction
_LOCK_NOT_AVAILABLE: Final = "55P03"  # SQLSTATE lock_not_available: SESSION's `lock_timeout`
_CONTENDED: Final = frozenset({_LOCK_NOT_AVAILABLE, "40P01"})  # and deadlock_detected

# What says that the store itself, and not one row, is at fault.
UNAVAILABLE: Final = (OperationalError, InterfaceError, PoolTimeout, OSError)
_NO_SUCH: Final = frozenset({"42P01", "42703"})  # SQLSTATE undefined_table, undefined_column


class CommitUnknown(ConnectionError):
    """The connection broke after COMMIT was sent: what was written may stand, or not."""


class StoreReadOnly(ConnectionError):
    """The store takes no writes, such as a standby, or a primary that was demoted."""


def lacks_schema(fault: BaseException) -> bool:
    """Say whether a fault is that of a store which has not this version's tables."""
    if not isinstance(fault, DBAPIError):
        return False
    if isinstance(fault.orig, sqlite3.OperationalError):
        return str(fault.orig).startswith(("no such table", "no such column"))
    return getattr(fault.orig, "sqlstate", None) in _NO_SUCH


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
            options["connect_args"] = {"async_creator_fn": Impatient.connect, **_CONNECTING}
            options |= {"pool_timeout": CONNECT, "max_overflow": pool // 2}
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
        # Who writes beside the store keeps a connection meanwhile; the writer needs one too.
        self._one_beside = asyncio.Lock() if self.is_sqlite else None
        self.lane: Lane | None = None
        self._alone: Alone | None = None
        if self._one_writer is not None:
            self.lane = Lane(url.database or "", self._one_writer)
            prepare(self._engine.sync_engine, begins=True)
            prepare(self._reader.sync_engine, begins=False)
        else:
            _, named = self._engine.dialect.create_connect_args(url)
            # What runs there runs again and again, and is planned once.
            planned = {"options": f"{SESSION} -c plan_cache_mode=force_generic_plan"}
            given = {**named, **_CONNECTING, **planned}
            connect = partial(Impatient.connect, autocommit=True, **given)
            self._alone = Alone(connect)
            look_at_rested(self._engine.sync_engine)
            look_at_rested(self._reader.sync_engine)

    @asynccontextmanager
    async def transaction(
        self, *, patient: bool = False, first: Writing | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that writes; its end commits, an exception rolls back.

        A `patient` one waits for the server as long as it takes. What `first` writes may be many
        rows (of staging.TABLES): no other writer waits for them. Raises CommitUnknown where nobody
        can say whether it was committed, and StoreReadOnly where nothing can be written.
        """
        async with AsyncExitStack() as stack:
            connection = await self._writer(stack, first)
            if patient and not self.is_sqlite:
                await _let_wait(connection, stack)
            await connection.begin()
            try:
                if first is not None:
                    await (take_over if self.is_sqlite else first)(connection)
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

    async def _writer(self, stack: AsyncExitStack, first: Writing | None) -> AsyncConnection:
        """Return a connection whose turn it is to write."""
        turn = self._one_writer if first is None else self._one_beside
        if turn is not None:
            await stack.enter_async_context(turn)
        # What is not committed at its end is rolled back.
        connection = await stack.enter_async_context(self._engine.connect())
        counters.start(connection)
        if first is not None and self._one_writer is not None:
            stack.push_async_callback(connection.invalidate)  # with its temporary tables
            await write_beside(connection, first)
            await stack.enter_async_context(self._one_writer)
            stack.push_async_callback(connection.rollback)  # before the next one writes
        return connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection that only reads, each statement by itself; it waits for no writer."""
        async with self._reader.connect() as connection:
            yield connection

    async def at_once(self, sql: str, values: Values | None) -> Rows:
        """Run one statement of PostgreSQL's in a transaction of its own; return its rows.

        It is prepared, but not without values; then it may be several. Raises as `transaction`.
        """
        assert self._alone is not None
        line = await self._alone.lend()
        try:
            return await line.run(sql, values)
        except psycopg.Error as fault:
            if fault.sqlstate == _READ_ONLY:
                raise StoreReadOnly from None
            # Whatever the server itself says of the statement, it did not commit it.
            if fault.sqlstate is not None and not fault.sqlstate.startswith(_ENDING):
                raise told(fault) from fault
            raise CommitUnknown(type(fault).__name__) from fault
        finally:
            self._alone.take_back(line)

    async def rested(self, seconds: float) -> None:
        """Return when no statement of `at_once` is under way, or after some time."""
        if self._alone is not None:
            await self._alone.rested(seconds)

    @asynccontextmanager
    async def unhurried(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection to PostgreSQL whose statements and locks may take as long as they do.

        It begins and ends its transactions itself.
        """
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self._engine.connect())
            await _let_wait(connection, stack)
            stack.push_async_callback(connection.invalidate)  # with what is set here
            await connection.exec_driver_sql("SET statement_timeout = 0")
            await connection.exec_driver_sql("SET lock_timeout = 0")
            await connection.commit()
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        if self.lane is not None:
            await self.lane.close()
        if self._alone is not None:
            self._alone.close()
        await self._engine.dispose()
        await self._reader.dispose()


async def _let_wait(connection: AsyncConnection, stack: AsyncExitStack) -> None:
    """Let a connection to PostgreSQL wait for answers as long as it takes, until the stack ends."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    driver.patience = None
    stack.callback(setattr, driver, "patience", STALLED)


def is_unavailable(fault: BaseException) -> bool:
    """Say whether a fault means that the store cannot be reached, not that a row is wrong."""
    if isinstance(fault, DBAPIError) and fault.connection_invalidated:
        return True
    return isinstance(fault, UNAVAILABLE)


def is_locked(fault: DBAPIError, table: Table) -> bool:
    """Say whether a statement waited for too long for another transaction's rows of a table."""
    if getattr(fault.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
        return False
    # PostgreSQL has no field for it: `while inserting index tuple (0,4) in relation "..."`, in the
    # server's language; the relation is the table, or an index of it with its name.
    assert isinstance(fault.orig, psycopg.Error)
    return table.name in (fault.orig.diag.context or "")


def is_contended(fault: BaseException) -> bool:
    """Say whether rows that other transactions hold are at fault, and not the store."""
    return isinstance(fault, DBAPIError) and getattr(fault.orig, "sqlstate", None) in _CONTENDED


def insert_new(connection: AsyncConnection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """Return an INSERT that passes over rows whose unique key stands already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()
