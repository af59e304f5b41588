"""PostgreSQL is killed and started again and again under load: nothing is lost, nothing twice."""

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from sqlalchemy import func, select

from app.delivery import watch
from app.delivery.worker import Worker
from app.domain.identifiers import MESSAGE, shown
from app.store.tables import attempts, events, messages
from tests.api.client import Api, sms
from tests.outage.conftest import served
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

SECONDS = float(os.environ.get("OUTAGE_SECONDS", "12"))  # of load
RATE = 50  # messages a second
PATIENCE = 30.0  # seconds for which a client repeats


@dataclass
class Told:
    """What the clients were told."""

    answers: Counter[int] = field(default_factory=Counter)
    broken: int = 0  # connections
    ids: dict[str, str] = field(default_factory=dict)  # by key
    given_up: list[str] = field(default_factory=list)
    slowest: float = 0.0


async def send(api: Api, key: str, told: Told) -> None:
    """Hand a message in as a client does: again, with the same key, until it is accepted."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        began = time.monotonic()
        try:
            answer = await api.post("/v1/sms", sms(reference=key), headers={"Idempotency-Key": key})
        except aiohttp.ClientError:
            told.broken += 1
        else:
            told.slowest = max(told.slowest, time.monotonic() - began)
            told.answers[answer.status] += 1
            if answer.status == 202:
                told.ids[key] = answer.json()["id"]
                return
            assert answer.status == 503, answer
            assert answer.headers["Retry-After"] == "5"
        await asyncio.sleep(0.2)  # sooner than asked, so that more is asked of a server in trouble
    told.given_up.append(key)


async def load(api: Api, told: Told) -> list[str]:
    sending = []
    keys = []
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        keys.append(f"restart-{len(keys)}")
        sending.append(asyncio.create_task(send(api, keys[-1], told)))
        await asyncio.sleep(max(0.0, began + len(keys) / RATE - time.monotonic()))
    await asyncio.gather(*sending)
    return keys


async def restart(server: Postgres, stopping: asyncio.Event) -> int:
    """Kill the server every few seconds, at once, and start it after up to two."""
    times = 0
    chance = random.Random(11)
    while not stopping.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), chance.uniform(1.5, 4.0))
            break
        number = chance.choice([signal.SIGQUIT, signal.SIGQUIT, signal.SIGINT])
        await asyncio.to_thread(server.stop, number)
        await asyncio.sleep(chance.uniform(0.0, 1.5))
        await asyncio.to_thread(server.start)
        times += 1
    return times


async def counted(api: Api, *columns: Any) -> list[Any]:
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(select(*columns, func.count()).group_by(*columns))
        return list(found.all())


async def settled(api: Api) -> dict[str, int]:
    """Return how many messages stand in each status when nothing waits any more."""
    for _ in range(600):
        found = {row.status: row[1] for row in await counted(api, messages.c.status)}
        if not found.keys() & {"queued", "submitting"}:
            return found
        await asyncio.sleep(0.1)
    return found


async def test_restarts_under_load_lose_nothing_and_send_nothing_twice(
    own_postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = own_postgres.create(f"restarts_{uuid4().hex}")
    told, stopping = Told(), asyncio.Event()
    settings: dict[str, Any] = {"pace": 0.05, "worker_idle": 0.05, "worker_lease": 10}
    async with served(url, spool=str(tmp_path / "spool"), **settings) as api:
        async with watch.watching(api.gateway):
            worker = Worker(api.gateway)
            working = asyncio.create_task(worker.run())
            restarting = asyncio.create_task(restart(own_postgres, stopping))
            keys = await load(api, told)
            stopping.set()
            restarts = await restarting
            statuses = await settled(api)
            worker.stop()
            await working
        provider: Any = api.gateway.providers["efidem"]
        sent = Counter(one.message_id for one in provider.submissions)
        async with api.gateway.database.reading() as connection:
            kept = await connection.execute(select(messages.c.id, messages.c.reference))
            rows = {row.id: row.reference for row in kept}
        attempted = await counted(api, attempts.c.outcome)
        refused = [row for row in await counted(api, events.c.applied) if row.applied is False]

    twice = [one for one, times in sent.items() if times > 1]
    kept_as = {reference: shown(MESSAGE, one) for one, reference in rows.items()}
    lost = [key for key, told_id in told.ids.items() if kept_as.get(key) != told_id]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(keys)} messages in {SECONDS:g} s, {restarts} restarts, "
            f"{told.answers[503]} x 503, {told.broken} broken connections, slowest answer "
            f"{told.slowest:.1f} s, lost {len(lost)}, twice {len(twice)}, {statuses}, {attempted}\n"
        )
    assert restarts >= 2
    assert told.answers[503] > 0
    assert told.given_up == []
    assert lost == []
    assert twice == []
    assert len(rows) == len(keys)  # one message for each key, however often it was handed in
    assert sorted(rows.values()) == sorted(keys)
    assert statuses.keys() <= {"submitted", "uncertain"}
    assert statuses["submitted"] >= len(keys) * 0.9
    # What was not sent is uncertain, and what was sent is submitted, or uncertain where the claim
    # of a message that was never called stood after all.
    assert len(sent) >= statuses["submitted"]
    assert refused == []
