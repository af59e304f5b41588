"""Alive and ready: the store decides, and a sick provider only shows."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest
from sqlalchemy import text

from app.store import migrate
from app.store.database import Database
from app.store.revision import NEWEST
from app.store.unusable import NO_ANSWER
from tests.api.client import Api, problem, sms
from tests.api.conftest import Serve, with_keys
from tests.postgres import Postgres, running

pytestmark = pytest.mark.anyio


class Well:
    """A provider with nothing wrong; only its health is asked."""

    is_local = True

    def health(self) -> dict[str, object]:
        return {"state": "ready"}

    async def close(self) -> None:
        pass


async def test_the_process_is_alive_without_a_key(shared: Api) -> None:
    answer = await shared.get("/healthz", key=None)

    assert (answer.status, answer.json()) == (200, {"status": "alive"})


async def test_a_provider_that_is_away_makes_it_degraded_and_never_unready(api: Api) -> None:
    answer = await api.get("/readyz", key=None)

    assert answer.status == 200
    found = answer.json()
    newest = NEWEST
    assert found["store"] == {"state": "ready", "revision": newest, "wanted": newest}
    assert found["status"] == "degraded"
    assert {one["state"] for one in found["providers"].values()} == {"degraded"}
    assert "127.0.0.1:9" not in answer.content.decode()


async def test_with_every_provider_well_it_is_ready(shared: Api) -> None:
    providers: Any = shared.gateway.providers
    known = dict(providers)
    providers.update(dict.fromkeys(known, Well()))
    try:
        answer = await shared.get("/readyz", key=None)
    finally:
        providers.update(known)

    assert (answer.status, answer.json()["status"]) == (200, "ready")


async def test_a_store_that_is_not_there_makes_it_unready(serve: Serve, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    async with serve(database) as api:
        began = time.perf_counter()
        answer = await api.get("/readyz", key=None)
        took = time.perf_counter() - began
        alive = await api.get("/healthz", key=None)
    await database.close()

    assert (answer.status, alive.status) == (503, 200)
    assert took < 10
    assert answer.json()["status"] == "unready"
    assert answer.json()["store"]["state"] == "unreachable"
    assert "nowhere" not in answer.content.decode()


async def test_a_store_of_another_version_makes_it_unready(serve: Serve, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    async with serve(database) as api:
        empty = await api.get("/readyz", key=None)
        await migrate.upgrade(database)
        async with database.transaction() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
        later = await api.get("/readyz", key=None)
    await database.close()

    assert (empty.status, later.status) == (503, 503)
    assert {one.json()["store"]["state"] for one in (empty, later)} == {"wrong_revision"}


@pytest.fixture
def own() -> Iterator[Postgres]:
    """A PostgreSQL server that a test may stop."""
    with running() as server:
        yield server


async def test_a_store_that_goes_away_is_said_so_and_comes_back(
    own: Postgres, serve: Serve
) -> None:
    database = Database(own.create("store"))
    await migrate.upgrade(database)
    async with serve(database) as unknown:
        api = await with_keys(unknown)
        assert (await api.get("/readyz", key=None)).status == 200
        assert (await api.post("/v1/sms", sms())).status == 202
        await asyncio.to_thread(own.stop)

        began = time.perf_counter()
        gone = await api.get("/readyz", key=None)
        took = time.perf_counter() - began
        sent = await api.post("/v1/sms", sms())
        listed = await api.get("/v1/messages")

        await asyncio.to_thread(own.start)
        back = await api.get("/readyz", key=None)
        again = await api.post("/v1/sms", sms())
    await database.close()

    assert (gone.status, gone.json()["status"]) == (503, "unready")
    assert took < 10
    for answer in (sent, listed):
        assert problem(answer, 503, "store_unavailable")["retryable"] is True
        assert answer.headers["Retry-After"] == "5"
    assert (back.status, again.status) == (200, 202)


async def test_a_store_that_hangs_is_said_so_in_time(own: Postgres, serve: Serve) -> None:
    database = Database(own.create("store"))
    await migrate.upgrade(database)
    async with serve(database) as api:
        assert (await api.get("/readyz", key=None)).status == 200
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1"))
            pids = [own._process.pid]  # type: ignore[union-attr]
        children = Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text().split()
        pids += [int(one) for one in children]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            began = time.perf_counter()
            hangs = await asyncio.gather(*(api.get("/readyz", key=None) for _ in range(3)))
            took = time.perf_counter() - began
            alive = await api.get("/healthz", key=None)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        back = await api.get("/readyz", key=None)
    await database.close()

    assert {answer.status for answer in hangs} == {503}
    assert {answer.json()["store"]["why"] for answer in hangs} == {NO_ANSWER}
    assert took < 10
    assert (alive.status, back.status) == (200, 200)


async def test_answers_on_a_connection_that_is_kept_are_not_held_back(shared: Api) -> None:
    took = []
    for _ in range(20):
        began = time.perf_counter()
        await shared.get("/docs")  # it is written in two pieces: head and body
        took.append(time.perf_counter() - began)

    # Nagle's algorithm would hold each second piece back by 40 ms, but for the first few.
    assert quantiles(took)[0] < 0.03
