"""PostgreSQL is down, hangs, is full or takes no writes: 503 at once, and on as soon as it is back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from app.delivery import spool, submit, watch
from app.domain.message import Channel
from app.store import safety
from app.store.database import CONNECT, Database, StoreReadOnly
from app.store.patience import STALLED
from app.store.safety import UnsafeStore
from app.store.tables import acknowledgements
from tests.api.client import SECRET, Api, fax, letter, problem, sms
from tests.outage.conftest import served
from tests.outage.link import Cut, linked
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

AT_ONCE = 2.5  # seconds: nobody waited for a connection
# Seconds: a statement that hangs, then a connection that does, and less than one more of the first.
IN_TIME = STALLED + CONNECT + 4.5
CALLBACK = "etat_e=0&ref_accuse=1234567890ABCDEF&numero=0199000001&nb_page=3"


@pytest.fixture
async def api(own_postgres: Postgres, tmp_path: Path) -> AsyncIterator[Api]:
    url = own_postgres.create(f"away_{uuid4().hex}")
    async with served(url, spool=str(tmp_path / "spool"), pace=0.05) as opened:
        yield opened


async def endpoints(api: Api) -> list[tuple[int, str | None]]:
    """Call everything that needs the store; return what each answered, and after how long."""
    calls = [
        api.post("/v1/sms", sms(), headers={"Idempotency-Key": "away"}),
        api.post("/v1/sms", sms()),
        api.get("/v1/messages"),
        api.get("/v1/messages/msg_01J9ZK0000000000000000000A"),
        api.get("/v1/messages/msg_01J9ZK0000000000000000000A/events"),
        api.get("/v1/events"),
        api.post("/v1/messages/search", {"recipient": "+33639980001"}),
        api.get("/v1/reports/rep_01J9ZK0000000000000000000A", key=api.live),
        api.get("/d/" + "0" * 52 + ".pdf", key=None),
    ]
    answers = await asyncio.gather(*calls)
    return [(answer.status, answer.headers.get("Retry-After")) for answer in answers]


async def test_everything_answers_503_at_once_while_it_is_down(
    api: Api, own_postgres: Postgres
) -> None:
    assert (await api.post("/v1/sms", sms())).status == 202
    assert (await api.get("/v1/events")).json()["next_after"] == 1
    wait = {"Prefer": "wait=30"}
    waiting = asyncio.create_task(api.get("/v1/events?after=1", headers=wait))
    while not api.edge.followers.waiting_now:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(own_postgres.stop, signal.SIGQUIT)
    try:
        async with asyncio.timeout(IN_TIME):
            problem(await waiting, 503, "store_unavailable")
        for _ in range(2):
            began = time.perf_counter()
            answered = await endpoints(api)
            took = time.perf_counter() - began
            assert {status for status, _ in answered} == {503}, answered
            assert {after for _, after in answered} == {"5"}
            assert took < AT_ONCE
        ready = await api.get("/readyz", key=None)
        alive = await api.get("/healthz", key=None)
    finally:
        await asyncio.to_thread(own_postgres.start)

    assert (ready.status, alive.status) == (503, 200)
    assert (await api.post("/v1/sms", sms())).status == 202


async def test_a_callback_is_answered_and_applied_when_the_store_is_back(
    api: Api, own_postgres: Postgres
) -> None:
    made = await api.post("/v1/faxes", fax())
    assert made.status == 202, made.content
    (call,) = await submit.claim(api.gateway, Channel.FAX, 1)
    ended = await submit.call(api.gateway, call)
    await submit.record(api.gateway, ended)
    reference = call[0].claim.reference
    query = CALLBACK.replace("1234567890ABCDEF", reference)
    await asyncio.to_thread(own_postgres.stop, signal.SIGQUIT)
    try:
        told = await api.get(f"/hooks/123fax/{SECRET}?{query}", key=None)
        unreadable = await api.get(f"/hooks/123fax/{SECRET}?etat_e=0", key=None)
        kept = list((api.gateway.spool or Path()).glob("*.json"))
        modes = {file.stat().st_mode & 0o777 for file in kept}
    finally:
        await asyncio.to_thread(own_postgres.start)
    assert (told.status, unreadable.status, len(kept), modes) == (200, 400, 2, {0o600})

    assert await spool.hand_on_waiting(api.gateway) == 2

    message = (await api.get(made.json()["links"]["self"])).json()
    assert message["status"] == "delivered"
    async with api.gateway.database.reading() as connection:
        notes = await connection.execute(
            select(acknowledgements.c.note).order_by(acknowledgements.c.id)
        )
        assert set(notes.scalars()) == {None, "unreadable"}
    assert list((api.gateway.spool or Path()).iterdir()) == []


async def test_a_callback_that_no_disk_keeps_is_refused(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    url = own_postgres.create(f"away_{uuid4().hex}")
    async with served(url, spool=str(blocked)) as api:
        await asyncio.to_thread(own_postgres.stop, signal.SIGQUIT)
        try:
            told = await api.get(f"/hooks/123fax/{SECRET}?{CALLBACK}", key=None)
        finally:
            await asyncio.to_thread(own_postgres.start)
    problem(told, 503, "store_unavailable")


async def test_a_link_that_swallows_everything_is_answered_503_in_time(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    url = own_postgres.create(f"hangs_{uuid4().hex}")
    async with (
        linked(url) as (link, through),
        served(through, spool=str(tmp_path / "spool")) as api,
    ):
        assert (await api.post("/v1/sms", sms())).status == 202
        before = len(asyncio.all_tasks())
        link.swallowing = True

        began = time.perf_counter()
        many = await asyncio.gather(*(endpoints(api) for _ in range(8)))
        took = time.perf_counter() - began

        assert {status for each in many for status, _ in each} == {503}, many
        assert took < IN_TIME
        # Nothing piles up: in the end no more than the pools hold, two of seven each.
        assert link.open <= 14
        link.swallowing = False
        link.break_all()
        again = await asyncio.gather(*(api.post("/v1/sms", sms()) for _ in range(10)))
        assert {one.status for one in again} == {202}
        await asyncio.sleep(0.2)
        assert len(asyncio.all_tasks()) <= before + 2 * link.open + 5


async def test_a_client_is_told_where_nobody_knows_whether_it_was_kept(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    url = own_postgres.create(f"unknown_{uuid4().hex}")
    async with (
        linked(url) as (link, through),
        served(through, spool=str(tmp_path / "spool")) as api,
    ):
        again = {"headers": {"Idempotency-Key": "unknown"}}
        # A first connection commits too: what it asks about the server's types.
        assert (await api.post("/v1/sms", sms())).status == 202
        link.cuts.append(Cut.AFTER)
        link.refuses_after_a_cut = True

        unknown = await api.post("/v1/sms", sms(), **again)
        gone = await api.post("/v1/sms", sms())
        link.refusing = False
        found = await api.post("/v1/sms", sms(), **again)

        assert "not known" in problem(unknown, 503, "store_unavailable")["detail"]
        assert "nothing was kept" in problem(gone, 503, "store_unavailable")["detail"]
        # It had been kept, once.
        assert (found.status, found.headers["Idempotency-Replayed"]) == (202, "true")
        assert (await api.get("/v1/messages")).json()["data"][0]["id"] == found.json()["id"]


async def test_a_server_that_stands_still_is_answered_503_in_time(
    api: Api, own_postgres: Postgres
) -> None:
    assert (await api.post("/v1/sms", sms())).status == 202
    assert own_postgres._process is not None
    parent = own_postgres._process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    stopped = [parent, *map(int, children)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.perf_counter()
        answered = await endpoints(api)
        took = time.perf_counter() - began
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)

    assert {status for status, _ in answered} == {503}
    assert took < IN_TIME
    assert (await api.post("/v1/sms", sms())).status == 202


async def test_a_pool_that_is_used_up_is_answered_503(own_postgres: Postgres) -> None:
    url = own_postgres.create(f"pool_{uuid4().hex}")
    async with served(url) as api:
        assert (await api.post("/v1/sms", sms())).status == 202
        hold, let_go = asyncio.Event(), asyncio.Event()
        holding = 0

        async def hog() -> None:
            nonlocal holding
            async with api.gateway.database.transaction() as connection:
                await connection.execute(text("SELECT 1"))
                holding += 1
                if holding == 7:
                    hold.set()
                await let_go.wait()

        hogs = [asyncio.create_task(hog()) for _ in range(7)]
        await hold.wait()
        began = time.perf_counter()
        full = await api.post("/v1/letters", letter())  # what has files takes one of the pool
        took = time.perf_counter() - began
        let_go.set()
        await asyncio.gather(*hogs)

        problem(full, 503, "store_unavailable")
        assert took < IN_TIME
        assert (await api.post("/v1/sms", sms())).status == 202


@pytest.fixture
def read_only(own_postgres: Postgres) -> tuple[str, str]:
    """The address of a store, and the statement that makes it take no writes."""
    name = f"read_only_{uuid4().hex}"
    return (
        own_postgres.create(name),
        f"ALTER DATABASE {name} SET default_transaction_read_only = on",
    )


async def test_a_store_that_takes_no_writes_is_refused_at_the_start_and_answered_503(
    read_only: tuple[str, str], tmp_path: Path
) -> None:
    url, forbid = read_only
    async with served(url, spool=str(tmp_path / "spool")) as api:
        assert (await api.post("/v1/sms", sms())).status == 202
        async with api.gateway.database.transaction() as connection:
            await connection.execute(text(forbid))
        await api.gateway.database.close()  # connections of now know nothing of it

        problem(await api.post("/v1/sms", sms()), 503, "store_unavailable")
        with pytest.raises(StoreReadOnly):
            async with api.gateway.database.transaction() as connection:
                await connection.execute(text("CREATE TABLE nothing (one int)"))
        with pytest.raises(UnsafeStore) as raised:
            async with watch.watching(api.gateway):
                pass

    (line,) = raised.value.problems
    assert line == (
        "PostgreSQL's transaction_read_only is on: it takes no writes: name the primary, or reset"
        " default_transaction_read_only"
    )


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
async def test_a_server_that_forgets_at_a_power_cut_is_refused_in_production(
    own_postgres: Postgres, name: str
) -> None:
    database = Database(own_postgres.create(f"unsafe_{uuid4().hex}"))
    await safety.ensure(database, production=True)
    async with database.reading() as connection:
        await connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        await connection.execute(text("SELECT pg_reload_conf()"))
    try:
        for _ in range(100):
            async with database.reading() as connection:
                shown = await connection.execute(text(f"SHOW {name}"))
                if shown.scalar_one() == "off":
                    break
            await asyncio.sleep(0.02)
        with pytest.raises(UnsafeStore) as raised:
            await safety.ensure(database, production=True)
        await safety.ensure(database, production=False)
    finally:
        async with database.reading() as connection:
            await connection.execute(text(f"ALTER SYSTEM RESET {name}"))
            await connection.execute(text("SELECT pg_reload_conf()"))
        await database.close()

    assert [line.split()[1] for line in raised.value.problems] == [name]


async def test_no_setting_of_the_server_makes_our_commits_asynchronous(
    own_postgres: Postgres,
) -> None:
    name = f"async_{uuid4().hex}"
    url = own_postgres.create(name)
    plain = Database(url)
    async with plain.transaction() as connection:
        await connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    await plain.close()
    database = Database(url)

    await safety.ensure(database, production=True)
    await database.close()
    lost = {"synchronous_commit": "off", "fsync": "on", "full_page_writes": "on"}
    found = {"in_recovery": "off", "transaction_read_only": "off", **lost}

    (line,) = safety.unsafe(found, production=True)
    assert line.startswith("PostgreSQL's synchronous_commit is off: ")
    standby = {**found, **dict.fromkeys(lost, "on"), "in_recovery": "on"}
    assert len(safety.unsafe(standby, production=False)) == 1
