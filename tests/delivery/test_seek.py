"""A worker's look: one read finds whatever is due, and its lanes begin nothing in vain."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.delivery.gateway import Timing
from app.delivery.worker import ASKED, Worker
from app.domain.message import Channel
from app.domain.outcome import Accepted, Unclear
from app.domain.standing import Standing, State
from app.store import channels, looks
from app.store.database import Database
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio


async def due(world: World) -> set[str]:
    async with world.gateway.database.reading() as connection:
        return await looks.due(connection, world.clock.now())


async def test_nothing_is_due_of_an_empty_store(world: World) -> None:
    assert await due(world) == set()


async def test_a_message_is_due_on_its_channel_and_then_to_be_asked_about(world: World) -> None:
    await world.keep(sms())
    assert await due(world) == {"sms"}

    await world.submit(Channel.SMS, Accepted("guid"))
    assert await due(world) == set()

    world.clock.turn(minutes=5)
    assert await due(world) == {looks.TRACK}


async def test_what_is_uncertain_is_due_to_be_settled(world: World) -> None:
    await world.keep(sms())
    await world.submit(Channel.SMS, Unclear("no answer"))
    world.clock.turn(days=1)

    assert looks.RECONCILE in await due(world)


async def test_a_channel_that_is_out_of_order_is_due_to_be_probed(world: World) -> None:
    name = ("efidem", "sms")
    standing = Standing(state=State.OPEN, failures=3, probe_at=world.clock.now())
    async with world.gateway.database.transaction() as connection:
        await channels.standings(connection, [name], lock=True)
        await channels.write(connection, {name: standing}, world.clock.now())
    assert await due(world) == {looks.PROBE}

    world.clock.turn(seconds=-1)
    assert await due(world) == set()


class Counting:
    """A store that counts the transactions that are begun."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.begun = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def transaction(self, **options: Any) -> Any:
        self.begun += 1
        async with self._database.transaction(**options) as connection:
            yield connection


async def test_an_idle_worker_begins_few_transactions_and_finds_what_others_took_in(
    world: World,
) -> None:
    counting: Any = Counting(world.gateway.database)
    quick = Timing(idle=0.02, drain=5.0, pace=1.0, lease=timedelta(seconds=60))
    worker = Worker(replace(world.gateway, database=counting, timing=quick))
    working = asyncio.create_task(worker.run())
    await asyncio.sleep(0.5)
    before = counting.begun
    await asyncio.sleep(1.0)
    in_vain = counting.begun - before

    world.provider.outcomes.append(Accepted("guid"))
    message_id = await world.keep(sms())  # nobody wakes the worker
    async with asyncio.timeout(5):
        while (await world.row(message_id))["status"] != "submitted":
            await asyncio.sleep(0.01)
    worker.stop()
    async with asyncio.timeout(5):
        await working

    # About 50 looks, and a try of each lane after ten of them; each lane for itself: 400.
    assert in_vain < 100


async def test_who_asks_for_statuses_claims_many_together_and_waits_for_no_slow_one(
    world: World,
) -> None:
    worker = Worker(world.gateway)
    quick = {asyncio.create_task(asyncio.sleep(0.0005 * place)) for place in range(ASKED)}
    for one in quick:
        one.add_done_callback(quick.discard)
    assert await worker._free(quick) >= ASKED // 2

    slow = {asyncio.create_task(asyncio.sleep(60)) for _ in range(ASKED - 1)}
    async with asyncio.timeout(1):
        assert await worker._free(slow) == 1
    for one in slow:
        one.cancel()


async def test_who_waits_for_room_to_ask_claims_nothing_more_once_it_is_told_to_stop(
    world: World,
) -> None:
    await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))
    world.clock.turn(minutes=5)
    worker, answered = Worker(world.gateway), asyncio.Event()
    calls = worker._calls.setdefault("track_False", set())
    for _ in range(ASKED):
        worker._begin(calls, answered.wait())  # type: ignore[arg-type]
    tracking = asyncio.create_task(worker._track(twins=False))
    await asyncio.sleep(0.05)

    worker.stop()
    answered.set()
    async with asyncio.timeout(5):
        await tracking

    assert await due(world) == {looks.TRACK}
