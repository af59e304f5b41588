"""Long work on the event loop lets the others have all the rounds of it that they need."""

import asyncio

import pytest

from app.api.slices import COMMIT, LONGEST, TURN, Slices

pytestmark = pytest.mark.anyio


class Clock:
    """Processor time that is spent by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def request(clock: Clock, told: list[float], steps: int = 3) -> None:
    """Work as a request does: between its steps is a round in which hardly anything is done."""
    for _ in range(steps):
        clock.now += 0.0001
        told.append(clock.now)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_request_is_done_before_the_work_goes_on() -> None:
    clock, told = Clock(), list[float]()
    slices = Slices(clock)
    clock.now = LONGEST
    asking = asyncio.create_task(request(clock, told))

    await slices.pause()

    assert len(told) == 3
    await asking


async def test_work_that_is_short_goes_on_at_once() -> None:
    clock, told = Clock(), list[float]()
    slices = Slices(clock)
    clock.now = LONGEST / 2
    asking = asyncio.create_task(request(clock, told))

    await slices.pause()

    assert told == []
    await asking


async def test_the_work_goes_on_though_the_others_never_end() -> None:
    clock, told = Clock(), list[float]()
    slices = Slices(clock)
    clock.now = LONGEST
    asking = asyncio.create_task(request(clock, told, steps=200))

    await slices.pause()

    assert clock.now - LONGEST == pytest.approx(TURN, rel=0.05)
    assert not asking.done()
    await asking


async def test_the_work_goes_on_when_the_store_has_answered_the_others() -> None:
    clock, told, asked = Clock(), list[float](), list[float]()
    answered = asyncio.Event()

    async def asking() -> None:
        clock.now += 0.0001
        await answered.wait()
        clock.now += 0.0001
        told.append(clock.now)

    async def rested(seconds: float) -> None:
        asked.append(seconds)
        answered.set()

    slices = Slices(clock, rested)
    clock.now = LONGEST
    one = asyncio.create_task(asking())

    await slices.pause()

    assert (len(told), asked) == (1, [COMMIT])
    await one
