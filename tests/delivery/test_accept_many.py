"""A large batch is one commit of its own: whole or not at all, also where its answer is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.accept import accept
from app.delivery.accept_many import LARGE, accept_many, ahead, is_large
from app.delivery.arrival import Arrival, Key, ReferencesTaken
from app.store import messages as store
from app.store.database import CommitUnknown, Database
from app.store.tables import client_references, events, idempotency_keys, messages
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio

COUNT = 250


def large(world: World, *, key: str | None = None, unique: bool = False) -> Arrival:
    arrivals = [world.arrival(sms(), reference=f"r{number}") for number in range(COUNT)]
    name = (
        Key(client_id=world.client_id, mode="live", key=key, fingerprint="a" * 64) if key else None
    )
    return replace(
        arrivals[0],
        object_id=arrivals[0].object_id,
        key=name,
        unique_references=unique,
        messages=[row for one in arrivals for row in one.messages],
    )


async def count(world: World) -> list[int]:
    async with world.gateway.database.reading() as connection:
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (messages, events, idempotency_keys, client_references)
        ]


class Losing:
    """A store that loses the answer to one commit, which took place or did not."""

    def __init__(self, database: Database, *, took_place: bool) -> None:
        self._database = database
        self._took_place = took_place
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[AsyncConnection]:
        loses = not self.lost
        self.lost += loses
        async with self._database.transaction(**options) as connection:
            yield connection
            if loses and not self._took_place:
                raise CommitUnknown
        if loses:
            raise CommitUnknown


async def test_a_large_arrival_is_kept_whole_with_its_key_and_references(world: World) -> None:
    arrival = large(world, key="k", unique=True)

    assert await accept_many(world.gateway, arrival) is None
    assert await count(world) == [COUNT, COUNT, 1, COUNT]


async def test_a_second_one_with_its_key_is_told_of_the_first_and_leaves_nothing(
    world: World,
) -> None:
    first, second = large(world, key="k"), large(world, key="k")
    await accept_many(world.gateway, first)

    found = await accept_many(world.gateway, second)

    assert found is not None
    assert not isinstance(found, ReferencesTaken)
    assert found["object_id"] == first.object_id
    assert await count(world) == [COUNT, COUNT, 1, 0]


async def test_references_that_are_taken_leave_nothing_of_it_and_are_all_named(
    world: World,
) -> None:
    arrivals = [world.arrival(sms(), reference=f"r{number}") for number in (7, 249)]
    arrivals = [replace(one, unique_references=True) for one in arrivals]
    assert await accept(world.gateway, arrivals) == [None, None]

    found = await accept_many(world.gateway, large(world, key="k", unique=True))

    assert found == ReferencesTaken({"r7": arrivals[0].object_id, "r249": arrivals[1].object_id})
    assert await count(world) == [2, 2, 0, 2]


@pytest.mark.parametrize("took_place", [True, False])
async def test_a_commit_whose_answer_is_lost_is_looked_for_and_made_once(
    world: World, *, took_place: bool
) -> None:
    losing: Any = Losing(world.gateway.database, took_place=took_place)
    arrival = large(world, key="k", unique=True)

    found = await accept_many(replace(world.gateway, database=losing), arrival)

    assert (found, losing.lost) == (None, 1)
    assert await count(world) == [COUNT, COUNT, 1, COUNT]


@pytest.mark.parametrize("took_place", [True, False])
async def test_a_shared_commit_whose_answer_is_lost_tells_who_was_refused(
    world: World, *, took_place: bool
) -> None:
    def one(reference: str, key: str) -> Arrival:
        name = Key(client_id=world.client_id, mode="live", key=key, fingerprint="a" * 64)
        arrival = world.arrival(sms(), reference=reference, key=name)
        return replace(arrival, unique_references=True)

    standing = one("old", "k0")
    await accept(world.gateway, [standing])
    losing: Any = Losing(world.gateway.database, took_place=took_place)
    arrivals = [one("new", "k1"), one("old", "k2"), one("other", "k3")]

    found = await accept(replace(world.gateway, database=losing), arrivals)

    assert found == [None, ReferencesTaken({"old": standing.object_id}), None]
    assert await count(world) == [3, 3, 3, 3]


async def test_twins_of_one_commit_are_refused_alike(world: World) -> None:
    """A request and its repeat, in one commit, whose reference is taken: neither is kept."""
    standing = replace(world.arrival(sms(), reference="r"), unique_references=True)
    await accept(world.gateway, [standing])
    key = Key(client_id=world.client_id, mode="live", key="k", fingerprint="a" * 64)
    twins = [
        replace(world.arrival(sms(), reference="r", key=key), unique_references=True)
        for _ in range(2)
    ]

    found = await accept(world.gateway, twins)

    assert found == [ReferencesTaken({"r": standing.object_id})] * 2
    assert await count(world) == [1, 1, 0, 1]


async def test_what_is_large(world: World) -> None:
    single = world.arrival(sms(), reference="r")
    rows = [dict(single.messages[0]) for _ in range(LARGE + 1)]

    assert [is_large(replace(single, messages=rows[:n])) for n in (1, LARGE, LARGE + 1)] == [
        False, False, True,
    ]  # fmt: skip
    unique = replace(single, unique_references=True)
    assert [is_large(replace(unique, messages=rows[:n])) for n in (1, 2)] == [False, True]


async def test_others_write_while_many_rows_are_written_and_see_nothing_of_them(
    world: World,
) -> None:
    """On SQLite too, where only one may write at a time."""
    rows, single = large(world).messages, world.arrival(sms())

    async def write(connection: AsyncConnection) -> None:
        await store.add(connection, world.gateway.ids, rows)
        assert await asyncio.wait_for(accept(world.gateway, [single]), 20) == [None]
        assert await count(world) == [1, 1, 0, 0]

    async with world.gateway.database.transaction(first=write):
        pass

    assert await count(world) == [COUNT + 1, COUNT + 1, 0, 0]


@pytest.mark.parametrize("at_once", [True, False])
async def test_of_many_rows_that_fail_nothing_stays(world: World, *, at_once: bool) -> None:
    async def write(connection: AsyncConnection) -> None:
        await store.add(connection, world.gateway.ids, large(world).messages)
        if at_once:
            raise LookupError

    with pytest.raises(LookupError):
        async with world.gateway.database.transaction(first=write):
            raise LookupError
    assert await count(world) == [0, 0, 0, 0]

    assert await accept_many(world.gateway, large(world, key="k")) is None
    assert await count(world) == [COUNT, COUNT, 1, 0]


async def test_many_at_once_and_singles_do_not_keep_each_other_from_the_store(
    world: World,
) -> None:
    """Each keeps a connection, or waits for one: more than there are, of both kinds."""
    singles = [accept(world.gateway, [world.arrival(sms())]) for _ in range(30)]
    many = [accept_many(world.gateway, large(world, key=f"k{number}")) for number in range(30)]

    found = await asyncio.wait_for(asyncio.gather(*many, *singles), 60)

    assert found == [None] * 30 + [[None]] * 30
    assert await count(world) == [30 * COUNT + 30, 30 * COUNT + 30, 30, 0]


async def test_what_is_written_ahead_is_kept_with_the_rest_of_it(world: World) -> None:
    arrival = large(world, key="k")

    async with ahead(world.gateway) as writing:
        for row in arrival.messages:
            writing.rows.append(dict(row))
            await writing.came()
        assert await count(world) == [0, 0, 0, 0]
        assert await writing.keep(replace(arrival, messages=writing.rows)) is None

    assert await count(world) == [COUNT, COUNT, 1, 0]


async def test_what_is_written_ahead_and_not_kept_is_undone(world: World) -> None:
    async with ahead(world.gateway) as writing:
        for row in large(world).messages:
            writing.rows.append(dict(row))
            await writing.came()

    assert await count(world) == [0, 0, 0, 0]
    # Nobody's turn is held.
    assert await accept(world.gateway, [world.arrival(sms())]) == [None]


async def test_a_store_that_fails_ahead_is_told_of_at_the_end_and_holds_nobody_up(
    world: World,
) -> None:
    arrival = large(world)

    async with ahead(world.gateway) as writing:
        for row in arrival.messages:
            writing.rows.append(dict(row) | {"status": None})
            await writing.came()
        with pytest.raises(IntegrityError):
            await writing.keep(replace(arrival, messages=writing.rows))

    assert await count(world) == [0, 0, 0, 0]
