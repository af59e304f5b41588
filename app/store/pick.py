"""Read rows that have one of many values, with one cheap statement, whichever the database.

As many.py writes: PostgreSQL gets the values as one array, SQLite as one JSON text, and the rows
come as the driver reads them.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import JSON, Column, Uuid
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import driver
from app.store.arrays import kind_of
from app.store.database import CommitUnknown, Database

_PLACE: Final = re.compile(r"\{(any|mark)\}")
_EMPTY: Final[dict[str, Callable[[], Any]]] = {"[]": list, "{}": dict, "null": lambda: None}
_Read = Callable[[Any], Any]


class Pick:
    """A statement, prepared for both databases.

    In its text, `{columns}` stands for what is read, `{any}` for having one of the values, and
    `{mark}` for another parameter. `lock` is what follows it on PostgreSQL: SQLite has one writer.
    """

    def __init__(
        self, sql: str, columns: Mapping[str, Column[Any]], of: Column[Any], lock: str = ""
    ) -> None:
        self._columns = tuple(columns.values())
        self._names = tuple(columns)
        self._of = of
        self._is_id = isinstance(of.type, Uuid)
        self._places = _PLACE.findall(sql)
        whole = sql.replace("{columns}", ", ".join(map(_named, self._columns)))
        within = "IN (SELECT value FROM json_each(?))"
        self._sqlite = whole.replace("{any}", within).replace("{mark}", "?")
        within = f"= ANY(%s::{kind_of(of).name})"
        self._postgresql = f"{whole.replace('{any}', within).replace('{mark}', '%s')} {lock}"
        within = f"= ANY($1::{kind_of(of).name})"
        self._alone = f"{whole.replace('{any}', within).replace('{mark}', '$2::text')} {lock}"
        self._readers: dict[str, list[tuple[int, _Read]]] = {}

    async def rows(
        self, connection: AsyncConnection, values: Collection[Any], mark: object = None
    ) -> list[dict[str, Any]]:
        """Return the rows, each by the names of its columns."""
        if not values:
            return []
        if connection.dialect.name == "sqlite":
            given: Any = json.dumps([one.hex for one in values] if self._is_id else list(values))
        else:
            given = kind_of(self._of).written(list(values))
        parameters = [given if one == "any" else mark for one in self._places]
        found = await driver.execute(connection, self.sql(connection), parameters)
        return self._read(found, connection.dialect)

    async def rows_at_once(
        self, database: Database, values: Collection[Any], mark: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the rows as they are at this moment; on PostgreSQL at a part of the price."""
        if not values:
            return []
        if database.is_sqlite:
            async with database.reading() as connection:
                return await self.rows(connection, values, mark)
        given = [kind_of(self._of).content(list(values)), *([mark.encode()] if mark else [])]
        try:
            return self._read(await database.at_once(self._alone, given), None)
        except CommitUnknown as fault:
            # Nothing was written: what nobody knows is no more than what was read.
            raise OperationalError(None, None, fault) from fault

    def sql(self, connection: AsyncConnection) -> str:
        """Return the statement, as a connection's database takes it."""
        return self._sqlite if connection.dialect.name == "sqlite" else self._postgresql

    def _read(
        self, found: Collection[tuple[Any, ...]], dialect: Dialect | None
    ) -> list[dict[str, Any]]:
        """Return rows; `dialect`: SQLite's, where the values are its."""
        name = dialect.name if dialect is not None else ""
        readers = self._readers.get(name)
        if readers is None:
            readers = self._readers[name] = [
                (place, read)
                for place, column in enumerate(self._columns)
                if (read := _reader(column, dialect)) is not None
            ]
        rows = []
        for one in found:
            values = list(one)
            for place, read in readers:
                if values[place] is not None:
                    values[place] = read(values[place])
            rows.append(dict(zip(self._names, values, strict=True)))
        return rows


def _named(column: Column[Any]) -> str:
    name = f'{column.table.name}."{column.name}"'
    # As text: nearly always it is empty, and needs no reader.
    return f"CAST({name} AS TEXT)" if isinstance(column.type, JSON) else name


def _reader(column: Column[Any], dialect: Dialect | None) -> _Read | None:
    """Return what makes a value of what the driver read; None where it is one already."""
    if isinstance(column.type, JSON):
        return _loaded
    if dialect is None or dialect.name != "sqlite":
        return None
    read: _Read | None = column.type.dialect_impl(dialect).result_processor(dialect, None)
    return read


def _loaded(text: str) -> Any:  # noqa: ANN401 -- any JSON
    empty = _EMPTY.get(text)
    return json.loads(text) if empty is None else empty()
