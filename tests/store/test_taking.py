"""Plain messages are taken in with one statement: the rows are those of the general way."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select

from app.delivery import accept
from app.delivery.accept import Arrival, Key
from app.delivery.limit import recount
from app.store import counters as kept
from app.store import taking
from app.store.database import CommitUnknown
from app.store.news import New, new_of
from app.store.tables import counters, events, idempotency_keys, messages
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio

TABLES = (messages, events, idempotency_keys, counters)


async def rows(world: World, table: Table) -> list[Mapping[str, Any]]:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(table))
        return [dict(row) for row in found.mappings()]


def arrivals(world: World, mark: str) -> list[Arrival]:
    some = [
        world.arrival(content, key=key(world, f"{mark}{place}") if place % 3 else None)
        for place, content in enumerate([sms() for _ in range(5)])
    ]
    return [replace(one, files={}) for one in some]


def plain(some: Sequence[Arrival]) -> list[New]:
    """Return arrivals as the rows alone that plain messages come as."""
    return [
        new_of(one.messages[0], one.key and one.key.key, one.key and one.key.fingerprint)
        for one in some
    ]


def key(world: World, name: str) -> Key:
    return Key(client_id=world.client_id, mode="live", key=name, fingerprint="f" * 64)


def alike(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what no two messages share."""
    own = {"id", "message_id", "object_id", "location", "body", "key", "size", "content", "at"}
    return {name: row[name] for name in row if name not in own and not name.endswith("_at")}


def having(arrival: Arrival, name: str) -> Arrival:
    """Return an arrival whose message has what few messages have, in a column."""
    row = dict(arrival.messages[0])
    later = row["created_at"] + timedelta(hours=1)
    row[name] = {
        "send_at": later,
        "expires_at": later,
        "billing_code": "b-1",
        "tags": ["a", "b"],
        "metadata": {"a": "b"},
        "warnings": ["w"],
        "on_uncertain": "hold",
    }[name]
    if name == "send_at":
        row |= {"status": "scheduled", "due_at": later}
    return replace(arrival, messages=(row,))


@pytest.mark.parametrize("seldom", [None, *taking._SELDOM])
async def test_the_one_statement_writes_what_the_general_way_writes(
    world: World, seldom: str | None
) -> None:
    short, general = arrivals(world, "a"), arrivals(world, "b")
    if seldom is not None:  # one of them has it
        short[2], general[2] = having(short[2], seldom), having(general[2], seldom)
    assert await accept.accept(world.gateway, plain(short)) == [None] * 5
    by_one = {table.name: await rows(world, table) for table in TABLES}

    # A quota, though none that is near, takes the general way.
    general[0] = replace(general[0], daily_quota=1_000_000)
    assert await accept.accept(world.gateway, general) == [None] * 5

    for table in TABLES[:3]:
        found = [alike(row) for row in await rows(world, table)]
        before = [alike(row) for row in by_one[table.name]]
        assert sorted(map(repr, before)) == sorted(map(repr, found[len(before) :])), table.name
    after = {row["name"]: row["value"] for row in await rows(world, counters)}
    once = {row["name"]: row["value"] for row in by_one["counters"]}
    assert {name: 2 * value for name, value in once.items() if "bytes" not in name} == {
        name: value for name, value in after.items() if "bytes" not in name
    }
    assert await recount(world.gateway.database) == {}


async def test_where_one_key_is_taken_nothing_is_written(world: World) -> None:
    gateway, some = world.gateway, arrivals(world, "a")
    await accept.accept(gateway, plain(some[1:2]))
    before = {table.name: await rows(world, table) for table in TABLES}

    assert await taking.take(gateway.database, gateway.ids, plain(some)) is False

    assert {table.name: await rows(world, table) for table in TABLES} == before
    # The general way then keeps the others.
    again = plain(arrivals(world, "a"))
    found = await accept.accept(gateway, again)
    assert [one is None for one in found] == [True, False, True, True, True]
    assert len(await rows(world, messages)) == 5
    assert await recount(gateway.database) == {}


async def test_messages_without_keys_are_taken_in(world: World) -> None:
    arrival = world.arrival(sms())
    assert await accept.accept(world.gateway, [arrival]) == [None]
    assert [row["id"] for row in await rows(world, messages)] == [arrival.object_id]


async def test_who_locks_the_counters_is_waited_for(world: World) -> None:
    """The counters come last: whoever waits for them holds nothing that others wait for but those."""
    gateway = world.gateway
    await accept.accept(gateway, arrivals(world, "a"))
    if gateway.database.is_sqlite:
        return
    async with gateway.database.transaction() as connection:
        await connection.execute(select(counters).with_for_update())
        some = plain(arrivals(world, "b"))
        waiting = asyncio.create_task(accept.accept(gateway, some))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
    assert await waiting == [None] * 5


async def test_one_whose_row_cannot_be_kept_leaves_nothing(world: World) -> None:
    (new,) = plain([world.arrival(sms())])
    wrong: list[Any] = [new._replace(purpose=None)]  # type: ignore[arg-type]  # the table wants one
    gateway = world.gateway
    taken: bool | None = None
    try:
        taken = await taking.take(gateway.database, gateway.ids, wrong)
    except CommitUnknown:
        pytest.fail("the server said what was wrong")
    assert taken is False  # and so it goes the general way, which says why
    assert await rows(world, messages) == []


def test_what_new_messages_add_to_the_counters_is_in_the_order_of_their_names() -> None:
    client = UUID(int=7)
    rows = [
        {"status": status, "channel": channel, "client_id": client, "size": 10}
        for status, channel in (("queued", "sms"), ("scheduled", "email"), ("held", "sms"))
    ]
    assert kept.in_order(kept.of_new(rows)) == [
        {"name": "unsent:email", "value": 1},
        {"name": "unsent:sms", "value": 1},
        {"name": "unsent_bytes:email", "value": 10},
        {"name": "unsent_bytes:sms", "value": 10},
        {"name": f"unsent_client:{client}", "value": 2},
    ]
