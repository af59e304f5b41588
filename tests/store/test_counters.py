"""What waits to be sent is counted by rows that are right after whatever happened."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.delivery import accept, limit, settle
from app.delivery.gather import Gathering
from app.delivery.worker import Worker
from app.domain.message import Channel
from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Outcome, Refused, Unclear
from app.domain.status import WAITING, Status
from app.store import counters, messages
from app.store.counters import Waiting
from app.store.database import Database, is_unavailable
from app.store.messages import Move
from app.store.tables import counters as table
from app.store.tables import messages as rows
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

REFUSED = Refused(Failure(type="permanent", reason="number_invalid", retryable=False))


async def waiting(world: World) -> Waiting:
    async with world.gateway.database.reading() as connection:
        return await counters.read(connection)


async def counted(world: World) -> tuple[int, int, int]:
    """Return what the counters say: messages, bytes, and messages of the one client."""
    found = await waiting(world)
    return found.messages, found.size, found.clients.get(world.client_id, 0)


async def drift(world: World) -> dict[str, int]:
    return await limit.recount(world.gateway.database)


async def size_of(world: World, *kept: object) -> int:
    return sum([(await world.row(one))["size"] for one in kept])  # type: ignore[arg-type]


async def test_an_accepted_message_counts_with_its_content_and_files(world: World) -> None:
    first, second = await world.keep(sms()), await world.keep(fax())

    size = await size_of(world, first, second)
    assert await counted(world) == (2, size, 2)
    assert size > len(b"Votre code : 1234") + 19
    assert await drift(world) == {}


async def test_a_message_that_is_scheduled_counts_from_the_start(world: World) -> None:
    await world.keep(sms(), send_at=world.clock.now() + timedelta(hours=1))

    assert (await counted(world))[0] == 1
    assert await drift(world) == {}


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (Accepted("id"), 0),
        (REFUSED, 0),
        (Unclear("timeout"), 0),
        (Deferred("connection refused"), 1),
        (Blocked("credentials", "-6"), 1),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_a_claim_takes_it_out_and_only_a_return_puts_it_back(
    world: World, outcome: Outcome, left: int
) -> None:
    message_id = await world.keep(sms())

    await world.submit(Channel.SMS, outcome)

    assert await counted(world) == (left, left * await size_of(world, message_id), left)
    assert (await waiting(world)).left == 1 - left
    assert await drift(world) == {}


@pytest.mark.parametrize("to", [Status.CANCELLED, Status.EXPIRED, Status.FAILED, Status.HELD])
async def test_what_ends_before_it_is_sent_waits_no_more(world: World, to: Status) -> None:
    message_id = await world.keep(sms())

    async with world.gateway.database.transaction() as connection:
        step = Move(message_id=message_id, to=to, at=world.clock.now(), source="client")
        # Only the first of two may move it.
        moved = await messages.move(connection, world.gateway.ids, [step, step])

    assert moved == [True, False]
    assert await counted(world) == (0, 0, 0)
    assert await drift(world) == {}


async def test_what_is_held_and_released_waits_again(world: World) -> None:
    message_id = await world.keep(sms())

    for to in (Status.HELD, Status.QUEUED):
        async with world.gateway.database.transaction() as connection:
            step = Move(message_id=message_id, to=to, at=world.clock.now(), source="operator")
            await messages.move(connection, world.gateway.ids, [step])

    assert (await counted(world))[0] == 1
    assert await drift(world) == {}


async def test_expiry_counts(world: World) -> None:
    for _ in range(3):
        await world.keep(sms(), expires_at=world.clock.now() + timedelta(minutes=1))
    world.clock.turn(hours=1)

    await settle.expire(world.gateway)

    assert await counted(world) == (0, 0, 0)
    assert (await waiting(world)).left == 3
    assert await drift(world) == {}


async def test_what_is_rolled_back_changes_no_counter(world: World) -> None:
    arrival = world.arrival(sms())
    await accept.accept(world.gateway, [arrival])

    with pytest.raises(IntegrityError):
        await accept.accept(world.gateway, [world.arrival(sms()), arrival])

    assert (await counted(world))[0] == 1
    # The connection that failed is used again, and remembers nothing.
    await world.keep(sms())
    assert (await counted(world))[0] == 2
    assert await drift(world) == {}


async def test_counters_that_are_off_are_mended(world: World) -> None:
    kept = [await world.keep(sms()), await world.keep(fax())]
    async with world.gateway.database.transaction() as connection:
        await connection.execute(update(table).values(value=table.c.value + 5))
        await connection.execute(insert(table).values(name="unsent:letter", value=7))
        # Written by an earlier version, without its size.
        await connection.execute(update(rows).where(rows.c.id == kept[0]).values(size=None))

    found = await drift(world)

    assert found["unsent:sms"] == -5
    assert found["unsent:letter"] == -7
    assert found[f"unsent_client:{world.client_id}"] == -5
    assert await counted(world) == (2, await size_of(world, kept[1]), 2)
    assert await drift(world) == {}


KINDS: tuple[Outcome, ...] = (Accepted("id"), REFUSED, Deferred("away"), Unclear("late"))


async def accept_many(world: World) -> int:
    gathering = Gathering(lambda items: accept.accept(world.gateway, items), is_unavailable)
    soon = world.clock.now() + timedelta(minutes=1)
    arrivals = [
        world.arrival(sms() if place % 3 else fax(), expires_at=soon if place % 5 else None)
        for place in range(12)
    ]
    await asyncio.gather(*(gathering.do(arrival) for arrival in arrivals))
    return len(arrivals)


async def send_some(world: World) -> int:
    for channel in (Channel.SMS, Channel.FAX):
        await world.submit(channel, *KINDS)
    return 0


async def cancel_and_recount(world: World) -> int:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(rows.select().where(rows.c.status.in_(WAITING)).limit(5))
        ids = [row["id"] for row in found.mappings()]
    async with world.gateway.database.transaction() as connection:
        steps = [
            Move(message_id=key, to=Status.CANCELLED, at=world.clock.now(), source="client")
            for key in reversed(ids)
        ]
        await messages.move(connection, world.gateway.ids, steps)
    await limit.recount(world.gateway.database)
    return 0


async def test_under_load_from_several_processes_nothing_deadlocks_and_nothing_is_lost(
    world: World, database_url: str
) -> None:
    """Accept, claim, write down, cancel and recount at once, each process with its own pool."""
    others = [World(Database(database_url), seed=number) for number in range(4)]
    for other in others:
        other.client_id = world.client_id
    loop = asyncio.get_running_loop()
    ends = loop.time() + 4

    async def again(step: Callable[[World], Awaitable[int]], one: World) -> int:
        done = 0
        while loop.time() < ends:
            try:
                done += await step(one)
            except OperationalError as fault:
                # On a machine that stood still, somebody waited for a lock for too long.
                if not isinstance(fault.orig, LockNotAvailable):
                    raise
        return done

    accepted = await asyncio.gather(
        *(again(step, one) for one in others[:3] for step in (accept_many, send_some)),
        again(cancel_and_recount, others[3]),
    )
    for other in others:
        await other.gateway.database.close()

    assert sum(accepted) > 100
    assert await drift(world) == {}


async def test_a_worker_that_starts_mends_the_counters(world: World) -> None:
    async with world.gateway.database.transaction() as connection:
        await connection.execute(insert(table).values(name="unsent:letter", value=49_999))
    worker = Worker(world.gateway)

    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(10):
        while (await waiting(world)).messages:
            await asyncio.sleep(0.02)
    worker.stop()
    await running
