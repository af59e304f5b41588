"""Rows that are changed together are changed as SQLAlchemy changes them one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.change_many import change
from app.store.database import Database
from tests.store.test_many import TABLE, VALUES

pytestmark = pytest.mark.anyio

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


async def made(connection: AsyncConnection, count: int) -> list[Any]:
    await connection.run_sync(TABLE.metadata.create_all)
    ids = [VALUES["uuid"][2].__class__(int=number + 1) for number in range(count)]
    await connection.execute(insert(TABLE), [{"id": one, "json": [], "number": 1} for one in ids])
    return ids


async def rows(connection: AsyncConnection) -> list[dict[str, Any]]:
    found = await connection.execute(select(TABLE).order_by(TABLE.c.id))
    return [dict(one) for one in found.mappings()]


@pytest.mark.parametrize("name", VALUES)
async def test_each_value_is_written_as_sqlalchemy_writes_it(database: Database, name: str) -> None:
    values = VALUES[name]
    async with database.transaction() as connection:
        ids = await made(connection, len(values))
        await change(
            connection, TABLE, [{"id": i, name: v} for i, v in zip(ids, values, strict=True)]
        )
        ours = await rows(connection)
        for one, value in zip(ids, values, strict=True):
            await connection.execute(update(TABLE).where(TABLE.c.id == one).values({name: value}))

        assert ours == await rows(connection)


async def test_a_row_that_no_longer_is_what_was_said_stays(database: Database) -> None:
    async with database.transaction() as connection:
        ids = await made(connection, 3)
        await change(connection, TABLE, [{"id": ids[1], "number": 2}])
        wanted = [{"id": one, "number": 1, "at": AT} for one in ids]

        await change(connection, TABLE, wanted, where=("id", "number"))

        assert [one["at"] for one in await rows(connection)] == [AT, None, AT]


async def test_a_row_for_which_a_condition_does_not_hold_stays(database: Database) -> None:
    async with database.transaction() as connection:
        ids = await made(connection, 2)
        await change(connection, TABLE, [{"id": ids[0], "at": AT}])
        later = AT + timedelta(hours=1)

        await change(connection, TABLE, [{"id": i, "at": later} for i in ids], only="at IS NULL")

        assert [one["at"] for one in await rows(connection)] == [AT, later]


async def test_nothing_is_changed_by_nothing(database: Database) -> None:
    async with database.transaction() as connection:
        await change(connection, TABLE, [])
