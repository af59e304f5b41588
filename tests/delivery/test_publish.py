"""The feed: each event gets its position once, in order, however many publish and write at once."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import RowMapping, insert, select, text

from app.delivery import publish
from app.delivery.accept import accept
from app.domain.identifiers import Identifiers
from app.domain.message import Channel, Message, Mode
from app.domain.outcome import Accepted
from app.domain.status import Status
from app.store import feed, messages, migrate, positions
from app.store.database import Database
from app.store.events import event_row
from app.store.messages import Move, move
from app.store.tables import clients, events, feeds
from tests.gateways import World, sms
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio


@pytest.fixture
async def on_postgres(postgres: Postgres) -> Any:
    """Return a world where several transactions can be open at once."""
    database = Database(postgres.create(f"feed_{uuid4().hex}"), pool=20)
    await migrate.upgrade(database)
    made = World(database)
    await made.open()
    yield made
    await database.close()


async def published(world: World, mode: str = "live") -> Sequence[RowMapping]:
    """Return a client's feed."""
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(
            select(events)
            .where(events.c.client_id == world.client_id, events.c.mode == mode)
            .where(events.c.position.is_not(None))
            .order_by(events.c.position)
        )
        return found.mappings().all()


async def end(world: World, mode: str = "live") -> int:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(
            select(feeds.c.position).where(
                feeds.c.client_id == world.client_id, feeds.c.mode == mode
            )
        )
        return found.scalar_one_or_none() or 0


def row(world: World, mode: Mode = Mode.LIVE) -> dict[str, Any]:
    return messages.row_of(
        Message(
            id=world.gateway.ids.new(),
            client_id=world.client_id,
            mode=mode,
            content=sms(),
            provider="efidem",
            created_at=world.clock.now(),
        )
    )


def check(rows: Sequence[RowMapping]) -> None:
    """Check that positions have no gap, and each message's events their order."""
    assert [one["position"] for one in rows] == list(range(1, len(rows) + 1))
    by_message = defaultdict(list)
    for one in rows:
        by_message[one["message_id"]].append(one["sequence"])
    for sequences in by_message.values():
        assert sequences == list(range(1, len(sequences) + 1))


async def test_events_get_positions_in_the_order_in_which_they_happened(world: World) -> None:
    first = await world.keep(sms())
    second = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("id-1"))

    assert await published(world) == []
    assert await publish.publish(world.gateway) is False

    rows = await published(world)
    check(rows)
    assert [one["message_id"] for one in rows[:2]] == [first, second]
    assert len(rows) == 6
    assert await end(world) == 6


async def test_what_is_published_stays_where_it_is(world: World) -> None:
    await world.keep(sms())
    await publish.publish(world.gateway)
    before = await published(world)

    await publish.publish(world.gateway)
    await world.keep(sms())
    await publish.publish(world.gateway)

    after = await published(world)
    assert after[: len(before)] == before
    check(after)


async def test_each_client_and_mode_has_a_feed_of_its_own(world: World) -> None:
    other = World(world.gateway.database)
    other.client_id = uuid4()
    async with world.gateway.database.transaction() as connection:
        await connection.execute(
            insert(clients).values(id=other.client_id, name="other", created_at=world.clock.now())
        )
        rows = [row(world), row(world, Mode.TEST), row(world, Mode.TEAM), row(world)]
        rows += [{**row(world), "client_id": other.client_id}]
        await messages.add(connection, world.gateway.ids, rows)

    await publish.publish(world.gateway)

    ends = [await end(world, mode) for mode in ("live", "test", "team")]
    assert (ends, await end(other)) == ([2, 1, 1], 1)


async def test_a_share_is_taken_and_more_is_known_to_wait(world: World) -> None:
    most = publish.MOST * 2 + 1
    async with world.gateway.database.transaction() as connection:
        await messages.add(connection, world.gateway.ids, [row(world) for _ in range(most)])

    rounds = []
    while not rounds or rounds[-1]:
        rounds.append(await publish.publish(world.gateway))

    assert rounds == [True, True, False]
    check(await published(world))
    assert await end(world) == most


