"""The first answer to a key is made again from its message, whatever became of that meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, Text, update

from app.api import answers
from app.api.replayed import replayed
from app.delivery import accept
from app.delivery.arrival import arrival_of, key_of
from app.store import idempotency
from app.store.database import Database
from app.store.news import New, row_of
from app.store.tables import idempotency_keys, messages
from app.store.times import UtcDateTime
from tests.gateways import BEGAN, World
from tests.store.test_news import some_news

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(database: Database) -> World:
    made = World(database)
    await made.open()
    return made


def other(column: Column[Any]) -> Any:
    """Return what a column says once everything has happened to its message."""
    match column.type:
        case UtcDateTime():
            return BEGAN + timedelta(days=9)
        case Integer() | BigInteger():
            return 77
        case Boolean():
            return True
        case JSON():
            return {"type": "permanent", "reason": "unknown_recipient"}
        case Text():
            return "emptied"
        case _:
            return "failed" if column.name == "status" else "other"


@pytest.mark.parametrize("way", ["plain", "general"])
async def test_the_first_answer_is_made_again_byte_for_byte(world: World, way: str) -> None:
    news = [
        one._replace(key=f"k{place}", fingerprint="f" * 64)
        for place, one in enumerate(some_news(world, 120))
    ]
    first = {one.id: answers.message(row_of(one)) for one in news}
    arrivals = news if way == "plain" else [arrival_of(one) for one in news]
    assert await accept.accept(world.gateway, arrivals) == [None] * len(news)

    # All that may change, changes.
    stays = {*idempotency._STAYS, "client_id"}
    changes = {one.name: other(one) for one in messages.c if one.name not in stays}
    async with world.gateway.database.transaction() as connection:
        await connection.execute(update(messages).values(**changes))

    records = await accept.remember(world.gateway, [key for one in news if (key := key_of(one))])
    for new, record in zip(news, records, strict=True):
        key = key_of(new)
        assert record is not None
        assert key is not None
        again = replayed(record, key)
        assert again.status == 202
        assert again.replayed
        assert again.location == first[new.id]["links"]["self"]
        assert again.body == answers.written(first[new.id])


async def test_an_answer_that_was_kept_is_given_as_it_is(world: World) -> None:
    """Such as those of a version that kept all of them, of batches, and of who waited."""
    (new,) = some_news(world, 1)
    new = new._replace(key="k", fingerprint="f" * 64)
    await accept.accept(world.gateway, [new])
    async with world.gateway.database.transaction() as connection:
        columns = {"status": 201, "location": "/v1/messages/x", "body": '{"as": "it was"}'}
        await connection.execute(update(idempotency_keys).values(**columns))

    key = key_of(new)
    assert key is not None
    (record,) = await accept.remember(world.gateway, [key])

    assert record is not None
    answer = replayed(record, key)
    assert (answer.status, answer.location, answer.body) == tuple(columns.values())


async def test_a_key_whose_message_is_deleted_has_no_answer(world: World) -> None:
    """It is forgotten within the hour; until then a repeat is told to come back."""
    new = some_news(world, 1)[0]._replace(key="k", fingerprint="f" * 64)
    await accept.accept(world.gateway, [new])
    async with world.gateway.database.transaction() as connection:
        await connection.execute(messages.delete())

    key = key_of(new)
    assert key is not None
    assert await accept.remember(world.gateway, [key]) == [None]


def test_what_an_answer_is_made_of_is_all_that_it_shows() -> None:
    """A column that is shown and may be there from the beginning must be among those that stay."""

    read: set[str] = set()

    class Read(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            read.add(name)
            return super().__getitem__(name)

        def get(self, name: str, default: Any = None) -> Any:
            read.add(name)
            return super().get(name, default)

    world = World(None)  # type: ignore[arg-type]  # no store is asked
    for new in some_news(world, 50):
        row = Read(row_of(new))
        answers.message(row)
    written: set[str] = set(New._fields) | {"batch_id", "campaign_id"}
    assert read & written <= set(idempotency._STAYS)
