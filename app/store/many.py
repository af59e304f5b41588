"""Write many rows with one cheap statement, whichever the database.

PostgreSQL gets one array for each column, and makes the rows of them itself; SQLite gets row after
row in one call. SQLAlchemy would look at each value of each row on its way, at five times the price.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import JSON, Boolean, Column, Date, Table, Uuid
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import driver
from app.store.arrays import Kind, json_text, kind_of
from app.store.times import UtcDateTime

Rows = Sequence[Mapping[str, Any]]

CHUNK: Final = 100  # rows of a statement of SQLite's that tells what it wrote


async def add(
    connection: AsyncConnection, table: Table, rows: Rows, *, otherwise: str = ""
) -> None:
    """Write new rows; all name the same columns.

    `otherwise`: what becomes of those whose unique key stands, ON CONFLICT and so on in SQL.
    """
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        sql = f"{row_by_row(table, names)} {otherwise}"
        await driver.execute_many(connection, [(sql, tuples(table, names, rows))])
    else:
        sql = f"{from_arrays(table, names)} {otherwise}"
        await driver.execute(connection, sql, arrays(table, names, rows))


async def add_new(
    connection: AsyncConnection, table: Table, rows: Rows, *, returning: str
) -> list[Any]:
    """Write new rows, and pass over those whose unique key stands; return a column of the written.

    A key that another transaction holds open is waited for.
    """
    if not rows:
        return []
    names = tuple(rows[0])
    ends = f" ON CONFLICT DO NOTHING RETURNING {returning}"
    if connection.dialect.name != "sqlite":
        sql = from_arrays(table, names) + ends
        return [one for (one,) in await driver.execute(connection, sql, arrays(table, names, rows))]
    read = _reader(table.c[returning], connection)
    given, written = tuples(table, names, rows), []
    for place in range(0, len(given), CHUNK):
        some = given[place : place + CHUNK]
        values = ", ".join([f"({_marks(names)})"] * len(some))
        sql = f"INSERT INTO {table.name} ({_listed(names)}) VALUES {values}{ends}"  # noqa: S608
        found = await driver.execute(connection, sql, tuple(chain.from_iterable(some)))
        written += [read(one) for (one,) in found]
    return written


def row_by_row(table: Table, names: tuple[str, ...]) -> str:
    """Return SQLite's statement for each of many rows."""
    return f"INSERT INTO {table.name} ({_listed(names)}) VALUES ({_marks(names)})"  # noqa: S608


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _marks(names: Sequence[str]) -> str:
    return ", ".join("?" * len(names))


@lru_cache(maxsize=256)
def kinds(table: Table, names: tuple[str, ...]) -> tuple[Kind, ...]:
    """Return how PostgreSQL's arrays of some columns are written."""
    return tuple(kind_of(table.c[name]) for name in names)


@lru_cache(maxsize=256)
def from_arrays(table: Table, names: tuple[str, ...]) -> str:
    """Return the statement that makes rows of arrays, column by column."""
    given = ", ".join(f"%s::{kind.name}" for kind in kinds(table, names))
    return f"INSERT INTO {table.name} ({_listed(names)}) SELECT * FROM unnest({given})"  # noqa: S608


def arrays(table: Table, names: tuple[str, ...], rows: Rows) -> tuple[Any, ...]:
    """Return rows as PostgreSQL's arrays, column by column."""
    return tuple(
        kind.written(values)
        for values, kind in zip(_columns(names, rows), kinds(table, names), strict=True)
    )


def tuples(table: Table, names: tuple[str, ...], rows: Rows) -> list[tuple[Any, ...]]:
    """Return rows as SQLite keeps them."""
    return tuples_of(table, names, _columns(names, rows))


def tuples_of(
    table: Table, names: tuple[str, ...], columns: Iterable[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """Return the rows of some columns as SQLite keeps them."""
    kept = [
        values if write is None else list(map(write, values))
        for values, write in zip(columns, _writers(table, names), strict=True)
    ]
    return list(zip(*kept, strict=True))


def _columns(names: tuple[str, ...], rows: Rows) -> Iterable[Sequence[Any]]:
    if len(names) == 1:
        return [[row[names[0]] for row in rows]]
    return zip(*map(itemgetter(*names), rows), strict=True)


@lru_cache(maxsize=256)
def _writers(table: Table, names: tuple[str, ...]) -> tuple[Callable[[Any], Any] | None, ...]:
    return tuple(_writer(table.c[name]) for name in names)


def _writer(column: Column[Any]) -> Callable[[Any], Any] | None:
    """Return what makes a value as SQLite keeps it; None where it is kept as it is."""
    match column.type:
        case JSON(none_as_null=False):
            return json_text
        case JSON():
            return _small_json
        case Uuid():
            return _hexadecimal
        case UtcDateTime():
            return _time
        case Date():
            return _day
        case Boolean():
            return _flag
        case _:
            return None


def _small_json(value: object) -> str | None:
    return None if value is None else json_text(value)


def _hexadecimal(value: Any) -> str | None:  # noqa: ANN401
    return None if value is None else value.hex


def _time(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        message = "a time without a zone"
        raise ValueError(message)
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _reader(column: Column[Any], connection: AsyncConnection) -> Callable[[Any], Any]:
    made = column.type.dialect_impl(connection.dialect).result_processor(connection.dialect, None)
    return made or (lambda value: value)
