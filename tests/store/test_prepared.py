"""Transactions of prepared statements: rolled back as a whole, and planned anew as tables grow."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError

from app.store import alone, migrate, positions
from app.store.database import Database, StoreReadOnly
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

ADD = "INSERT INTO counters (name, value) VALUES ('one', 1)"


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[Database]:
    made = Database(postgres.create(f"prepared_{uuid4().hex}"))
    await migrate.upgrade(made)
    yield made
    await made.close()


async def count(store: Database) -> int:
    ((found,),) = await store.at_once("SELECT count(*) FROM counters", [])
    return int(found)


async def test_what_ran_is_committed_together(store: Database) -> None:
    async with store.prepared() as run:
        await run(ADD, [])
        assert await count(store) == 0
        await run("UPDATE counters SET value = 2", [])
    assert await store.at_once("SELECT value FROM counters", []) == [(2,)]


async def ran(store: Database, *statements: str, then: type[Exception] | None = None) -> None:
    async with store.prepared() as run:
        for one in statements:
            await run(one, [])
        if then is not None:
            raise then


async def test_whatever_goes_wrong_takes_all_back(store: Database) -> None:
    with pytest.raises(IntegrityError):
        await ran(store, ADD, ADD)
    with pytest.raises(DataError):
        await ran(store, ADD, "SELECT 1 / (value - 1) FROM counters")
    with pytest.raises(LookupError):
        await ran(store, ADD, then=LookupError)
    assert await count(store) == 0


async def test_a_store_that_takes_no_writes_is_said_to_be_so(store: Database) -> None:
    with pytest.raises(StoreReadOnly):
        await ran(store, "SET TRANSACTION READ ONLY", ADD)
    assert await count(store) == 0


async def test_plans_are_made_anew_and_statements_stay(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "SOON", 0.0)
    for _ in range(5):
        assert await count(store) == 0
    async with store.prepared() as run:
        await run(ADD, [])
    assert await count(store) == 1


async def test_an_earlier_event_is_looked_for_by_its_message_alone(store: Database) -> None:
    """By what waits, each event would cost a walk through all that waits."""
    async with store.transaction() as connection:
        await connection.execute(
            text(
                "INSERT INTO events"
                " (id, client_id, mode, message_id, sequence, type, at, source, applied)"
                " SELECT gen_random_uuid(), :client, 'live', gen_random_uuid(), 2, 't', now(),"
                " 'worker', true FROM generate_series(1, 3000)"
            ),
            {"client": uuid4()},
        )
        await connection.exec_driver_sql("ANALYZE events")
        given = (uuid4(), "live", 1000, 0, uuid4(), "live")
        found = await connection.exec_driver_sql(f"EXPLAIN {positions._GIVEN}", given)
        plan = [row[0] for row in found]
    (place,) = [place for place, line in enumerate(plan) if "(message_id = oldest" in line]
    assert "Index Scan using uq_events_message_id_sequence" in plan[place - 1]
