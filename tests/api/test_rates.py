"""How fast a client may ask, over all processes, and what its answers say of its limits."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, update

from app.api.access import USUAL_SCOPES, Caller
from app.api.issue import create_key
from app.api.rates import BLOCKS, Rates
from app.delivery.quota import until_midnight
from app.domain.message import Mode
from app.store.database import Database
from app.store.tables import api_keys, client_rates, clients, daily_usage
from tests.api.client import Answer, Api, email, problem, sms
from tests.api.conftest import with_keys
from tests.gateways import Clock

pytestmark = pytest.mark.anyio

PROCESSES = 4
POLICY = re.compile(r'"[a-z-]+";q=[0-9]+;w=[0-9]+(, "[a-z-]+";q=[0-9]+;w=[0-9]+)*')
ITEM = re.compile(r'"[a-z-]+";r=[0-9]+;t=[0-9]+(, "[a-z-]+";r=[0-9]+;t=[0-9]+)*')


def limits(answer: Answer) -> dict[str, dict[str, int]]:
    """Return an answer's limits by their names, after a look at their form."""
    policy, item = answer.headers["RateLimit-Policy"], answer.headers["RateLimit"]
    assert POLICY.fullmatch(policy), policy
    assert ITEM.fullmatch(item), item
    found: dict[str, dict[str, int]] = {}
    for text in (*policy.split(", "), *item.split(", ")):
        name, *parameters = text.split(";")
        values = {one.partition("=")[0]: int(one.partition("=")[2]) for one in parameters}
        found.setdefault(name.strip('"'), {}).update(values)
    return found


async def key_of(api: Api, mode: Mode = Mode.LIVE, **options: Any) -> str:
    """Return a key of a new client with these options."""
    digest, name = api.edge.access.digest, uuid4().hex
    key = await create_key(api.gateway, digest, name=name, mode=mode, scopes=USUAL_SCOPES)
    async with api.gateway.database.transaction() as connection:
        await connection.execute(update(clients).where(clients.c.name == name).values(**options))
    return key


async def ask(api: Api, key: str) -> Answer:
    return await api.get("/v1/messages?limit=1", key=key)


@pytest.fixture
async def processes(served: Api, serve: Any) -> AsyncIterator[list[Api]]:
    """Several processes' APIs, as they stand on one store."""
    url = served.gateway.database._engine.url.render_as_string(hide_password=False)
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(PROCESSES):
            database = Database(url)
            stack.push_async_callback(database.close)
            opened.append(await stack.enter_async_context(serve(database)))
        yield opened


async def test_every_answer_tells_the_clients_limit(api: Api) -> None:
    key = await key_of(api, rate=50)

    answers = [
        await ask(api, key),
        await api.get("/v1/messages/msg_0", key=key),
        await api.post("/v1/sms", {"to": "wrong"}, key=key),
        await api.post("/v1/reports", {}, key=key),
    ]

    assert [one.status for one in answers] == [200, 404, 422, 403]
    for one in answers:
        found = limits(one)["client"]
        assert (found["q"], found["w"], found["t"]) == (50, 1, 1)
        assert 0 <= found["r"] <= 50


async def test_what_knows_no_caller_tells_no_limit(api: Api) -> None:
    for path in ("/healthz", "/v1/messages"):
        assert "RateLimit" not in (await api.get(path, key="gw_live_wrong")).headers


async def test_without_a_rate_there_is_no_limit_and_no_header(served: Api, serve: Any) -> None:
    async with serve(served.gateway.database, queue={"client_rate": 0}) as opened:
        api = await with_keys(opened)
        answers = [await ask(api, api.live) for _ in range(30)]

    assert {one.status for one in answers} == {200}
    assert [one for one in answers if "RateLimit" in one.headers] == []


async def test_the_usual_rate_holds_where_the_client_has_none(served: Api, serve: Any) -> None:
    now = Clock().now  # it stands still: nothing becomes free meanwhile
    async with serve(served.gateway.database, now=now, queue={"client_rate": 5}) as opened:
        api = await with_keys(opened)
        answers = await asyncio.gather(*(ask(api, api.live) for _ in range(30)))
        own = await ask(api, await key_of(api, rate=1_000))

    assert sum(one.status == 200 for one in answers) == 5
    assert limits(own)["client"]["q"] == 1_000


