"""What statements really reached the driver, and how the database would find their rows."""

import ast
import asyncio
import importlib
import inspect
import pkgutil
import re
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from types import ModuleType
from typing import Any

import psycopg
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer
from sqlalchemy import event, text

import app.store
from app.store import arrays, pick
from app.store.alone import Alone, Line, Rows, Values
from app.store.database import Database
from app.store.sqlite import Lane

_READS = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
_ENLARGE = """
SELECT pg_restore_relation_stats(
  'schemaname', 'public', 'relname', CAST(one.relname AS text),
  'relpages', one.relpages, 'reltuples', one.reltuples * CAST(:times AS float4))
FROM pg_class AS one LEFT JOIN pg_index ON indexrelid = one.oid
WHERE coalesce(indrelid, one.oid) = ANY(CAST(:tables AS regclass[]))
  AND one.relname <> ALL(CAST(:small AS text[]))
"""
_SCAN = re.compile(r"SCAN (?P<table>\w+)( USING (COVERING )?INDEX (?P<index>\w+))?")


class Sent:
    """The statements that a store's drivers were given, each with its first parameters."""

    def __init__(self) -> None:
        self.statements: dict[str, Any] = {}
        self.listening = False

    def note(self, statement: Any, parameters: Any) -> None:
        """Keep a statement, if it is one that looks for rows."""
        if self.listening and isinstance(statement, str) and _READS.match(statement):
            self.statements.setdefault(statement, parameters)


@asynccontextmanager
async def recording(database: Database) -> AsyncIterator[Sent]:
    """Record what a store that nobody has used yet sends, whichever way it goes to the driver."""
    sent = Sent()

    def opened(dbapi_connection: Any, _record: object) -> None:
        driver = dbapi_connection.driver_connection
        if database.is_sqlite:
            # Besides what SQLAlchemy says: statements that the driver runs itself.
            driver._conn.set_trace_callback(lambda statement: sent.note(statement, ()))
        else:
            driver.cursor_factory = _cursor_of(sent)

    def told(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: Any) -> None:
        if database.is_sqlite:
            many = parameters and isinstance(parameters[0], tuple)
            sent.note(statement, parameters[0] if many else parameters)

    engines = [one.sync_engine for one in (database._engine, database._reader)]
    for engine in engines:
        event.listen(engine, "connect", opened)
        event.listen(engine, "before_cursor_execute", told)
    async with _noted_besides(database, sent):
        yield sent
    for engine in engines:
        event.remove(engine, "connect", opened)
        event.remove(engine, "before_cursor_execute", told)


@asynccontextmanager
async def _noted_besides(database: Database, sent: Sent) -> AsyncIterator[None]:
    """Note what goes past SQLAlchemy too."""
    alone, lane = database._alone, database.lane
    if alone is not None:
        database._alone = _Noting(alone, sent)  # type: ignore[assignment]
    if lane is not None:
        database.lane = _NotingLane(lane._path, lane._turn, sent)
    yield
    if lane is not None and database.lane is not None:
        await database.lane.close()
    database._alone, database.lane = alone, lane


@dataclass(frozen=True)
class _Noting:
    """Connections whose statements are each a transaction, and are noted."""

    alone: Alone
    sent: Sent

    async def lend(self) -> "_NotingLine":
        return _NotingLine(await self.alone.lend(), self.sent)

    def take_back(self, line: "_NotingLine") -> None:
        self.alone.take_back(line.line)

    def close(self) -> None:
        self.alone.close()


@dataclass(frozen=True)
class _NotingLine:
    line: Line
    sent: Sent

    async def run(self, sql: str, values: Values | None) -> Rows:
        if values is not None:
            self.sent.note(sql, Written(values))
        else:
            for one in sql.split(";"):
                self.sent.note(one, None)
        return await self.line.run(sql, values)


class _NotingLane(Lane):
    """The connection that writes rounds to a file, whose statements are noted."""

    def __init__(self, path: str, turn: asyncio.Lock, sent: Sent) -> None:
        super().__init__(path, turn)
        self._sent = sent

    def _opened(self) -> sqlite3.Connection:
        file = super()._opened()
        file.set_trace_callback(lambda statement: self._sent.note(statement, ()))
        return file


class Written(tuple[bytes | None, ...]):
    """Parameters in PostgreSQL's binary form, in the places of `$1`, `$2` and so on."""


