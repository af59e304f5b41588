"""Rows that are written together are the rows that SQLAlchemy writes one by one."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Uuid,
    insert,
    select,
)
from sqlalchemy.exc import DBAPIError, StatementError

from app.store import alike, many
from app.store.arrays import kind_of
from app.store.database import Database
from app.store.tables import metadata as ours
from app.store.times import UtcDateTime

pytestmark = pytest.mark.anyio

TABLE = Table(
    "many_of_each",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("uuid", Uuid),
    Column("short", String(20)),
    Column("text", Text),
    Column("at", UtcDateTime),
    Column("day", Date),
    Column("number", Integer),
    Column("long", BigInteger),
    Column("flag", Boolean),
    Column("bytes", LargeBinary),
    Column("json", JSON, nullable=False),
    Column("small", JSON(none_as_null=True)),
)
PARIS = timezone(timedelta(hours=2))
VALUES: dict[str, tuple[Any, ...]] = {
    "uuid": (None, UUID(int=0), UUID(int=2**128 - 1), uuid4()),
    "short": (None, "", "é", "20 characters long !", "\\x00", "{NULL}", "NULL"),
    "text": (None, "", '"quoted", \\ and {braces}', "a\nb\tc", "😀" * 3, "\x7f\x01\u2028"),
    "at": (
        None,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC),
        datetime(2026, 11, 22, 12, 0, tzinfo=PARIS),
        datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ),
    "day": (None, date(1999, 12, 31), date(2000, 1, 1), date(2026, 11, 22)),
    "number": (None, 0, -1, 2**31 - 1, -(2**31)),
    "long": (None, 0, -1, 2**63 - 1, -(2**63)),
    "flag": (None, True, False),
    "bytes": (None, b"", b"\x00\xff{}"),
    "json": (None, [], {}, "", 0, True, 1, [True], [1], {"a": None, "é": ["\\u0000", 1.5]}),
    "small": (None, [], {}, [True], [1], {"a": {"b": [1, "é"]}}),
}


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Database]:
    async with database.transaction() as connection:
        await connection.run_sync(TABLE.metadata.create_all)
    yield database
    async with database.transaction() as connection:
        await connection.run_sync(TABLE.metadata.drop_all)


async def kept(store: Database) -> dict[UUID, tuple[Any, ...]]:
    """Return every row, and as the driver itself reads it."""
    async with store.reading() as connection:
        rows = (await connection.execute(select(TABLE))).all()
        raw = (await connection.exec_driver_sql(f"SELECT * FROM {TABLE.name} ORDER BY id")).all()
    in_order = sorted(rows, key=lambda row: row.id.bytes)
    return {
        row.id: (tuple(row)[1:], tuple(one)[1:]) for row, one in zip(in_order, raw, strict=True)
    }


def some_rows(count: int) -> list[dict[str, Any]]:
    drawn = random.Random(count)
    return [
        {"id": UUID(int=place), **{name: drawn.choice(given) for name, given in VALUES.items()}}
        for place in range(count)
    ]


async def swept(store: Database) -> None:
    async with store.transaction() as connection:
        await connection.execute(TABLE.delete())


async def check_alike(store: Database, rows: list[dict[str, Any]]) -> dict[UUID, tuple[Any, ...]]:
    """Write rows by SQLAlchemy, then by us in both ways; return what each kept."""
    async with store.transaction() as connection:
        await connection.execute(insert(TABLE), rows)
    expected = await kept(store)
    await swept(store)

    async with store.transaction() as connection:
        await many.add(connection, TABLE, rows)
    assert await kept(store) == expected
    await swept(store)

    async with store.transaction() as connection:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        await alike.write(connection, [(TABLE, columns)])
    assert await kept(store) == expected
    return expected


@pytest.mark.parametrize("count", [1, 2, 7, 300])
async def test_many_rows_are_kept_as_sqlalchemy_keeps_each(store: Database, count: int) -> None:
    rows = some_rows(count)
    expected = await check_alike(store, rows)
    assert len(expected) == count


@pytest.mark.parametrize("name", list(VALUES))
async def test_a_column_that_says_the_same_in_every_row_is_kept(store: Database, name: str) -> None:
    for value in VALUES[name]:
        blank = dict.fromkeys(VALUES, None)
        rows = [{"id": UUID(int=place), **blank, name: value} for place in range(3)]
        await check_alike(store, rows)
        await swept(store)


async def test_what_is_equal_and_not_the_same_is_kept_as_it_is(store: Database) -> None:
    rows = [
        {"id": UUID(int=place), "json": [value], "small": {"is": value}}
        for place, value in enumerate([True, 1, 1.0, True])
    ]

    async with store.transaction() as connection:
        await many.add(connection, TABLE, rows)

    found = await kept(store)
    assert [repr(row["json"]) for row in rows] == [repr(found[row["id"]][0][9]) for row in rows]


@pytest.mark.parametrize("count", [1, 3, 250])
async def test_rows_whose_key_stands_are_passed_over(store: Database, count: int) -> None:
    rows = some_rows(count)
    standing = rows[::3]
    async with store.transaction() as connection:
        await many.add(connection, TABLE, standing)
        again = [*rows, rows[-1]]  # and one that comes twice
        written = await many.add_new(connection, TABLE, again, returning="id")
        nothing = await many.add_new(connection, TABLE, rows, returning="id")

    assert sorted(written) == sorted(one["id"] for one in rows if one not in standing)
    assert nothing == []
    assert len(await kept(store)) == count


async def test_columns_that_are_not_named_stay_null(store: Database) -> None:
    async with store.transaction() as connection:
        await many.add(connection, TABLE, [{"id": UUID(int=1), "json": []}])
        await many.add(connection, TABLE, [])
        assert await many.add_new(connection, TABLE, [], returning="id") == []

    ((row, _),) = (await kept(store)).values()
    assert row == (*[None] * 9, [], None)


@pytest.mark.parametrize("name", ["text", "short"])
async def test_a_text_with_nul_is_refused_by_postgresql_as_before(
    store: Database, name: str
) -> None:
    if store.is_sqlite:
        pytest.skip("SQLite keeps it")
    with pytest.raises(DBAPIError):
        async with store.transaction() as connection:
            await many.add(connection, TABLE, [{"id": UUID(int=1), "json": [], name: "a\x00b"}])

    assert await kept(store) == {}


async def test_a_key_that_stands_fails_where_none_may(store: Database) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with store.transaction() as connection:
            await many.add(connection, TABLE, some_rows(2) + some_rows(1))

    assert "20 characters" not in str(raised.value)
    assert await kept(store) == {}


async def test_a_text_that_is_too_long_for_its_column_is_refused_by_postgresql(
    store: Database,
) -> None:
    if store.is_sqlite:
        pytest.skip("SQLite bounds no text")
    with pytest.raises(DBAPIError):
        async with store.transaction() as connection:
            await many.add(connection, TABLE, [{"id": UUID(int=1), "json": [], "short": "a" * 21}])


async def test_a_time_without_a_zone_is_refused(store: Database) -> None:
    naive = {"id": UUID(int=1), "json": [], "at": datetime(2026, 1, 1)}  # noqa: DTZ001 -- meant
    with pytest.raises((TypeError, ValueError, StatementError)):
        async with store.transaction() as connection:
            await many.add(connection, TABLE, [naive])


def test_every_column_of_ours_can_be_written() -> None:
    for table in ours.tables.values():
        for column in table.columns:
            assert kind_of(column).name.endswith("[]")


def test_a_type_that_no_table_has_is_refused() -> None:
    with pytest.raises(TypeError):
        kind_of(Column("price", Numeric(10, 2), default=Decimal(0)))
