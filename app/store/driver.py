"""Statements that the driver runs itself.

SQLAlchemy's own way to the driver costs more than most of them do. What goes wrong is what goes
wrong there: the same exceptions, and a connection that broke is given up.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

Parameters = Sequence[Any]


async def execute(
    connection: AsyncConnection, sql: str, parameters: Parameters, *, binary: bool = False
) -> Sequence[tuple[Any, ...]]:
    """Run one statement, and return its rows if it has any, as the driver reads them.

    `binary`: PostgreSQL sends them so, bytes as they are and not as twice as many letters.
    """
    async with _told(connection) as driver:
        if connection.dialect.name == "sqlite":
            # One turn of the connection's thread, in place of three.
            return list(await driver.execute_fetchall(sql, parameters))
        cursor = await driver.execute(sql, parameters, binary=binary)
        rows: Sequence[tuple[Any, ...]] = () if cursor.description is None else await _all(cursor)
    return rows


async def execute_many(
    connection: AsyncConnection, steps: Sequence[tuple[str, Sequence[Parameters]]]
) -> list[int]:
    """Run statements of SQLite's, each for many rows; return how many rows each changed.

    All of them in one turn of the connection's thread: each turn costs as much as many rows.
    """

    def run(file: sqlite3.Connection) -> list[int]:
        return [file.executemany(sql, rows).rowcount for sql, rows in steps]

    async with _told(connection) as driver:
        changed: list[int] = await driver._execute(lambda: run(driver._conn))  # noqa: SLF001
    return changed


@asynccontextmanager
async def without_waiting(connection: AsyncConnection) -> AsyncIterator[None]:
    """Send PostgreSQL statements that return nothing, and wait for all of them at the end.

    What is wrong with one is raised by a later one, or there.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    async with _told(connection) as driver, driver.pipeline():
        yield


async def _all(cursor: Any) -> Sequence[tuple[Any, ...]]:  # noqa: ANN401 -- the driver's own
    rows: Sequence[tuple[Any, ...]] = await cursor.fetchall()
    await cursor.close()
    return rows


@asynccontextmanager
async def _told(connection: AsyncConnection) -> AsyncIterator[Any]:
    """Yield the driver's connection; its faults become SQLAlchemy's."""
    sync = connection.sync_connection
    assert sync is not None
    held = sync.connection
    error = sync.dialect.loaded_dbapi.Error
    try:
        yield held.driver_connection
    except error as fault:
        is_broken = sync.dialect.is_disconnect(fault, held.dbapi_connection, None)
        wrapped = DBAPIError.instance(
            None,
            None,
            fault,
            error,
            hide_parameters=True,
            connection_invalidated=is_broken,
            dialect=sync.dialect,
        )
        if is_broken:
            await connection.invalidate(fault)
        raise wrapped from fault
    except asyncio.CancelledError:
        # In the middle of something: nobody knows what the connection is doing.
        await connection.invalidate()
        raise