@pytest.mark.parametrize(("each", "least", "most"), [(0.01, 0.01, 0.5), (3600, 1.0, 1.0)])
async def test_where_more_is_known_to_wait_it_rests_for_as_long_as_it_worked_but_a_second_at_most(
    world: World, each: float, least: float, most: float
) -> None:
    async with world.gateway.database.transaction() as connection:
        rows = [row(world) for _ in range(publish.MOST + 1)]
        await messages.add(connection, world.gateway.ids, rows)
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    seconds = count(1)
    gateway = replace(
        world.gateway,
        now=lambda: world.clock.now() + timedelta(seconds=each * next(seconds)),
        random=lambda: 0.5,
    )
    publishing = publish.Publishing(gateway, rest)
    await publishing.step()
    await publishing.step()

    assert least <= rests[0] <= most
    assert rests[1:] == [publish.IDLE]
    assert await end(world) == publish.MOST + 1


async def happens(world: World, *, late: timedelta = timedelta()) -> None:
    """Have something happen whose identifier is so much older than its commit."""
    ids = Identifiers(lambda: world.clock.now() - late, random.Random(uuid4().int).randbytes)
    of = {"id": None, "client_id": world.client_id, "mode": "live"}
    about = {"at": world.clock.now(), "source": "worker", "type": "endpoint.failing"}
    async with world.gateway.database.transaction() as connection:
        row_ = event_row(ids, of, 1, None, "", **about)
        await connection.execute(insert(events).values({**row_, "status": None}))


async def rests(_seconds: float) -> None:
    """Rest no time at all."""


async def test_what_is_committed_late_is_published_however_much_else_happens(world: World) -> None:
    publishing = publish.Publishing(world.gateway, rests)
    await happens(world)
    await publishing.step()
    await happens(world, late=timedelta(minutes=1))

    for before in range(1, 7):
        await happens(world)
        await publishing.step()
        if not world.gateway.database.is_sqlite and before < publish.WHOLE.seconds:
            # It begins where the last look ended: that is what it is for.
            assert len(await published(world)) == 1 + before
        world.clock.turn(seconds=1)

    assert len(await published(world)) == 8


async def test_what_is_committed_late_is_published_where_nothing_else_happens(
    world: World,
) -> None:
    publishing = publish.Publishing(world.gateway, rests)
    await happens(world)
    await publishing.step()
    await happens(world, late=timedelta(minutes=1))

    await publishing.step()
    await publishing.step()

    assert len(await published(world)) == 2


async def test_what_is_committed_a_little_late_is_published_at_once(world: World) -> None:
    publishing = publish.Publishing(world.gateway, rests)
    for late in (0.0, 0.9, 1.8):  # each less than a second older than the last one
        await happens(world, late=timedelta(seconds=late))
        await publishing.step()

    assert len(await published(world)) == 3


async def test_a_look_leaves_nothing_of_any_feed(world: World) -> None:
    publishing = publish.Publishing(world.gateway, rests)
    other = World(world.gateway.database)
    other.client_id = UUID(int=77)
    other.clock = world.clock
    async with world.gateway.database.transaction() as connection:
        about = {"id": other.client_id, "name": "other", "created_at": world.clock.now()}
        await connection.execute(insert(clients).values(about))
        rows = [row(other) for _ in range(publish.MOST + 5)]
        await messages.add(connection, world.gateway.ids, rows)
    world.clock.turn(seconds=30)
    await happens(world)

    # Half a share of each: one feed comes to its end, the other is left with what is older.
    for _ in range(3):
        await publishing.step()
        world.clock.turn(seconds=0.1)
        await happens(world)

    assert await end(other) == publish.MOST + 5


async def test_a_clock_that_is_behind_does_not_turn_a_messages_events_round(world: World) -> None:
    message_id = await world.keep(sms())
    behind = Identifiers(
        lambda: world.clock.now() - timedelta(minutes=5), random.Random(1).randbytes
    )
    step = Move(message_id=message_id, to=Status.HELD, at=world.clock.now(), source="worker")
    async with world.gateway.database.transaction() as connection:
        await move(connection, behind, [step])

    # The later event alone has the older identifier: a batch of one must not begin with it.
    async with world.gateway.database.transaction() as connection:
        of = (world.client_id, "live")
        held = await feed.hold(connection, [of])
        await positions.give(connection, of, held[of], 1)

    assert [one["type"] for one in await published(world)] == ["message.queued", "message.held"]
    check(await published(world))


