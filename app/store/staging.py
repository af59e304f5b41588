"""Write many rows where only one may write at a time: beside the store first, then into it at once.

SQLite has one writer. Ten thousand messages, row by row, would keep all others waiting for seconds;
they go to temporary tables of the same names instead, which are one connection's alone and hide the
store's from it. Then one statement for each table takes them over. PostgreSQL's writers do not wait
for each other, and need none of this.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import events, messages, recipients

# Those that a batch has many rows of, each after what its foreign keys name.
TABLES: Final = tuple(one.name for one in (messages, events, recipients))
_BESIDE: Final = "multicanal_beside"
# Of what is taken over: with SQLite's usual 2 MB, pages are written out and read again meanwhile.
_CACHE: Final = "PRAGMA main.cache_size=-65536"  # KiB at most

Writing = Callable[[AsyncConnection], Awaitable[None]]


def is_beside(connection: Connection) -> bool:
    """Say whether a connection writes beside the store: it keeps no other writer waiting."""
    return _BESIDE in connection.info


async def write_beside(connection: AsyncConnection, write: Writing) -> None:
    """Write rows to temporary tables; the connection is to be closed after it took them over."""
    connection.info[_BESIDE] = True
    try:
        async with connection.begin():
            await connection.exec_driver_sql(_CACHE)
            for name in TABLES:
                empty = f"SELECT * FROM main.{name} WHERE 0"  # noqa: S608 -- one of TABLES
                await connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} AS {empty}")
            await write(connection)
    finally:
        connection.info.pop(_BESIDE, None)


async def take_over(connection: AsyncConnection) -> None:
    """Write the rows of the temporary tables into the store, in the open transaction."""
    for name in TABLES:
        every = f"SELECT * FROM temp.{name}"  # noqa: S608 -- one of TABLES
        await connection.exec_driver_sql(f"INSERT INTO main.{name} {every}")
    for name in TABLES:
        await connection.exec_driver_sql(f"DROP TABLE temp.{name}")
