"""Which endpoints are told of an event, and whose deliveries are taken first, on each database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from app.domain.identifiers import ENDPOINT, shown
from app.store import deliveries, events, feed, positions, webhooks
from app.store.database import Database
from app.store.tables import clients, webhook_deliveries
from app.store.tables import events as events_table
from tests.gateways import World

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


class Store:
    """One client with endpoints, and events that are not a message's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.database: Database = world.gateway.database
        self.ids = world.gateway.ids

    async def endpoint(self, *, client_id: UUID | None = None, **columns: Any) -> UUID:
        row = {
            "id": self.ids.new(),
            "client_id": client_id or self.world.client_id,
            "mode": "live",
            "url": "https://example.com/",
            "secret": "sealed",
            "enabled": True,
            "created_at": NOON,
            "changed_at": NOON,
            **columns,
        }
        async with self.database.transaction() as connection:
            assert await webhooks.add(connection, row, 1000)
        return row["id"]  # type: ignore[no-any-return]

    async def happens(self, count: int = 1, kind: str = "message.sent", **detail: Any) -> int:
        """Have events happen and be put into the outbox; return how many deliveries that made."""
        owner = {"client_id": self.world.client_id, "mode": "live"}
        async with self.database.transaction() as connection:
            of = (owner["client_id"], owner["mode"])
            held = (await feed.hold(connection, [of]))[of]
            before = await positions.give(connection, of, held, 1000)
            for _ in range(count):
                await events.add(connection, self.ids, owner, kind, NOON, detail)
            new = await positions.give(connection, of, before.until, 1000)
            endpoints = (await webhooks.enabled(connection, [of]))[of]
            return await webhooks.enqueue(
                connection, self.ids, new, endpoints, lambda event: event["type"], NOON
            )

    async def due(self, *busy: UUID, now: datetime = NOON, limit: int = 100) -> list[UUID]:
        async with self.database.reading() as connection:
            return [one["id"] for one in await deliveries.due(connection, now, limit, busy)]

    async def claim(self, endpoint_id: UUID, limit: int = 100, now: datetime = NOON) -> list[Any]:
        async with self.database.transaction() as connection:
            return list(
                await deliveries.claim(connection, endpoint_id, now=now, lease=LEASE, limit=limit)
            )

    async def end(self, held: Any, state: str) -> str:
        """Write that a claim ended so; return how its delivery stands then."""
        async with self.database.transaction() as connection:
            await deliveries.end(connection, [(held, {"state": state, "due_at": None})])
            row = await deliveries.find(connection, held["id"], held["endpoint_id"])
        assert row is not None
        return row["state"]  # type: ignore[no-any-return]


@pytest.fixture
async def store(database: Database) -> Store:
    world = World(database)
    await world.open()
    return Store(world)


async def test_an_event_is_for_the_endpoints_of_its_client_and_mode_that_are_enabled(
    store: Store,
) -> None:
    other = store.ids.new()
    async with store.database.transaction() as connection:
        await connection.execute(insert(clients).values(id=other, name="other", created_at=NOON))
    mine = await store.endpoint()
    await store.endpoint(mode="test")
    await store.endpoint(enabled=False)
    await store.endpoint(deleted_at=NOON)
    await store.endpoint(client_id=other)

    assert await store.happens(3) == 3
    assert await store.due() == [mine]


async def test_an_event_of_no_message_passes_every_filter_of_channels(store: Store) -> None:
    await store.endpoint(channels=["fax"])
    await store.endpoint(channels=["fax"], events=["message.failed"])

    assert await store.happens() == 1


async def test_that_an_endpoint_fails_is_told_to_the_others(store: Store) -> None:
    failing, other = await store.endpoint(), await store.endpoint()

    assert await store.happens(1, "endpoint.failing", endpoint_id=shown(ENDPOINT, failing)) == 1
    assert await store.due() == [other]


async def test_nothing_is_written_where_nobody_wants_to_know(store: Store) -> None:
    assert await store.happens(5) == 0
    await store.endpoint(events=["message.failed"])
    assert await store.happens(5) == 0

    async with store.database.reading() as connection:
        assert (await connection.execute(select(webhook_deliveries))).all() == []


async def test_who_waits_longest_is_first_whatever_the_backlog_of_another(store: Store) -> None:
    crowded = await store.endpoint(events=["message.sent"])
    waiting = await store.endpoint(events=["message.failed"])
    await store.happens(1, "message.failed")
    await store.happens(200, "message.sent")
    await store.claim(waiting)

    assert await store.due() == [crowded]
    later = NOON + LEASE
    assert await store.due(now=later, limit=1) == [crowded]
    assert await store.due(crowded, now=later) == [waiting]


async def test_a_claim_is_a_lease_and_its_fence_ends_the_one_before(store: Store) -> None:
    endpoint_id = await store.endpoint()
    await store.happens(3)

    (first,) = await store.claim(endpoint_id, 1)
    others = await store.claim(endpoint_id)
    assert len(others) == 2
    assert await store.claim(endpoint_id) == []
    again = await store.claim(endpoint_id, now=NOON + LEASE)

    assert len(again) == 3
    assert {row["attempts"] for row in again} == {2}
    (second,) = [row for row in again if row["id"] == first["id"]]
    assert await store.end(first, "delivered") == "pending"
    assert await store.end(second, "delivered") == "delivered"
    assert await store.end(second, "failed") == "delivered"


async def test_what_waits_for_a_disabled_endpoint_rests_and_is_not_counted(store: Store) -> None:
    endpoint_id = await store.endpoint()
    await store.happens(2)
    async with store.database.transaction() as connection:
        assert await deliveries.pending(connection) == (2, NOON)
        await webhooks.change(connection, endpoint_id, NOON, enabled=False)
        assert await deliveries.pending(connection) == (0, None)

    assert await store.due() == []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 33])
async def test_the_place_of_a_time_in_a_feed_is_found_by_halving(store: Store, count: int) -> None:
    clock = store.world.clock
    owner = {"client_id": store.world.client_id, "mode": "live"}
    async with store.database.transaction() as connection:
        for place in range(count):
            await events.add(connection, store.ids, owner, "message.sent", clock.now(), {})
            await connection.execute(
                events_table.update()
                .where(events_table.c.position.is_(None))
                .values(position=place + 1)
            )
            clock.turn(minutes=1)
        began = clock.now() - timedelta(minutes=count)
        feed = (store.world.client_id, "live")
        found = [
            await deliveries.position_before(
                connection, feed, count, began + timedelta(minutes=place, seconds=-30)
            )
            for place in range(count + 1)
        ]

    assert found == list(range(count + 1))