async def test_an_event_without_a_message_has_its_place_too(world: World) -> None:
    await world.keep(sms())
    of = {"id": None, "client_id": world.client_id, "mode": "live"}
    async with world.gateway.database.transaction() as connection:
        about = {"at": world.clock.now(), "source": "worker", "type": "endpoint.failing"}
        for _ in range(2):
            row_ = event_row(world.gateway.ids, of, 1, None, "", **about)
            await connection.execute(insert(events).values({**row_, "status": None}))

    await publish.publish(world.gateway)

    found = [(one["position"], one["type"]) for one in await published(world)]
    assert found == [(1, "message.queued"), (2, "endpoint.failing"), (3, "endpoint.failing")]


async def test_a_late_commit_gets_a_later_position_and_is_not_passed_over(
    on_postgres: World,
) -> None:
    world = on_postgres
    database = world.gateway.database
    async with database.transaction() as slow:
        # Its identifiers are the oldest; nobody can see them yet.
        await messages.add(slow, world.gateway.ids, [row(world) for _ in range(3)])
        await world.keep(sms())
        await publish.publish(world.gateway)
        seen = await end(world)
        read = await published(world)
    await publish.publish(world.gateway)

    assert seen == 1
    rows = await published(world)
    assert rows[:1] == read
    assert [one["position"] for one in rows] == [1, 2, 3, 4]
    assert max(one["id"] for one in rows[1:]) < rows[0]["id"]


async def test_whoever_publishes_waits_for_nobody_who_does(on_postgres: World) -> None:
    world = on_postgres
    await world.keep(sms())
    await publish.publish(world.gateway)
    await world.keep(sms())

    of = (world.client_id, "live")
    async with world.gateway.database.transaction() as connection:
        await feed.hold(connection, [of])
        async with asyncio.timeout(2):
            assert await publish.publish(world.gateway) is False
            (standing,) = await publish.look(world.gateway, [of])
    assert (standing.position, standing.waits) == (1, True)
    (standing,) = await publish.look(world.gateway, [of])
    assert (standing.position, standing.waits) == (2, False)


async def test_many_writers_and_publishers_leave_no_gap_and_skip_nothing(
    on_postgres: World,
) -> None:
    """Writers keep transactions open for a while, and commit in another order than they began."""
    world = on_postgres
    database, draw = world.gateway.database, random.Random(11)
    of = (world.client_id, "live")
    written: set[UUID] = set()
    done = asyncio.Event()

    async def write(times: int) -> None:
        for _ in range(times):
            rows = [row(world) for _ in range(draw.randint(1, 4))]
            async with database.transaction() as connection:
                await messages.add(connection, world.gateway.ids, rows)
                await asyncio.sleep(draw.random() * 0.03)
            written.update(one["id"] for one in rows)
            steps = [
                Move(message_id=one["id"], to=Status.HELD, at=world.clock.now(), source="worker")
                for one in rows
            ]
            async with database.transaction() as connection:
                await move(connection, world.gateway.ids, steps)
                await asyncio.sleep(draw.random() * 0.02)

    async def publishing() -> None:
        while not done.is_set():
            await publish.publish(world.gateway)
            await asyncio.sleep(draw.random() * 0.005)

    async def reading() -> list[tuple[int, UUID, int]]:
        """Read along as a consumer does: only ever what follows the last position seen."""
        seen: list[tuple[int, UUID, int]] = []
        last_round = False
        while True:
            after = seen[-1][0] if seen else 0
            (standing,) = await publish.look(world.gateway, [of])
            async with database.reading() as connection:
                page = await feed.page(
                    connection, of, after=after, until=standing.position, limit=50
                )
            seen += [(one["position"], one["message_id"], one["sequence"]) for one, _ in page]
            if last_round and not page and not standing.waits:
                return seen
            last_round = done.is_set()
            await asyncio.sleep(draw.random() * 0.005)

    readers = [asyncio.create_task(reading()) for _ in range(3)]
    publishers = [asyncio.create_task(publishing()) for _ in range(3)]
    await asyncio.gather(*(write(15) for _ in range(8)))
    done.set()
    await asyncio.gather(*publishers)
    seen = await asyncio.gather(*readers)

    check(await published(world))
    assert seen[0] == seen[1] == seen[2]
    assert [one[0] for one in seen[0]] == list(range(1, 2 * len(written) + 1))
    assert {one[1] for one in seen[0]} == written


async def test_the_accept_path_gives_no_positions(world: World) -> None:
    await accept(world.gateway, [world.arrival(sms())])

    async with world.gateway.database.reading() as connection:
        found = await connection.execute(text("SELECT COUNT(*) FROM feeds"))
        assert found.scalar_one() == 0
