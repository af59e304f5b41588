"""How much a worker holds at once: claimed ahead, called for, and answered but not written down."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from app.delivery.dispatch import UNWRITTEN, Dispatching
from app.delivery.insist import Begin, Insisting
from app.domain.message import Channel, Submission
from app.domain.outcome import Accepted, Outcome, Unclear
from app.store.tables import messages
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio

MOST = 4


class Calls:
    """Stands where Efidem stands, and counts what is under way."""

    def __init__(self, real: Any, seconds: float) -> None:
        self._real = real
        self._seconds = seconds
        self.now = self.most = self.ever = 0
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def submit(self, submission: Submission[Any]) -> Outcome:
        self.now += 1
        self.ever += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self._seconds)
        self.now -= 1
        if self.is_away:
            return Unclear("TimeoutError")
        return Accepted(submission.message_id.hex)


class Held:
    """Writes nothing down until it is told to."""

    def __init__(self, real: Insisting, begin: Begin) -> None:
        self._real = real
        self._begin = begin
        self.free = asyncio.Event()
        self.waiting = self.most = 0

    async def write_down(self, ended: Any) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.free.wait()
        self.waiting -= 1
        await self._real.write_down(ended)

    def hand_over(self, ended: Any, told: Any) -> None:
        async def hand_on() -> None:
            await self.write_down(ended)
            told(None)

        self._begin(hand_on())


class Run:
    """A lane at work."""

    def __init__(self, world: World, seconds: float) -> None:
        gateway = world.gateway
        name = gateway.routes[Channel.SMS]
        self.calls = Calls(gateway.providers[name], seconds)
        providers = {**gateway.providers, name: self.calls}
        self.gateway = replace(gateway, providers=providers, concurrency={name: MOST})
        self.held = Held(Insisting(self.gateway, self._begin), self._begin)
        self.tasks: set[asyncio.Task[None]] = set()
        insisting: Any = self.held
        self.lane = Dispatching(self.gateway, Channel.SMS, insisting, self._begin, twins=False)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def steps(self, seconds: float) -> None:
        is_over = False

        async def go_on() -> None:
            while not is_over:
                await self.lane.step(0.01)

        going = asyncio.create_task(go_on())
        await asyncio.wait([going], timeout=seconds)
        is_over = True
        # A claim that is under way is handed over; who waits for room waits for ever.
        for _ in range(100):
            await asyncio.wait([going], timeout=0.3)
            if going.done() or not self.lane._room.is_set():
                break
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)

    async def over(self) -> None:
        while self.tasks:
            await asyncio.gather(*self.tasks)

    async def by_status(self) -> dict[str, int]:
        async with self.gateway.database.reading() as connection:
            found = await connection.execute(
                select(messages.c.status, func.count()).group_by(messages.c.status)
            )
            return {row[0]: row[1] for row in found}


async def test_what_was_claimed_and_is_not_written_down_is_bounded(world: World) -> None:
    for _ in range(30):
        await world.keep(sms())
    run = Run(world, 0.01)

    await run.steps(1.0)  # nothing is written down meanwhile, as with the store away
    stuck = await run.by_status()

    assert run.calls.most <= MOST
    assert run.held.most <= 2 * MOST
    assert stuck["submitting"] <= 2 * MOST + MOST // 2
    assert stuck["queued"] == 30 - stuck["submitting"]

    run.held.free.set()
    async with asyncio.timeout(30):
        while (await run.by_status()).get("queued"):
            await run.steps(0.2)
    await run.over()
    assert await run.by_status() == {"submitted": 30}
    assert run.calls.ever == 30


async def test_it_is_bounded_where_much_was_claimed_ahead(world: World) -> None:
    for _ in range(400):
        await world.keep(sms())
    run = Run(world, 0.0)
    run.held.free.set()
    while run.lane._ahead <= MOST:
        await run.steps(0.02)
    passed = run.calls.ever
    run.held.free.clear()

    await run.steps(0.5)

    assert 0 < run.calls.ever - passed <= UNWRITTEN * MOST
    assert (await run.by_status())["submitting"] <= UNWRITTEN * MOST
    run.held.free.set()
    await run.over()


async def test_a_slow_provider_has_nothing_claimed_ahead(world: World) -> None:
    for _ in range(10):
        await world.keep(sms())
    run = Run(world, 3.0)
    run.held.free.set()

    await run.steps(0.5)

    assert await run.by_status() == {"submitting": MOST, "queued": 10 - MOST}
    await run.over()


async def test_a_place_is_free_when_its_call_is_over_not_when_that_is_written_down(
    world: World,
) -> None:
    for _ in range(2 * MOST):
        await world.keep(sms())
    run = Run(world, 0.05)

    await run.steps(1.0)

    assert run.calls.ever == 2 * MOST
    assert run.held.waiting == 2 * MOST
    run.held.free.set()
    await run.over()


async def test_nothing_is_claimed_after_the_end(world: World) -> None:
    await world.keep(sms())
    run = Run(world, 0.0)

    run.lane.end()
    await run.lane.step(0.01)

    assert await run.by_status() == {"queued": 1}


async def test_a_call_without_an_answer_lets_no_other_begin_before_it_is_written_down(
    world: World,
) -> None:
    for _ in range(10 * MOST):
        await world.keep(sms())
    run = Run(world, 0.05)
    run.calls.is_away = True

    await run.steps(0.5)
    assert run.calls.ever == MOST

    run.held.free.set()
    await run.steps(1.0)
    await run.over()
    found = await run.by_status()
    assert run.calls.ever == found["uncertain"] <= 2 * MOST
    assert found["queued"] == 10 * MOST - found["uncertain"]


async def test_what_was_claimed_ahead_goes_back_when_the_provider_is_away(world: World) -> None:
    for _ in range(20 * MOST):
        await world.keep(sms())
    run = Run(world, 0.01)
    run.held.free.set()
    await run.steps(0.2)

    run.calls.is_away = True
    before = run.calls.ever
    await run.steps(1.0)
    await run.over()

    found = await run.by_status()
    assert run.calls.ever - before <= 2 * MOST
    assert "submitting" not in found
    assert sum(found.values()) == 20 * MOST
