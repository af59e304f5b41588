"""Who writes much waits for what others ask of PostgreSQL meanwhile, but not for long."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from app.store.database import Database
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

LONG = "SELECT pg_sleep(0.3)"


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[Database]:
    made = Database(postgres.create(f"under_way_{uuid4().hex}"))
    yield made
    await made.close()


async def waited(store: Database, seconds: float) -> float:
    began = time.perf_counter()
    await store.rested(seconds)
    return time.perf_counter() - began


async def test_nothing_is_waited_for_where_nothing_is_under_way(store: Database) -> None:
    await store.at_once("SELECT 1", [])

    assert await waited(store, 5) < 0.1


async def test_two_statements_are_waited_for_by_two_until_both_are_done(store: Database) -> None:
    running = [asyncio.create_task(store.at_once(LONG, [])) for _ in range(2)]
    while not store._alone or store._alone._lent < 2:
        await asyncio.sleep(0)

    took = await asyncio.gather(waited(store, 5), waited(store, 5))

    assert all(0.1 < one < 3 for one in took)
    assert all(one.done() for one in running)


async def test_a_long_one_is_not_waited_for_to_its_end(store: Database) -> None:
    running = asyncio.create_task(store.at_once(LONG, []))
    while not store._alone or not store._alone._lent:
        await asyncio.sleep(0)

    assert await waited(store, 0.01) < 0.2
    assert not running.done()
    await running


async def test_what_failed_is_not_under_way_any_more(store: Database) -> None:
    with pytest.raises(DBAPIError) as told:
        await store.at_once("SELECT 1 / 0", [])

    assert isinstance(told.value.orig, psycopg.DataError)
    assert await waited(store, 5) < 0.1
