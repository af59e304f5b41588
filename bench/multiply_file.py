"""Make an SQLite store large, as `multiply.py` does on PostgreSQL: copies of what the gateway wrote."""

import hashlib
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import Final

from bench.multiply import HEX, NAMES, SAME, STEP, TABLES

_AT_ONCE: Final = 50_000  # rows of one transaction, about
_STEP: Final = timedelta(milliseconds=STEP)


def multiply_file(path: str, times: int) -> None:
    """Copy what an SQLite store holds of messages so many times, the oldest copies first."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        # Not what is measured: a sync for each transaction.
        file.execute("PRAGMA synchronous=OFF")
        for name, function in (("moved", _moved), ("earlier", _earlier), ("other", _other)):
            file.create_function(name, 2, function, deterministic=True)
        first = _greatest(file, "SELECT max(position) FROM events")
        for table in TABLES:
            last = _greatest(file, f"SELECT max(rowid) FROM {table}")
            rows = _greatest(file, f"SELECT count(*) FROM {table}")
            if not rows:
                continue
            statement = _copying(file, table, first)
            some = max(1, _AT_ONCE // rows)
            for newest in range(times, 0, -some):
                file.execute(
                    statement, {"from": max(1, newest - some + 1), "to": newest} | {"last": last}
                )
        file.execute("UPDATE feeds SET position = (SELECT max(position) FROM events)")
        file.execute("ANALYZE")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copying(file: sqlite3.Connection, table: str, positions: int) -> str:
    columns = file.execute(f"SELECT name, type FROM pragma_table_info('{table}')").fetchall()
    values = ", ".join(_value(name, kind, positions) for name, kind in columns)
    names = ", ".join(f'"{name}"' for name, _ in columns)
    return (
        "WITH RECURSIVE copies(copy) AS"
        " (SELECT :to UNION ALL SELECT copy - 1 FROM copies WHERE copy > :from)"
        f" INSERT INTO {table} ({names}) SELECT {values} FROM copies CROSS JOIN {table} AS o"
        " WHERE o.rowid <= :last"
    )


def _value(name: str, kind: str, positions: int) -> str:
    """Return the value of a copy's column."""
    column = f'o."{name}"'
    if kind == "CHAR(32)" and name not in SAME:
        return f"moved({column}, copy)"
    if kind == "DATETIME":
        return f"earlier({column}, copy)"
    if name == "position":
        return f"{column} + copy * {positions}"
    if name in HEX | NAMES:
        return f"substr(other({column}, copy), 1, length({column}))"
    return column


def _moved(identifier: str | None, copy: int) -> str | None:
    # The first 48 bits of an identifier are milliseconds.
    return identifier and f"{int(identifier[:12], 16) - copy * STEP:012x}{identifier[12:]}"


def _earlier(time: str | None, copy: int) -> str | None:
    moved = datetime.fromisoformat(time) - copy * _STEP if time else None
    return moved and moved.isoformat(" ", "microseconds")


def _other(text: str | None, copy: int) -> str | None:
    return text and hashlib.blake2b(f"{text} {copy}".encode(), digest_size=32).hexdigest()


def _greatest(file: sqlite3.Connection, statement: str) -> int:
    return int(file.execute(statement).fetchone()[0] or 0)
