"""Change many rows with one cheap statement, each to values of its own, whichever the database.

As many.py writes new rows: PostgreSQL gets one array for each column, SQLite row after row.
"""

from functools import lru_cache

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.many import Rows, arrays, kinds, tuples


async def change(
    connection: AsyncConnection,
    table: Table,
    rows: Rows,
    *,
    where: tuple[str, ...] = ("id",),
    only: str = "",
) -> None:
    """Give rows the values that are named; all name the same columns.

    The columns `where` find a row, and stay. `only`: what must hold of it besides, in SQL.
    """
    if not rows:
        return
    names = (*where, *(name for name in rows[0] if name not in where))
    if connection.dialect.name == "sqlite":
        # What finds a row comes last in the statement.
        order = names[len(where) :] + where
        sql = _by_row(table, order, len(where), only)
        await connection.exec_driver_sql(sql, tuples(table, order, rows))
    else:
        sql = _by_arrays(table, names, len(where), only)
        await connection.exec_driver_sql(sql, arrays(table, names, rows))


@lru_cache(maxsize=256)
def _by_row(table: Table, names: tuple[str, ...], finding: int, only: str) -> str:
    given = ", ".join(f'"{name}" = ?' for name in names[:-finding])
    found = " AND ".join(
        [*(f'"{name}" = ?' for name in names[-finding:]), *([only] if only else [])]
    )
    return f"UPDATE {table.name} SET {given} WHERE {found}"  # noqa: S608 -- our own names


@lru_cache(maxsize=256)
def _by_arrays(table: Table, names: tuple[str, ...], finding: int, only: str) -> str:
    values = ", ".join(f"%s::{kind.name}" for kind in kinds(table, names))
    columns = ", ".join(f'"{name}"' for name in names)
    given = ", ".join(f'"{name}" = new."{name}"' for name in names[finding:])
    found = [f'{table.name}."{name}" = new."{name}"' for name in names[:finding]]
    condition = " AND ".join([*found, *([f"{table.name}.{only}"] if only else [])])
    return (
        f"UPDATE {table.name} SET {given}"  # noqa: S608 -- our own names
        f" FROM unnest({values}) AS new({columns}) WHERE {condition}"
    )
