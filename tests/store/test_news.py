"""A plain message's own columns make the whole row that the general way writes."""

import random
import string
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, delete, select

from app.delivery import accept
from app.delivery.arrival import arrival_of
from app.store import taking
from app.store.news import New, new_of, row_of
from app.store.tables import counters, events, idempotency_keys, messages
from tests.gateways import World

pytestmark = pytest.mark.anyio

TABLES = (messages, events, idempotency_keys, counters)
OPTIONAL = ("reference", "billing_code", "recipient_digest", "encoding", "on_uncertain")


def some_news(world: World, count: int) -> list[New]:
    drawn = random.Random(count)

    def word(length: int = 8) -> str:
        return "".join(drawn.choices(string.ascii_letters + 'é€😀"\\{}', k=length))

    clients = [world.client_id, world.gateway.ids.new()]
    now = world.clock.now()
    return [
        New(
            id=world.gateway.ids.new(),
            client_id=drawn.choice(clients),
            mode=drawn.choice(["live", "test"]),
            channel=drawn.choice(["sms", "email", "letter", "fax"]),
            provider=drawn.choice(["efidem", "fax123"]),
            created_at=now + timedelta(microseconds=drawn.randrange(10**7)),
            send_at=drawn.choice([None, now + timedelta(days=1), now - timedelta(days=1)]),
            expires_at=drawn.choice([None, now + timedelta(days=2)]),
            **{name: drawn.choice([None, word()]) for name in OPTIONAL},
            purpose=drawn.choice(["transactional", "code"]),
            tags=drawn.choice([[], [word(), word()]]),
            metadata=drawn.choice([{}, {word(): word(30)}]),
            warnings=drawn.choice([[], [word()]]),
            content=word(drawn.randrange(1, 2000)),
            size=drawn.randrange(2000),
            recipient=word(),
            units=drawn.choice([None, 1, 3]),
            **drawn.choice(
                [{"key": None, "fingerprint": None}, {"key": f"{place}", "fingerprint": "f" * 64}]
            ),
        )
        for place in range(count)
    ]


async def kept(world: World) -> dict[str, list[dict[str, Any]]]:
    found = {}
    async with world.gateway.database.reading() as connection:
        for table in TABLES:
            rows = (await connection.execute(select(table))).mappings()
            found[table.name] = sorted((own(table, row) for row in rows), key=repr)
    return found


def own(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without an event's id, and without when the gateway's clock read a key."""
    unlike = {"events": "id", "idempotency_keys": "created_at"}.get(table.name)
    return {name: value for name, value in row.items() if name != unlike}


async def swept(world: World) -> None:
    async with world.gateway.database.transaction() as connection:
        for table in TABLES:
            await connection.execute(delete(table))


@pytest.mark.parametrize("count", [1, 3, 90])
async def test_plain_messages_are_kept_as_the_general_way_keeps_them(
    world: World, count: int
) -> None:
    news = some_news(world, count)
    assert await taking.take(world.gateway.database, world.gateway.ids, news)
    plain = await kept(world)
    await swept(world)

    assert await accept._commit(world.gateway, [arrival_of(one) for one in news]) == [None] * count

    assert await kept(world) == plain
    assert len(plain["messages"]) == count


def test_a_row_and_its_key_make_the_plain_message_that_they_came_from() -> None:
    world = World(None)  # type: ignore[arg-type]  # no store is asked
    for new in some_news(world, 50):
        assert new_of(row_of(new), new.key, new.fingerprint) == new
