"""Prepared statements: planned anew as tables grow."""

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text

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


async def test_what_takes_no_writes_is_said_to_be_so(store: Database) -> None:
    for _ in range(2):  # whichever connection it is
        await store.at_once("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", None)
        with pytest.raises(StoreReadOnly):
            await store.at_once(ADD, [])
    assert await count(store) == 0


async def test_plans_are_made_anew_and_statements_stay(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "SOON", 0.0)
    for _ in range(5):
        assert await count(store) == 0
    await store.at_once(ADD, [])
    assert await count(store) == 1


async def plan_of_publishing(store: Database) -> list[str]:
    """Return how events are given their positions where nearly all of them waited lately."""
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
        of = (uuid4(), "live")
        given = (*of, uuid4(), *of, 1000, 0, *of)
        found = await connection.exec_driver_sql(f"EXPLAIN {positions._GIVEN}", given)
        return [row[0] for row in found]


async def test_an_earlier_event_is_looked_for_by_its_message_alone(store: Database) -> None:
    """By what waits, each event would cost a walk through all that waits."""
    plan = await plan_of_publishing(store)
    (place,) = [place for place, line in enumerate(plan) if "(message_id = oldest" in line]
    assert "Index Scan using uq_events_message_id_sequence" in plan[place - 1]


async def test_the_oldest_events_are_looked_for_among_what_waits(store: Database) -> None:
    """By their ids, all that was published already would be walked through."""
    plan = await plan_of_publishing(store)
    (place,) = [place for place, line in enumerate(plan) if "(ROW(client_id" in line]
    assert "Index Scan using ix_events_unpublished" in plan[place - 1]


async def test_events_are_numbered_by_their_ids(store: Database) -> None:
    """A join would walk through all of them, for as many as the planner expects."""
    plan = await plan_of_publishing(store)
    # Alone, or in a second condition of a loop's, as their statistics have it.
    (place,) = [
        place for place, line in enumerate(plan) if re.search("Index Cond:.*id = ANY", line)
    ]
    assert re.search("(using|on) pk_events", plan[place - 1])
    assert not any(" on events" in line and "Seq Scan" in line for line in plan)
