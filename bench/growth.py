"""Accept, claim, read and take callbacks in, with few stored messages and with very many."""

import asyncio
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import select

from app.delivery import acknowledge, publish, submit
from app.delivery.accept import accept
from app.domain.acknowledgement import Acknowledgement
from app.domain.message import Channel
from app.store import reading
from app.store.tables import attempts, messages
from bench.asked import Asked, store
from bench.compared import Comparison, Sample
from bench.grown import arrivals, fill, opened, see_room
from bench.grown_service import bounds, requested, requested_of_files
from bench.measured import cpu
from bench.site import keep_to, make_logs
from tests.gateways import World, fax
from tests.postgres import Postgres

FEW: Final = 10_000
MANY: Final = 10_000_000
MANY_IN_A_FILE: Final = 1_000_000
PROBES: Final = 3_000  # messages that are read
COMMIT: Final = 64  # messages of one commit: what gathers at some hundred requests at once
# Messages, after which nine of ten pages of the keys' index have changed since the last checkpoint.
WARM: Final = 256_000
AT_ONCE: Final = 500  # of these
LOGS: Final = 192  # more files of PostgreSQL's log that are there: what is written until the end
SIZED: Final = {
    "shared_buffers": "4GB",
    "min_wal_size": "4GB",
    "max_wal_size": "12GB",
    "checkpoint_timeout": "30min",
    "random_page_cost": "1.1",
    "wal_level": "replica",
    "max_wal_senders": "10",
}
# While it is filled: what a transaction writes into a table of its own has no log.
FILLING: Final = SIZED | {"wal_level": "minimal", "max_wal_senders": "0"}
Work = Callable[[World], Awaitable[list[float]]]


