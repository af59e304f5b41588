"""What is taken in has limits: said before it is kept, with a time to come again."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from app.delivery import accept
from app.delivery.accept import Arrival
from app.delivery.limit import AHEAD, FRESH, Limiter
from app.delivery.settings import Limits
from app.domain.errors import Fault, QueueFull, QuotaExceeded, StorageLow
from app.domain.message import Channel
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio

LIMITS = Limits(messages=10, size=1_000_000, client=100)


class Timer:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def limiter(world: World, timer: Timer, *, free: int = 0, **changes: object) -> Limiter:
    return Limiter(
        world.gateway.database,
        replace(LIMITS, **changes),  # type: ignore[arg-type]
        lambda: 0.5,  # no jitter
        free=lambda _: free,
        clock=timer,
    )


def batch(world: World, count: int, purpose: str = "otp") -> Arrival:
    """Return an arrival of several messages."""
    one = world.arrival(sms())
    rows = [
        {**world.arrival(sms()).messages[0], "purpose": purpose, "batch_id": one.object_id}
        for _ in range(count)
    ]
    return replace(one, messages=rows)


async def take(world: World, by: Limiter, arrival: Arrival) -> None:
    await by.admit(arrival)
    await accept.accept(world.gateway, [arrival])


async def refused(by: Limiter, arrival: Arrival, kind: type[Fault]) -> int:
    with pytest.raises(kind) as caught:
        await by.admit(arrival)
    assert caught.value.retry_after is not None
    return caught.value.retry_after


async def test_a_full_queue_takes_no_more_until_something_left(world: World) -> None:
    timer = Timer()
    by = limiter(world, timer)
    for _ in range(10):
        await take(world, by, batch(world, 1))

    assert await refused(by, batch(world, 1), QueueFull) == 30
    timer.time += FRESH
    assert await refused(by, batch(world, 1), QueueFull) == 30
    await world.submit(Channel.SMS)
    timer.time += FRESH
    await take(world, by, batch(world, 1))


async def test_another_process_sees_what_was_taken_in(world: World) -> None:
    for _ in range(10):
        await world.keep(sms())

    await refused(limiter(world, Timer()), batch(world, 1), QueueFull)


async def test_a_batch_counts_with_its_size_and_is_taken_whole_or_not(world: World) -> None:
    by = limiter(world, Timer())

    await refused(by, batch(world, 11), QueueFull)
    await take(world, by, batch(world, 7))
    await refused(by, batch(world, 4), QueueFull)
    await take(world, by, batch(world, 3))


@pytest.mark.parametrize(
    ("purpose", "most"), [("marketing", 8), ("legal", 8), ("otp", 10), ("transactional", 10)]
)
async def test_a_fifth_of_the_room_is_for_what_cannot_wait(
    world: World, purpose: str, most: int
) -> None:
    by = limiter(world, Timer())

    await by.admit(batch(world, most, purpose))
    await refused(by, batch(world, 1, purpose), QueueFull)


async def test_one_message_that_can_wait_makes_its_batch_wait(world: World) -> None:
    by = limiter(world, Timer())
    await by.admit(batch(world, 8))
    mixed = batch(world, 2)
    mixed.messages[0]["purpose"] = "marketing"  # type: ignore[index]

    await refused(by, mixed, QueueFull)


async def test_bytes_count_like_messages(world: World) -> None:
    size = batch(world, 1).messages[0]["size"]
    by = limiter(world, Timer(), size=4 * size)

    await take(world, by, batch(world, 4))
    await refused(by, batch(world, 1), QueueFull)


async def test_a_client_has_a_share_of_its_own(world: World) -> None:
    by = limiter(world, Timer(), client=3)
    of_another = batch(world, 1)
    of_another.messages[0]["client_id"] = world.gateway.ids.new()  # type: ignore[index]

    await take(world, by, batch(world, 3))

    await refused(by, batch(world, 1), QuotaExceeded)
    await by.admit(of_another)


async def test_what_waits_for_simulators_leaves_room_for_what_is_live(world: World) -> None:
    by = limiter(world, Timer())
    test = batch(world, 1)
    test = replace(test, messages=[{**row, "mode": "test"} for row in test.messages])
    for _ in range(5):
        await by.admit(test)

    await refused(by, test, QueueFull)

    await by.admit(batch(world, 5))


async def test_a_clients_tests_leave_room_for_what_it_sends_live(world: World) -> None:
    by = limiter(world, Timer(), client=6)
    test = batch(world, 1)
    test = replace(test, messages=[{**row, "mode": "test"} for row in test.messages])
    for _ in range(3):
        await by.admit(test)

    await refused(by, test, QuotaExceeded)

    await by.admit(batch(world, 3))


async def test_who_is_refused_comes_again_when_the_queue_will_have_room(world: World) -> None:
    timer = Timer()
    by = limiter(world, timer, client=1000)
    await take(world, by, batch(world, 10))
    timer.time += 60
    await world.submit(Channel.SMS)  # ten a minute
    await take(world, by, batch(world, 10))

    assert await refused(by, batch(world, 2), QueueFull) == 12
    assert await refused(by, batch(world, 200), QueueFull) == 600
    timer.time += 1000
    # Nothing has left for so long that nobody knows.
    assert await refused(by, batch(world, 2), QueueFull) == 30


async def test_many_who_are_refused_do_not_come_again_at_once(world: World) -> None:
    chances = iter((0.0, 1.0))
    by = Limiter(world.gateway.database, LIMITS, lambda: next(chances))

    assert [await refused(by, batch(world, 11), QueueFull) for _ in range(2)] == [24, 36]


async def test_a_disk_with_little_room_takes_nothing_but_is_looked_at_again(world: World) -> None:
    timer, free = Timer(), {"bytes": 100}
    looks = []

    def look(folder: Path) -> int:
        looks.append(folder)
        return free["bytes"]

    limits = replace(LIMITS, disk=101, folder=Path("/store"))
    by = Limiter(world.gateway.database, limits, lambda: 0.5, free=look, clock=timer)

    for _ in range(3):
        await refused(by, replace(batch(world, 1), messages=()), StorageLow)
    assert looks == [Path("/store")]
    free["bytes"] = 101
    await refused(by, batch(world, 1), StorageLow)
    timer.time += FRESH
    await take(world, by, batch(world, 1))


def has_room(world: World, by: Limiter) -> bool:
    return by.has_room(world.client_id, "live", "otp", 1)


async def test_what_waits_is_read_again_before_the_last_reading_ends(world: World) -> None:
    timer = Timer()
    by = limiter(world, timer, messages=2)
    assert not has_room(world, by)
    await take(world, by, batch(world, 1))
    await world.keep(sms())  # as another process does
    timer.time += AHEAD
    assert has_room(world, by)  # as far as is known

    async with asyncio.timeout(5):
        while has_room(world, by):
            await asyncio.sleep(0.01)
    await world.submit(Channel.SMS)
    timer.time += AHEAD
    assert not has_room(world, by)
    async with asyncio.timeout(5):
        while not has_room(world, by):
            await asyncio.sleep(0.01)


async def test_a_reading_ahead_that_fails_is_nobodys_until_the_last_one_ends(world: World) -> None:
    timer, closed = Timer(), []

    class Away:
        def reading(self) -> None:
            closed.append(timer.time)
            raise ConnectionError

    by = limiter(world, timer)
    await by.look(batch(world, 1).messages)
    by._database = Away()  # type: ignore[assignment]
    timer.time += AHEAD
    assert has_room(world, by)
    async with asyncio.timeout(5):
        while not closed or by._ahead is not None:
            await asyncio.sleep(0.01)
    timer.time += FRESH - AHEAD
    assert not has_room(world, by)
    with pytest.raises(ConnectionError):
        await by.admit(batch(world, 1))
