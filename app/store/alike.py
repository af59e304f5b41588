"""Write new messages of which many share most of what they hold, as those of a batch do.

What all rows of a slice say alike is sent once, and what none of them says is left to the table: of
a message's thirty columns a third is a column of values, and the database works two thirds as long.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import JSON, Column, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.store import counters, driver, many
from app.store.arrays import Array
from app.store.tables import events, messages

Columns = Mapping[str, Sequence[Any]]  # each as long as the others
_COUNTED: Final = ("status", "channel", "client_id")
_FIRST: Final[Mapping[str, Any]] = {"sequence": 1, "source": "client", "applied": True}


async def add(
    connection: AsyncConnection, ids: Identifiers, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write new messages with their first events, as `messages.add` does; all name the same columns."""
    names = tuple(rows[0])
    columns = dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))
    given = ((messages, columns), (events, _first_events(ids, columns)))
    await asyncio.sleep(0)  # each of the steps takes a quarter of a millisecond: others run between
    await write(connection, given)
    if all(_is_one(messages, name, columns[name]) for name in _COUNTED):
        counters.added_alike(connection, rows[0], columns["size"])
    else:
        counters.added(connection, rows)


def _first_events(ids: Identifiers, of: Columns) -> Columns:
    count = len(of["id"])
    return {
        **{name: [value] * count for name, value in _FIRST.items()},
        "id": ids.many(count),
        "client_id": of["client_id"],
        "mode": of["mode"],
        "message_id": of["id"],
        "status": of["status"],
        "type": [f"message.{status}" for status in of["status"]],
        "at": of["created_at"],
    }


async def write(connection: AsyncConnection, given: Sequence[tuple[Table, Columns]]) -> None:
    """Write new rows of tables, given column by column; no two rows of a table are the same."""
    if connection.dialect.name == "sqlite":
        steps = []
        for table, columns in given:
            names = tuple(columns)
            rows = many.tuples_of(table, names, list(columns.values()))
            steps.append((many.row_by_row(table, names), rows))
        await driver.execute_many(connection, steps)
    else:
        statement, parameters = _statement(given)
        await asyncio.sleep(0)
        await driver.execute(connection, statement, parameters)


def _statement(given: Sequence[tuple[Table, Columns]]) -> tuple[str, list[Array]]:
    """Return PostgreSQL's one statement for all new rows, and its parameters."""
    parts, parameters = [], []
    written: dict[int, Array] = {}  # columns, by who they are: some are in several tables
    for table, columns in given:
        shared, own, once, each = [], [], [], []
        for (name, values), kind in zip(
            columns.items(), many.kinds(table, tuple(columns)), strict=True
        ):
            if not _is_one(table, name, values):
                if id(values) not in written:
                    written[id(values)] = kind.written(values)
                own.append(name)
                each.append(written[id(values)])
            elif values[0] is not None:
                shared.append(name)
                once.append(Array(kind.element, kind.value(values[0])))
            elif not _may_be_left_out(table.c[name]):
                own.append(name)
                each.append(kind.written(values))
        parts.append(_insert(table, tuple(shared), tuple(own)))
        parameters += once + each
    *first, last = parts
    before = ", ".join(f"step{place} AS ({one})" for place, one in enumerate(first))
    return (f"WITH {before} {last}" if before else last), parameters


def _is_one(table: Table, name: str, values: Sequence[Any]) -> bool:
    first = values[0]
    if len(values) == 1:  # else no column would say how many rows there are
        return False
    if isinstance(table.c[name].type, JSON):  # whose true equals 1
        return all(one is first for one in values)
    return values[-1] == first and values.count(first) == len(values)


def _may_be_left_out(column: Column[Any]) -> bool:
    """Say whether a column that nothing is said of is NULL, and not JSON's null or something else."""
    kept = not isinstance(column.type, JSON) or column.type.none_as_null
    return kept and column.server_default is None


@lru_cache(maxsize=256)
def _insert(table: Table, shared: tuple[str, ...], own: tuple[str, ...]) -> str:
    named = ", ".join(f'"{name}"' for name in (*shared, *own))
    once = [f"%s::{kind.name.removesuffix('[]')}" for kind in many.kinds(table, shared)]
    each = ", ".join(f"%s::{kind.name}" for kind in many.kinds(table, own))
    chosen = ", ".join([*once, "each.*"])
    return f"INSERT INTO {table.name} ({named}) SELECT {chosen} FROM unnest({each}) AS each"  # noqa: S608
