"""How a worker shares its calls among clients: nobody is kept waiting by who is slow."""

import random
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from app.delivery.share import AT_ONCE, EACH, OF_CLIENT, RESERVED, Shares


def endpoint(number: int, client: int, *, fails: bool = False) -> dict[str, Any]:
    since = "some time" if fails else None
    return {"id": UUID(int=number), "client_id": UUID(int=client), "failing_since": since}


@pytest.mark.parametrize("seed", range(20))
def test_no_bound_is_passed_and_who_has_no_call_gets_one(seed: int) -> None:
    dice = random.Random(seed)
    everybody = [
        endpoint(number, number % dice.choice([3, 40, 100]), fails=dice.random() < 0.3)
        for number in range(400)
    ]
    shares, under_way = Shares(), list[dict[str, Any]]()
    for _ in range(200):
        if dice.random() < 0.5:
            dice.shuffle(under_way)
            for _ in range(dice.randrange(len(under_way) + 1)):
                shares.ended(under_way.pop())
        endpoints, clients = shares.full
        line = dice.sample(everybody, len(everybody))
        asked = [one for one in line if one["id"] not in endpoints]
        asked = [one for one in asked if one["client_id"] not in clients][: shares.room]
        given = shares.divide(asked)
        for one in asked:
            for _ in range(given.get(one["id"], 0)):
                shares.begun(one)
                under_way.append(one)

        calls = Counter(one["id"] for one in under_way)
        of_client = Counter(one["client_id"] for one in under_way)
        assert len(under_way) <= AT_ONCE + RESERVED
        assert max(calls.values(), default=0) <= EACH
        assert max(of_client.values(), default=0) <= OF_CLIENT
        assert all(calls[one["id"]] <= 1 for one in everybody if one["failing_since"])
        # Each client that was looked at has a call, or there is none left.
        waits = [one for one in asked if not of_client[one["client_id"]]]
        assert not waits or len(under_way) == AT_ONCE + RESERVED


def test_endpoints_that_fail_hide_nobody_behind_them() -> None:
    shares = Shares()
    failing = [endpoint(number, number, fails=True) for number in range(AT_ONCE)]
    for one in failing:
        shares.begun(one)
    healthy = endpoint(1000, 1000)
    endpoints, clients = shares.full

    line = [one for one in (*failing, healthy) if one["client_id"] not in clients]
    assert endpoints == []
    assert shares.divide(line[: shares.room]) == {healthy["id"]: 1}
