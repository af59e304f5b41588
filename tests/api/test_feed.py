"""The feed over HTTP: pages, types, and waiting for what comes next."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from sqlalchemy import delete, update
from yarl import URL

from app.delivery import publish
from app.domain.identifiers import MESSAGE, read
from app.domain.status import Status
from app.store.messages import Move, move
from app.store.tables import events, feeds
from tests.api.client import Answer, Api, problem, sms, wrong
from tests.api.conftest import on_new_store, with_keys

pytestmark = pytest.mark.anyio


async def send(api: Api, count: int = 1, **options: Any) -> list[str]:
    """Send messages one after the other; return their ids."""
    return [(await api.post("/v1/sms", sms(), **options)).json()["id"] for _ in range(count)]


async def hold(api: Api, message_id: str) -> None:
    """Move a message, as a worker elsewhere would."""
    found = read(MESSAGE, message_id)
    assert found is not None
    step = Move(message_id=found, to=Status.HELD, at=api.gateway.now(), source="worker")
    async with api.gateway.database.transaction() as connection:
        await move(connection, api.gateway.ids, [step])


def of(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [one["data"]["message_id"] for one in answer.json()["data"]]


async def test_a_feed_is_read_without_a_worker_and_page_by_page(api: Api) -> None:
    sent = await send(api, 5)

    pages, after = [], 0
    while True:
        answer = await api.get(f"/v1/events?limit=2&after={after}")
        pages.append(answer.json())
        after = pages[-1]["next_after"]
        if not pages[-1]["has_more"]:
            break

    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    told = [one for page in pages for one in page["data"]]
    assert [one["data"]["message_id"] for one in told] == sent
    assert [one["data"]["position"] for one in told] == [1, 2, 3, 4, 5]
    assert {one["type"] for one in told} == {"message.queued"}
    assert after == 5


async def test_nothing_personal_is_told(api: Api) -> None:
    await send(api)

    assert b"33639980001" not in (await api.get("/v1/events")).content


async def test_each_client_and_mode_sees_its_own_alone(api: Api) -> None:
    mine = await send(api, 2)
    theirs = await send(api, 1, key=api.other)

    assert of(await api.get("/v1/events")) == mine
    assert of(await api.get("/v1/events", key=api.other)) == theirs
    assert of(await api.get("/v1/events", key=api.test)) == []


async def test_types_narrow_the_feed_and_positions_stay(api: Api) -> None:
    first, second = await send(api, 2)
    await hold(api, first)

    held = (await api.get("/v1/events?types=message.held")).json()
    assert [(one["type"], one["data"]["position"]) for one in held["data"]] == [("message.held", 3)]
    queued = await api.get("/v1/events?types=message.queued,message.failed")
    assert of(queued) == [first, second]
    # What was passed over need not be read again.
    assert (queued.json()["next_after"], queued.json()["has_more"]) == (3, False)


async def test_news_that_moved_nothing_is_not_among_the_failures(api: Api) -> None:
    (sent,) = await send(api)
    await hold(api, sent)
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(events)
            .where(events.c.message_id == read(MESSAGE, sent), events.c.sequence == 2)
            .values(applied=False, type="message.failed", status="failed")
        )

    assert of(await api.get("/v1/events?types=message.failed")) == []
    assert of(await api.get("/v1/events?types=message.report_ignored")) == [sent]


async def test_a_page_looks_through_so_much_and_no_more(api: Api) -> None:
    await send(api, 3)
    await api.get("/v1/events")
    beyond = 30_000
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(events).where(events.c.position == 3).values(position=beyond)
        )
        await connection.execute(update(feeds).values(position=beyond))

    told, after, rounds = [], 0, 0
    while True:
        page = (await api.get(f"/v1/events?after={after}&types=message.queued")).json()
        told += [one["data"]["position"] for one in page["data"]]
        after, rounds = page["next_after"], rounds + 1
        if not page["has_more"]:
            break

    assert (told, after, rounds) == ([1, 2, beyond], beyond, 3)
    # Without types there is nothing to look through, however far the next one is.
    (last,) = (await api.get("/v1/events?after=2")).json()["data"]
    assert last["data"]["position"] == beyond


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("after=-1", [("/after", "invalid")]),
        ("after=x", [("/after", "invalid")]),
        (f"after={2**63}", [("/after", "invalid")]),
        ("limit=0", [("/limit", "invalid")]),
        ("limit=501", [("/limit", "invalid")]),
        ("types=message.queued,message.gone", [("/types", "not_allowed")]),
        ("types=", [("/types", "not_allowed")]),
        ("before=5", [("/before", "unknown_field")]),
        ("after=1&after=2", [("/after", "repeated")]),
    ],
)
async def test_a_wrong_question_is_refused(
    shared: Api, query: str, expected: list[tuple[str, str]]
) -> None:
    assert wrong(await shared.get(f"/v1/events?{query}")) == expected


async def test_a_key_needs_the_scope_to_read(api: Api) -> None:
    problem(await api.get("/v1/events", key=api.sender), 403, "scope_missing")
    assert (await api.get("/v1/events", key=api.reader)).status == 200


async def test_at_the_end_there_is_nothing_and_beyond_it_a_mistake(api: Api) -> None:
    await send(api)

    page = (await api.get("/v1/events?after=1")).json()
    beyond = await api.get("/v1/events?after=2", headers={"Prefer": "wait=20"})

    assert page == {"data": [], "has_more": False, "next_after": 1}
    # Whoever believed an empty page would pass over what gets this position later.
    assert wrong(beyond) == [("/after", "beyond_end")]
    assert "ends at 1," in beyond.json()["errors"][0]["detail"]


async def test_who_has_read_less_than_was_deleted_is_told_so_and_who_begins_is_not(
    api: Api,
) -> None:
    for _ in range(4):
        await send(api)
    assert (await api.get("/v1/events?after=0")).json()["next_after"] == 4
    async with api.gateway.database.transaction() as connection:
        await connection.execute(delete(events).where(events.c.position <= 2))
        await connection.execute(update(feeds).values(forgotten=2))

    missed = await api.get("/v1/events?after=1")
    begun = (await api.get("/v1/events?limit=1")).json()
    last = (await api.get("/v1/events?after=2")).json()

    assert wrong(missed) == [("/after", "deleted")]
    assert "read on after 2," in missed.json()["errors"][0]["detail"]
    assert (len(begun["data"]), begun["next_after"]) == (1, 3)
    assert (len(last["data"]), last["next_after"]) == (2, 4)


async def test_a_wait_ends_with_the_first_event(api: Api) -> None:
    await send(api)
    waiting = asyncio.create_task(api.get("/v1/events?after=1", headers={"Prefer": "wait=20"}))
    await asyncio.sleep(0.5)
    assert not waiting.done()

    began = time.monotonic()
    (sent,) = await send(api)
    answer = await waiting

    assert of(answer) == [sent]
    assert time.monotonic() - began < 15
    assert answer.headers["Preference-Applied"] == "wait=20"


async def test_a_wait_is_over_at_once_where_there_is_something(api: Api) -> None:
    await send(api)

    began = time.monotonic()
    answer = await api.get("/v1/events", headers={"Prefer": "wait=20"})

    assert len(of(answer)) == 1
    assert time.monotonic() - began < 15


async def test_a_wait_in_vain_ends_with_an_empty_page(api: Api) -> None:
    await send(api)

    began = time.monotonic()
    answer = await api.get("/v1/events?after=1", headers={"Prefer": "wait=1"})

    assert answer.json() == {"data": [], "has_more": False, "next_after": 1}
    assert 0.9 < time.monotonic() - began < 15


async def test_a_wait_for_types_goes_on_past_the_others(api: Api) -> None:
    (first,) = await send(api)
    path = "/v1/events?after=1&types=message.held"
    waiting = asyncio.create_task(api.get(path, headers={"Prefer": "wait=20"}))
    await asyncio.sleep(0.3)

    await send(api, 2)
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await hold(api, first)

    assert of(await waiting) == [first]


async def test_another_process_that_publishes_ends_a_wait_too(api: Api) -> None:
    waiting = asyncio.create_task(api.get("/v1/events", headers={"Prefer": "wait=20"}))
    await asyncio.sleep(0.3)
    # Another process has its own news.
    elsewhere = replace(api.gateway, news=type(api.gateway.news)())
    (sent,) = await send(api)
    await publish.publish(elsewhere)

    assert of(await waiting) == [sent]


async def test_many_wait_at_one_feed(api: Api) -> None:
    waiting = [
        asyncio.create_task(api.get("/v1/events", headers={"Prefer": "wait=20"}))
        for _ in range(100)
    ]
    await asyncio.sleep(0.5)

    (sent,) = await send(api)

    assert [of(await one) for one in waiting] == [[sent]] * 100


@asynccontextmanager
async def alone(tmp_path: Any) -> AsyncIterator[Api]:
    async with on_new_store(f"sqlite:///{tmp_path / 'store.db'}") as api:
        yield await with_keys(api)


async def test_who_hangs_up_waits_no_more(tmp_path: Any) -> None:
    async with alone(tmp_path) as api:
        url = URL(f"http://127.0.0.1:{api.port}/v1/events")
        headers = {"Authorization": f"Bearer {api.live}", "Prefer": "wait=30"}
        async with aiohttp.ClientSession() as leaving:
            asking = asyncio.create_task(leaving.get(url, headers=headers))
            async with asyncio.timeout(10):
                while api.edge.followers.waiting_now != 1:
                    await asyncio.sleep(0.02)
            asking.cancel()
            assert await _left(api)

        # Nobody looks any more, so nothing is published by itself.
        await send(api)
        await asyncio.sleep(0.6)
        async with api.gateway.database.reading() as connection:
            found = await connection.execute(events.select())
            assert [one.position for one in found] == [None]


async def _left(api: Api) -> bool:
    for _ in range(200):
        if api.edge.followers.waiting_now == 0:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_a_wait_ends_when_we_do(tmp_path: Any) -> None:
    async with alone(tmp_path) as api:
        waiting = asyncio.create_task(api.get("/v1/events", headers={"Prefer": "wait=30"}))
        await asyncio.sleep(0.3)

        began = time.monotonic()
        api.edge.stopping.set()
        answer = await waiting

        assert answer.json()["data"] == []
        assert time.monotonic() - began < 15