async def test_beyond_the_rate_a_request_is_refused_until_its_time(api: Api) -> None:
    key = await key_of(api, rate=5)
    answers = await asyncio.gather(*(ask(api, key) for _ in range(50)))
    refused = next(one for one in answers if one.status == 429)

    found = problem(refused, 429, "rate_limited")
    assert found["retryable"] is True
    assert limits(refused)["client"] == {"q": 5, "w": 1, "r": 0, "t": 1}
    await asyncio.sleep(int(refused.headers["Retry-After"]))

    assert (await ask(api, key)).status == 200


async def test_a_refused_request_takes_nothing_of_the_rate(served: Api, serve: Any) -> None:
    clock = Clock()
    async with serve(served.gateway.database, now=clock.now) as opened:
        key = await key_of(opened, rate=10)
        statuses = [(await ask(opened, key)).status for _ in range(25)]
        clock.turn(seconds=0.5)
        later = [(await ask(opened, key)).status for _ in range(8)]

    # A burst, and what became free meanwhile: however many were refused.
    assert statuses == [200] * 10 + [429] * 15
    assert later == [200] * 5 + [429] * 3


@pytest.mark.parametrize("rate", [7, 40])
async def test_the_rate_holds_over_all_processes(
    processes: list[Api], rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who gives the store up passes requests by what it knows itself: not what is asked here.
    monkeypatch.setattr("app.api.rates.PATIENCE", 60.0)
    key = await key_of(processes[0], rate=rate)
    began, taken = time.monotonic(), []

    async def hammer(one: Api) -> None:
        while time.monotonic() - began < 1.5:
            answers = await asyncio.gather(*(ask(one, key) for _ in range(2 * rate)))
            taken.append(sum(answer.status == 200 for answer in answers))

    await asyncio.gather(*map(hammer, processes))

    lasted = time.monotonic() - began
    # A burst, and what became free meanwhile; and what the other processes had not told.
    most = rate + rate * lasted + (PROCESSES - 1) * (rate // BLOCKS)
    assert rate <= sum(taken) <= most
    async with processes[0].gateway.database.reading() as connection:
        found = await connection.execute(
            select(client_rates.c.mode)
            .join(api_keys, api_keys.c.client_id == client_rates.c.client_id)
            .where(api_keys.c.digest == processes[0].edge.access.digest(key))
        )
        assert list(found.scalars()) == ["live"]


async def test_what_comes_everywhere_at_once_is_no_more_than_a_burst(processes: list[Api]) -> None:
    key = await key_of(processes[0], rate=2)
    for one in processes:
        await one.get("/v1/me", key=processes[0].live)  # no process asks who it is meanwhile

    began = time.monotonic()
    answers = await asyncio.gather(*(ask(one, key) for one in processes for _ in range(10)))

    passed = [one for one in answers if one.status == 200]
    assert 2 <= len(passed) <= 2 + 2 * (time.monotonic() - began)
    assert {one.status for one in answers} == {200, 429}
    assert all("Retry-After" in one.headers for one in answers if one.status == 429)


async def test_a_request_far_from_the_rate_waits_for_no_store(served: Api) -> None:
    client_id = served.gateway.ids.new()
    rates, who = Rates(served.gateway.database, served.gateway.now, 0), caller(1_000)
    async with served.gateway.database.transaction() as connection:
        row = {"id": client_id, "name": uuid4().hex, "created_at": served.gateway.now()}
        await connection.execute(insert(clients).values(**row))
        # Nobody else can write of this client meanwhile, and on SQLite nobody writes at all.
        for _ in range(20):
            _, refused = await asyncio.wait_for(rates.take(replace(who, client_id=client_id)), 1)
            assert refused is None
    await rates.close()


async def test_a_store_that_hangs_holds_a_request_up_for_a_while_only(
    served: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.rates.PATIENCE", 0.1)
    database, now = served.gateway.database, served.gateway.now
    rates, who = Rates(database, now, 0), replace(caller(4), client_id=served.gateway.ids.new())
    async with database.transaction() as connection:
        row = {"id": who.client_id, "name": uuid4().hex, "created_at": now()}
        await connection.execute(insert(clients).values(**row))
    assert (await rates.take(who))[1] is None

    async with database.transaction() as connection:
        mine = client_rates.c.client_id == who.client_id
        await connection.execute(select(client_rates).where(mine).with_for_update())
        taken = [await asyncio.wait_for(rates.take(who), 5) for _ in range(12)]
    await rates.close()

    passed = [refused is None for _, refused in taken]
    assert 3 <= passed.count(True) < len(passed)


async def test_a_test_key_takes_nothing_of_the_live_keys_rate(api: Api) -> None:
    live = await key_of(api, rate=5)
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(clients.c.name)
            .join(api_keys, api_keys.c.client_id == clients.c.id)
            .where(api_keys.c.digest == api.edge.access.digest(live))
        )
        name = found.scalar_one()
    test = await create_key(api.gateway, api.edge.access.digest, name=name, mode=Mode.TEST)
    answers = await asyncio.gather(*(ask(api, one) for one in [test] * 20 + [live]))

    assert 429 in [one.status for one in answers[:-1]]
    assert answers[-1].status == 200


# --- without a store ---


def caller(rate: int) -> Caller:
    return Caller(
        key_id="K", client_id=uuid4(), name="c", mode="live", scopes=frozenset(), rate=rate
    )


async def test_while_the_store_is_away_a_process_keeps_to_the_rate_itself() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    rates = Rates(Database("postgresql://nobody@127.0.0.1:9/none"), lambda: moment, 0)
    who = caller(100)

    began = time.monotonic()
    taken = [await rates.take(who) for _ in range(150)]
    waited = time.monotonic() - began
    moment += timedelta(seconds=0.5)
    later = [await rates.take(who) for _ in range(80)]
    await rates.close()

    assert [refused is None for _, refused in taken].count(True) == 100
    assert [refused is None for _, refused in later].count(True) == 50
    assert waited < 2.0  # one wait at most, and no failure


async def test_a_bucket_that_nobody_uses_any_more_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, served: Api
) -> None:
    monkeypatch.setattr("app.api.rates.MOST_KNOWN", 3)
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    rates = Rates(served.gateway.database, lambda: moment, 0)
    for _ in range(10):
        await rates.take(caller(1_000))
        moment += timedelta(seconds=1)

    assert len(rates._buckets) <= 3


# --- daily quotas ---


async def test_an_answer_tells_what_is_left_of_the_days_quota(api: Api) -> None:
    key = await key_of(api, daily_quotas={"sms": 3})

    sent = [await api.post("/v1/sms", sms(), key=key) for _ in range(4)]
    other = await api.post("/v1/emails", email(), key=key)

    assert [one.status for one in sent] == [202, 202, 202, 429]
    assert [limits(one)["sms-daily"]["r"] for one in sent] == [2, 1, 0, 0]
    found = problem(sent[-1], 429, "daily_quota_exceeded")
    assert "3 messages a day" in found["detail"]
    midnight = until_midnight(api.gateway.local_time())
    assert abs(int(sent[-1].headers["Retry-After"]) - midnight) < 60
    assert limits(sent[-1])["sms-daily"]["q"] == 3
    assert limits(sent[-1])["sms-daily"]["w"] == 86_400
    assert abs(limits(sent[-1])["sms-daily"]["t"] - midnight) < 60
    assert other.status == 202
    assert set(limits(other)) == {"client"}


async def test_a_batch_that_would_cross_the_quota_is_refused_whole(api: Api) -> None:
    key = await key_of(api, daily_quotas={"sms": 3})
    four, three = ({"messages": [sms() for _ in range(size)]} for size in (4, 3))

    problem(await api.post("/v1/sms/batch", four, key=key), 429, "daily_quota_exceeded")

    assert (await api.post("/v1/sms/batch", three, key=key)).status == 202


async def test_a_repeat_counts_once_and_is_answered_when_the_quota_is_used_up(api: Api) -> None:
    key = await key_of(api, daily_quotas={"sms": 1})
    headers = {"Idempotency-Key": "once"}

    answers = [await api.post("/v1/sms", sms(), key=key, headers=headers) for _ in range(3)]

    assert [one.status for one in answers] == [202] * 3
    assert len({one.json()["id"] for one in answers}) == 1


async def test_repeats_at_once_count_once(api: Api) -> None:
    key = await key_of(api, daily_quotas={"sms": 1})
    headers = {"Idempotency-Key": "at-once"}

    answers = await asyncio.gather(
        *(api.post("/v1/sms", sms(), key=key, headers=headers) for _ in range(20))
    )

    assert {one.status for one in answers} == {202}
    assert len({one.json()["id"] for one in answers}) == 1


async def test_what_another_process_counted_counts(api: Api) -> None:
    key = await key_of(api, daily_quotas={"sms": 2})
    async with api.gateway.database.transaction() as connection:
        found = await connection.execute(
            select(api_keys.c.client_id).where(api_keys.c.digest == api.edge.access.digest(key))
        )
        await connection.execute(
            insert(daily_usage).values(
                client_id=found.scalar_one(),
                mode="live",
                channel="sms",
                day=api.gateway.local_time().date(),
                messages=1,
            )
        )

    statuses = [(await api.post("/v1/sms", sms(), key=key)).status for _ in range(2)]

    assert statuses == [202, 429]
