"""Time that is bounded with one timer for all ends as `asyncio.timeout` ends it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from app.providers.patience import Patience

pytestmark = pytest.mark.anyio

Bound = Callable[[], AbstractContextManager[None]]


async def run(bounded: Bound, seconds: float, times: int = 1) -> str:
    """What becomes of something that takes so long."""
    try:
        with bounded():
            for _ in range(times):
                await asyncio.sleep(seconds)
    except TimeoutError:
        return "too long"
    except asyncio.CancelledError:
        return "cancelled"
    return "done"


async def test_what_takes_too_long_is_ended_and_nothing_else() -> None:
    patience = Patience(0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()

    found = await asyncio.gather(*(run(patience.bounded, one) for one in (5.0, 0.01, 5.0, 0.0)))

    assert found == ["too long", "done", "too long", "done"]
    assert 0.15 < loop.time() - began < 5.0


async def test_each_has_its_own_time() -> None:
    patience = Patience(0.3)
    loop = asyncio.get_running_loop()
    ended: list[tuple[int, float]] = []

    async def one(number: int) -> None:
        await asyncio.sleep(0.1 * number)
        began = loop.time()
        assert await run(patience.bounded, 5.0) == "too long"
        ended.append((number, loop.time() - began))

    await asyncio.gather(*map(one, range(4)))

    assert [number for number, _ in ended] == [0, 1, 2, 3]
    assert all(0.25 < seconds < 5.0 for _, seconds in ended)


async def test_what_ends_in_time_leaves_the_next_its_whole_time() -> None:
    patience = Patience(1.0)

    found = [await run(patience.bounded, 0.6) for _ in range(2)]

    assert found == ["done"] * 2


async def test_being_cancelled_is_not_being_too_late() -> None:
    patience = Patience(5.0)
    task = asyncio.create_task(run(patience.bounded, 5.0))
    await asyncio.sleep(0.05)

    task.cancel()

    assert await task == "cancelled"


async def test_what_is_cancelled_while_its_time_ends_stays_cancelled() -> None:
    bounded = Patience(5.0).bounded()

    async def work() -> None:
        with bounded:
            await asyncio.sleep(5.0)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    bounded.give_up()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_a_fault_within_goes_on_as_it_is() -> None:
    patience = Patience(5.0)

    with pytest.raises(LookupError), patience.bounded():
        raise LookupError

    assert not patience._begun


async def test_time_bounded_within_other_time_ends_as_the_inner_or_the_outer() -> None:
    long, short = Patience(5.0), Patience(0.05)

    with pytest.raises(TimeoutError), long.bounded(), short.bounded():
        await asyncio.sleep(5.0)
    with pytest.raises(TimeoutError), short.bounded(), long.bounded():
        await asyncio.sleep(5.0)

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
