import asyncio
from collections.abc import Sequence

import pytest

from app.delivery.gather import LARGEST_ROUND, Gathering

pytestmark = pytest.mark.anyio


class Rounds:
    """Squares numbers, and remembers which came together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.away = False

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.sizes.append(len(numbers))
        await asyncio.sleep(0.005)
        if self.away:
            raise ConnectionError
        if 13 in numbers:
            raise ValueError
        return [number * number for number in numbers]


def hopeless(fault: BaseException) -> bool:
    return isinstance(fault, ConnectionError)


async def test_what_arrives_during_a_round_is_done_by_the_next() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds, hopeless)

    first = asyncio.create_task(gathering.do(1))
    await asyncio.sleep(0)
    rest = await asyncio.gather(*(gathering.do(number) for number in range(2, 12)))

    assert await first == 1
    assert rest == [number * number for number in range(2, 12)]
    assert len(rounds.sizes) <= 2


async def test_a_round_is_bounded() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds, hopeless)

    await asyncio.gather(*(gathering.do(0) for _ in range(2 * LARGEST_ROUND + 5)))

    assert max(rounds.sizes) == LARGEST_ROUND


async def test_a_bad_item_fails_alone() -> None:
    gathering = Gathering(Rounds(), hopeless)

    results = await asyncio.gather(
        *(gathering.do(number) for number in (2, 13, 3)), return_exceptions=True
    )

    assert results[0] == 4
    assert isinstance(results[1], ValueError)
    assert results[2] == 9


async def test_a_hopeless_fault_is_everybodys_at_once() -> None:
    rounds = Rounds()
    rounds.away = True
    gathering = Gathering(rounds, hopeless)

    results = await asyncio.gather(
        *(gathering.do(number) for number in range(5)), return_exceptions=True
    )

    assert {type(result) for result in results} == {ConnectionError}
    assert rounds.sizes == [5]
    rounds.away = False
    assert await gathering.do(3) == 9


async def test_a_caller_that_leaves_does_not_stop_the_round() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds, hopeless)

    leaving = asyncio.create_task(gathering.do(1))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await gathering.do(2) == 4


async def test_two_rounds_may_run_at_a_time_and_not_three() -> None:
    running = most = 0
    sizes: list[int] = []

    async def count(numbers: Sequence[int]) -> Sequence[int]:
        nonlocal running, most
        running, sizes[len(sizes) :] = running + 1, [len(numbers)]
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1
        if 13 in numbers:
            raise ValueError
        return numbers

    gathering = Gathering(count, hopeless, rounds=2)
    waiting = []
    for number in range(10, 16):
        waiting.append(asyncio.create_task(gathering.do(number)))
        await asyncio.sleep(0.001)

    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert [isinstance(one, ValueError) for one in results] == [n == 13 for n in range(10, 16)]
    assert most == 2
    assert 0 not in sizes


async def test_half_of_many_are_done_while_the_others_are_answered_and_come_again() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds, hopeless)

    async def come(times: int) -> None:
        for number in range(20, 20 + times):
            assert await gathering.do(number) == number * number

    await asyncio.gather(*(come(6) for _ in range(40)))

    assert rounds.sizes[1:9] == [20] * 8
    assert sum(rounds.sizes) == 240


async def test_whole_rounds_do_all_that_wait() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds, hopeless, whole=True)

    for _ in range(3):
        await asyncio.gather(*(gathering.do(2) for _ in range(40)))

    assert rounds.sizes == [40] * 3


async def test_the_next_round_begins_before_the_last_one_is_answered() -> None:
    told: list[str] = []

    async def tell(numbers: Sequence[int]) -> Sequence[int]:
        told.append(f"begun {len(numbers)}")
        await asyncio.sleep(0.005)
        return numbers

    async def come() -> None:
        await gathering.do(1)
        told.append("answered")

    gathering = Gathering(tell, hopeless)
    await asyncio.gather(*(come() for _ in range(20)))

    assert told == ["begun 10", "begun 10", *["answered"] * 20]


async def test_a_round_waits_while_more_arrives_and_not_for_the_clock() -> None:
    rounds = Rounds()
    gathering = Gathering(rounds, hopeless)
    await asyncio.gather(*(gathering.do(number) for number in range(2, 12)))
    loop = asyncio.get_running_loop()

    later = []
    for number in range(20, 30):  # one with each turn of the loop
        later.append(asyncio.create_task(gathering.do(number)))
        await asyncio.sleep(0)
    await asyncio.gather(*later)
    took = []
    for _ in range(5):
        began = loop.time()
        await gathering.do(3)  # nobody else comes
        took.append(loop.time() - began)

    assert min(took) < 0.1
    assert rounds.sizes[:2] == [10, 5]
    assert sum(rounds.sizes) == 25