def _cursor_of(sent: Sent) -> type[psycopg.AsyncCursor[Any]]:
    class Cursor(psycopg.AsyncCursor[Any]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            sent.note(query, params)
            return await super().execute(query, params, **options)

        async def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            rows = list(params_seq)
            sent.note(query, rows[0] if rows else None)
            await super().executemany(query, rows, **options)

    return Cursor


async def scans(database: Database, sent: Sent, url: str) -> dict[str, set[str]]:
    """Return the tables that statements would read whole, as `table` or `table by index`.

    By an index, where nothing says which part of it is meant.
    """
    found: dict[str, set[str]] = {}
    sent.listening = False
    if database.is_sqlite:
        async with database.reading() as connection:
            for statement, parameters in sent.statements.items():
                asked = f"EXPLAIN QUERY PLAN {statement}"
                plan = await connection.exec_driver_sql(asked, parameters)
                matched = [_SCAN.match(row.detail) for row in plan]
                found[statement] = {_named(one["table"], one["index"]) for one in matched if one}
        return found
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        arrays.prepare(connection)
        # A test's store is so small that reading it whole is cheap: what is asked here is whether
        # there is another way. `bench growth` looks at a large one.
        await connection.execute("SET enable_seqscan = off")
        for statement, parameters in sent.statements.items():
            found[statement] = set()
            # As it is planned for its parameters, and as a prepared one is planned for any.
            for asked in ("EXPLAIN (FORMAT JSON)", "EXPLAIN (GENERIC_PLAN, FORMAT JSON)"):
                told = await _explained(connection, asked, statement, parameters)
                found[statement] |= set(_whole(told[0]["Plan"]))
    return found


async def _explained(
    connection: "psycopg.AsyncConnection[Any]", asked: str, statement: str, parameters: Any
) -> Any:
    if isinstance(parameters, Written):
        # Their types are those of the statement's casts.
        given = [None if one is None else arrays.Array(0, one) for one in parameters]
        is_generic = "GENERIC_PLAN" in asked
        cursor = psycopg.AsyncRawCursor(connection)
        await cursor.execute(f"{asked} {statement}", None if is_generic else given)
    elif "GENERIC_PLAN" not in asked:
        cursor = await connection.execute(f"{asked} {statement}", parameters)  # type: ignore[call-overload]
    else:
        query = PostgresQuery(Transformer(connection))
        query.convert(statement, parameters)
        cursor = await connection.execute(f"{asked} {query.query.decode()}".encode())
    return (await cursor.fetchone())[0]


def _named(table: str, index: str | None) -> str:
    return f"{table} by {index}" if index else table


def _whole(plan: dict[str, Any], table: str = "") -> Iterator[str]:
    """Return what a plan of PostgreSQL's reads whole; `table`: that a part of it is about."""
    table = plan.get("Relation Name", table)
    if plan["Node Type"] == "Seq Scan":
        yield table
    elif "Index Name" in plan and "Index Cond" not in plan:
        yield _named(table, plan["Index Name"])
    for inner in plan.get("Plans", ()):
        yield from _whole(inner, table)


async def analyze(
    database: Database, tables: Collection[str], times: int, *, small: Collection[str]
) -> None:
    """Let the database know how its rows are distributed; PostgreSQL, that tables have many more.

    Then it plans as it does for a large store. Indexes that are `small` stay as they are: they hold
    what is under way.
    """
    async with database.transaction() as connection:
        await connection.execute(text("ANALYZE"))
        if not database.is_sqlite:
            given = {"tables": list(tables), "times": times, "small": list(small)}
            await connection.execute(text(_ENLARGE), given)


def alone() -> set[str]:
    """Return the statements that our modules send each as a transaction.

    What `recount` sends is two statements, which are noted one by one.
    """
    found: set[str] = set()
    for _, name, _ in pkgutil.iter_modules(app.store.__path__, "app.store."):
        module = importlib.import_module(name)
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                found |= _sent_by(module, node, node.func)
    return {one for each in found for one in each.split(";") if _READS.match(one)}


def _sent_by(module: ModuleType, call: ast.Call, called: ast.Attribute) -> set[str]:
    """Return the statements that a call sends alone."""
    if called.attr == "rows_at_once":
        return {_named_in(module, called.value)._alone}
    # A `Pick` sends its own: whoever asks it to is looked at above.
    if called.attr != "at_once" or module is pick:
        return set()
    said = call.args[0]
    if not isinstance(said, ast.Call):
        return {_named_in(module, said)}
    made, flags = _named_in(module, said.func), [one.arg for one in said.keywords]
    each = product((False, True), repeat=len(flags))
    return {made(**dict(zip(flags, one, strict=True))) for one in each}


def _named_in(module: ModuleType, expression: ast.expr) -> Any:
    """Return what a module has by a name; what has none there could not be looked for."""
    assert isinstance(expression, ast.Name), f"{module.__name__}: {ast.unparse(expression)}"
    return getattr(module, expression.id)
