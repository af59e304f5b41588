"""Outcomes are written together, and what cannot be written keeps nothing else from it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.delivery import submit
from app.delivery.conclude import Ended
from app.delivery.fault_points import FaultPoints, Point
from app.delivery.insist import MANY, Insisting
from app.domain.message import Channel
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio


async def ended(world: World, many: int) -> list[list[Ended]]:
    for _ in range(many):
        await world.keep(sms())
    held = await submit.claim(world.gateway, Channel.SMS, many)
    return [await submit.call(world.gateway, one) for one in held]


async def test_what_arrives_meanwhile_is_written_in_one_round(world: World) -> None:
    calls = await ended(world, 5)
    begun: list[asyncio.Task[None]] = []
    told: list[BaseException | None] = []
    insisting = Insisting(world.gateway, lambda one: begun.append(asyncio.create_task(one)))

    for call in calls:
        insisting.hand_over(call, told.append)
    await asyncio.gather(*begun)

    assert (len(begun), told) == (1, [None] * 5)
    for call in calls:
        row = await world.row(call[0].held.claim.message_id)
        assert row["status"] == "submitted"


async def test_one_call_that_cannot_be_written_fails_alone(world: World) -> None:
    calls = await ended(world, 3)
    nothing: Any = object()  # no outcome at all: a fault of ours
    calls[1] = [replace(one, outcome=nothing) for one in calls[1]]
    insisting = Insisting(world.gateway)

    found = await asyncio.gather(
        *(insisting.write_down(one) for one in calls), return_exceptions=True
    )

    assert [isinstance(one, BaseException) for one in found] == [False, True, False]
    statuses = [(await world.row(one[0].held.claim.message_id))["status"] for one in calls]
    assert statuses == ["submitted", "submitting", "submitted"]


class Slow(FaultPoints):
    """Lets nobody write down an answer before it is told to, and counts who would."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.rounds = 0

    async def reached(self, point: Point) -> None:
        if point is Point.ANSWERED:
            self.rounds += 1
            await self.free.wait()


async def test_where_many_wait_a_second_round_is_written_beside_the_first(world: World) -> None:
    calls = await ended(world, 2 * MANY + 1)
    slow = Slow()
    insisting = Insisting(replace(world.gateway, fault_points=slow))
    told: list[BaseException | None] = []

    async def rounds_with(some: list[list[Ended]]) -> int:
        for call in some:
            insisting.hand_over(call, told.append)
        await asyncio.sleep(0.05)
        return slow.rounds

    seen = [
        await rounds_with(some)
        for some in (calls[:1], calls[1:MANY], calls[MANY : MANY + 1], calls[MANY + 1 :])
    ]
    slow.free.set()
    while len(told) < len(calls):
        await asyncio.sleep(0.01)

    # SQLite has one writer: there a second round would only wait for it.
    assert seen == ([1, 1, 1, 1] if world.gateway.database.is_sqlite else [1, 1, 2, 2])
    assert told == [None] * len(calls)
    for call in calls:
        assert (await world.row(call[0].held.claim.message_id))["status"] == "submitted"


class Away(FaultPoints):
    """Has the store go away now and again, before or after what rounds write is committed."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 12  # faults

    async def reached(self, point: Point) -> None:
        if point in {Point.ANSWERED, Point.RECORDED} and self.left:
            await asyncio.sleep(0.002)
            self.left -= 1
            raise ConnectionError


async def test_rounds_beside_each_other_write_and_tell_each_outcome_once_however_often_they_fail(
    world: World,
) -> None:
    calls = await ended(world, 3 * MANY)
    soon = replace(world.gateway.timing, pace=0.01)
    insisting = Insisting(replace(world.gateway, fault_points=Away(), timing=soon))
    told: list[tuple[int, BaseException | None]] = []

    for place, call in enumerate(calls):
        insisting.hand_over(call, lambda fault, place=place: told.append((place, fault)))  # type: ignore[misc]
    async with asyncio.timeout(30):
        while insisting._writing:
            await asyncio.sleep(0.01)

    assert sorted(told) == [(place, None) for place in range(len(calls))]
    for call in calls:
        message_id = call[0].held.claim.message_id
        statuses = [one["status"] for one in await world.events(message_id)]
        assert statuses == ["queued", "submitting", "submitted"]
        (attempt,) = await world.attempts(message_id)
        assert (attempt["outcome"], attempt["late"]) == ("accepted", None)
