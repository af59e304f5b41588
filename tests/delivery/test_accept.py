"""Taking messages in: together, each key once, and one bad row fails alone."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.exc import OperationalError

from app.delivery import accept
from app.delivery.accept import Arrival, Key
from app.delivery.gather import Gathering
from app.domain.errors import IdempotencyInProgress, IdempotencyKeyReused
from app.store.database import is_unavailable
from app.store.tables import counters, events, idempotency_keys, messages
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio


def accepting(world: World) -> Gathering[Arrival, RowMapping | None]:
    return Gathering(lambda items: accept.accept(world.gateway, items), is_unavailable)


def key(world: World, name: str, fingerprint: str = "a" * 64) -> Key:
    return Key(client_id=world.client_id, mode="live", key=name, fingerprint=fingerprint)


async def count(world: World) -> dict[str, int]:
    async with world.gateway.database.reading() as connection:
        return {
            table.name: (
                await connection.execute(select(func.count()).select_from(table))
            ).scalar_one()
            for table in (messages, events, idempotency_keys)
        }


async def test_message_key_and_first_event_are_written_together(world: World) -> None:
    await accept.accept(world.gateway, [world.arrival(sms(), key=key(world, "k"))])

    assert await count(world) == {"messages": 1, "events": 1, "idempotency_keys": 1}


async def test_many_arrivals_share_commits_and_all_are_kept(world: World) -> None:
    gathering = accepting(world)

    taken = await asyncio.gather(*(gathering.do(world.arrival(sms())) for _ in range(300)))

    assert taken == [None] * 300
    assert (await count(world))["messages"] == 300


async def test_concurrent_repeats_of_a_key_are_one_message(world: World) -> None:
    gathering = accepting(world)
    arrivals = [world.arrival(sms(), key=key(world, "k")) for _ in range(60)]

    taken = await asyncio.gather(*(gathering.do(arrival) for arrival in arrivals))

    first = [arrival for arrival, record in zip(arrivals, taken, strict=True) if record is None]
    assert len(first) == 1
    assert {record["object_id"] for record in taken if record} == {first[0].object_id}
    assert await count(world) == {"messages": 1, "events": 1, "idempotency_keys": 1}


async def test_repeats_that_reach_several_processes_at_once_are_one_message(world: World) -> None:
    processes = [accepting(world) for _ in range(4)]
    arrivals = [world.arrival(sms(), key=key(world, f"k{place % 5}")) for place in range(40)]

    await asyncio.gather(
        *(processes[place % 4].do(arrival) for place, arrival in enumerate(arrivals))
    )

    assert await count(world) == {"messages": 5, "events": 5, "idempotency_keys": 5}


async def test_a_key_with_another_body_is_refused(world: World) -> None:
    await accept.accept(world.gateway, [world.arrival(sms(), key=key(world, "k"))])
    other = key(world, "k", "b" * 64)

    (record,) = await accept.accept(world.gateway, [world.arrival(sms(), key=other)])

    assert record is not None
    with pytest.raises(IdempotencyKeyReused):
        accept.replay(record, other)
    assert accept.replay(record, key(world, "k")).body == '{"first": true}'


async def test_one_bad_row_in_a_shared_commit_fails_alone(world: World) -> None:
    gathering = accepting(world)
    good = [world.arrival(sms()) for _ in range(10)]
    bad = world.arrival(sms())
    bad.messages[0]["purpose"] = None  # type: ignore[index] # the table wants one

    results = await asyncio.gather(
        *(gathering.do(arrival) for arrival in [*good[:5], bad, *good[5:]]),
        return_exceptions=True,
    )

    faults = [result for result in results if isinstance(result, BaseException)]
    assert [type(fault).__name__ for fault in faults] == ["IntegrityError"]
    assert (await count(world))["messages"] == 10


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # who locks rows
@pytest.mark.parametrize("kept", [False, True])  # of a plain message the answer is not
async def test_only_who_waits_for_a_key_is_told_that_it_is_in_use(world: World, kept: bool) -> None:
    await world.keep(sms())  # which makes the counters

    async def taken(name: str | None) -> object:
        one = world.arrival(sms(), key=key(world, name) if name is not None else None)
        one = replace(one, answer=replace(one.answer, kept=kept))
        (found,) = await asyncio.gather(accept.accept(world.gateway, [one]), return_exceptions=True)
        return type(found)

    async with world.gateway.database.transaction() as connection:
        used = accept.key_rows(world.gateway, [world.arrival(sms(), key=key(world, "used"))])
        await connection.execute(insert(idempotency_keys), used)
        await connection.execute(update(counters).values(value=counters.c.value))

        told = await asyncio.gather(*map(taken, ("used", "free", None)))

    assert told == [IdempotencyInProgress, OperationalError, OperationalError]