def growth(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, sized for many: over HTTP, and by the gateway's own steps alone."""
    with ExitStack() as stack:
        stack.enter_context(quiet())
        server = asked.server(stack)
        if asked.running is None:
            _size(server, FILLING)
        urls = filled(asked, server, MANY)
        if asked.running is None:
            _size(server, SIZED)
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                make_logs(connection, LOGS)
            keep_to(server, asked.database)
            # As it is between two checkpoints: the first change of each page after one is dear.
            _, large = urls.values()
            asyncio.run(_warm(large, asked.many(WARM)))
            os.sync()  # gigabytes that were just written are on the disk before anything is measured
        ids = {name: asyncio.run(_ids(url)) for name, url in urls.items()}
        yield from requested(asked, server, urls, ids)
        yield from compared(asked, server, urls, ids)


def growth_sqlite(asked: Asked) -> Iterator[Comparison]:
    """Files of SQLite's, over HTTP."""
    with quiet():
        urls = filled(asked, None, MANY_IN_A_FILE)
        ids = {name: asyncio.run(_ids(url)) for name, url in urls.items()}
        yield from requested_of_files(asked, urls, ids)


def filled(asked: Asked, server: Postgres | None, most: int) -> dict[str, str]:
    """Return a store of few messages and one of many, each by how many it holds."""
    sizes = asked.many(FEW), asked.many(most)
    see_room(asked.folder, sizes[-1])
    urls = {}
    for many in sizes:
        url = store(server, asked.folder_of("grown"))
        urls[f"{fill(url, many):,} stored"] = url
    return urls


def _size(server: Postgres, settings: Mapping[str, str]) -> None:
    """Give PostgreSQL the memory that docs/performance.md wants for so many messages."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
    server.stop()
    server.start()


async def _warm(url: str, many: int) -> None:
    """Take messages in, send and publish them: none of it is left to do when others are measured."""
    world = await opened(url)
    for _ in range(0, many, AT_ONCE):
        await accept(world.gateway, arrivals(world, AT_ONCE))
        await _sent(world, AT_ONCE)
        await publish.publish(world.gateway)
    while await publish.publish(world.gateway):
        pass
    await world.gateway.database.close()


@contextmanager
def quiet() -> Iterator[None]:
    """Log nothing but errors, until it is left."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)


def compared(
    asked: Asked, server: Postgres, urls: Mapping[str, str], ids: Mapping[str, list[UUID]]
) -> Iterator[Comparison]:
    """Do the same work on stores that are filled already, in turn; nothing hides what they cost."""
    rounds = max(4, int(asked.seconds * 20))
    works: dict[str, Callable[[str], Work]] = {
        "accept": lambda _: partial(_accept, rounds=rounds),
        "claim and record": lambda _: partial(_dispatch, rounds=max(2, rounds // 4)),
        "read by id": lambda name: partial(_read, ids=ids[name], rounds=rounds * 10),
        "callback": lambda _: partial(_call_back, rounds=max(2, rounds // 4)),
    }
    for title, work in works.items():
        found = Comparison(
            f"{title}, {COMMIT} together, without HTTP",
            ("rate", "p50", "p99", "database"),
            bounds(urls, judged=False),
        )
        subjects = {name: partial(_measured, url, server, work(name)) for name, url in urls.items()}
        found.run(asked, subjects)
        yield found


def _measured(url: str, server: Postgres, work: Work) -> Sample:
    """Do some work on a store: how fast, how late the slowest, and what the database spent."""

    async def run() -> tuple[list[float], float, float]:
        world = await opened(url)
        await work(world)  # what is cold, and the connections
        began, spent = time.perf_counter(), cpu(server.pid)
        took = await work(world)
        seconds, database = time.perf_counter() - began, cpu(server.pid) - spent
        await world.gateway.database.close()
        return took, seconds, database

    took, _, database = asyncio.run(run())
    times = sorted(took)
    return Sample(
        {
            "rate": len(times) / sum(times),
            "p50": times[len(times) // 2] * 1000,
            "p99": times[int(len(times) * 0.99)] * 1000,
            "database": database / len(times) * 1e6,
        }
    )


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _accept(world: World, *, rounds: int) -> list[float]:
    return [await _timed(accept(world.gateway, arrivals(world, COMMIT))) for _ in range(rounds)]


async def _dispatch(world: World, *, rounds: int) -> list[float]:
    """Claim what was taken in before, answered at once, and write it down."""
    for _ in range(rounds):
        await accept(world.gateway, arrivals(world, COMMIT))
    return [await _timed(_sent(world, COMMIT)) for _ in range(rounds)]


async def _sent(world: World, most: int) -> None:
    held = await submit.claim(world.gateway, Channel.SMS, most)
    ended = [one for call in held for one in await submit.call(world.gateway, call)]
    await submit.record(world.gateway, ended)


async def _read(world: World, *, ids: list[UUID], rounds: int) -> list[float]:
    async with world.gateway.database.reading() as connection:
        # The same each time: when they are measured, they have been read once.
        return [
            await _timed(reading.find(connection, one, world.client_id, "live"))
            for one in ids[:rounds]
        ]


async def _call_back(world: World, *, rounds: int) -> list[float]:
    """Take in the acknowledgements of faxes that were sent before."""
    kept = [await world.keep(fax()) for _ in range(rounds)]
    while await world.submit(Channel.FAX):
        pass
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(
            select(attempts.c.reference).where(attempts.c.message_id.in_(kept))
        )
        references = list(found.scalars())
    return [
        await _timed(acknowledge.receive(world.gateway, "fax123", _acknowledged(one)))
        for one in references
    ]


def _acknowledged(reference: str) -> Acknowledgement:
    return Acknowledgement(
        reference=reference, code="0", number="0199000001", pages=3, provider_time="10:00"
    )


async def _ids(url: str) -> list[UUID]:
    """Return the ids of some messages from all over a store."""
    world = await opened(url)
    async with world.gateway.database.reading() as connection:
        ends = []
        for order in (messages.c.id, messages.c.id.desc()):
            found = await connection.execute(select(messages.c.id).order_by(order).limit(1))
            ends.append(found.scalar_one().int)
        ids: list[UUID] = []
        for _ in range(PROBES):
            about = UUID(int=random.randint(*ends))
            after = select(messages.c.id).where(messages.c.id >= about).order_by(messages.c.id)
            ids.append((await connection.execute(after.limit(1))).scalar_one())
    await world.gateway.database.close()
    return ids
