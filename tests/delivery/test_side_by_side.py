"""Whatever happens side by side, in two processes: rows, events, counters and positions agree.

Messages are taken in, claimed, called for, written down, acknowledged, cancelled and published at the
same time, the plain way and the general one; what comes first is nobody's choice.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select

from app.delivery import accept, cancel, limit, publish, submit
from app.delivery.acknowledge import Received
from app.delivery.acting import Actor
from app.delivery.arrival import Key
from app.delivery.gather import Gathering
from app.delivery.hear import Hearing
from app.domain.acknowledgement import Acknowledgement
from app.domain.errors import AlreadyFinal, AlreadySubmitted
from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.domain.outcome import Accepted, Deferred, Failure, Outcome, Refused
from app.store.database import Database, is_unavailable
from app.store.tables import attempts, events, messages
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

SECONDS = 3.0
AT_MOST = 30.0  # seconds, on a machine that is busy
REFUSED = Refused(Failure(type="technical", reason="x", retryable=False, label="no"))
OUTCOMES: Sequence[Outcome] = (*[Accepted("theirs", "0", "ok")] * 6, REFUSED, Deferred("busy"))


@dataclass
class Played:
    """What was done, by all processes."""

    kept: list[UUID] = field(default_factory=list)
    references: list[str] = field(default_factory=list)  # of faxes that were called for
    did: Counter[str] = field(default_factory=Counter)

    @property
    def all_was_done(self) -> bool:
        return min(self.did[name] for name in ("sent", "heard", "cancelled")) > 0


class Process:
    """One process's steps; several share a store."""

    def __init__(self, world: World, played: Played, seed: int) -> None:
        self._world = world
        self._gateway = world.gateway
        self._played = played
        self._draw = random.Random(seed)
        accepting = self._gateway
        self._accepting: Gathering[Any, Any] = Gathering(
            lambda items: accept.accept(accepting, items), is_unavailable
        )
        self._hearing = Hearing(self._gateway)

    def works(self) -> list[Callable[[], Awaitable[None]]]:
        """Return what is done again and again, each beside the others."""
        return [*[self._take] * 8, *[self._hear] * 4, self._send, self._send, self._cancel]

    async def _take(self) -> None:
        draw, world = self._draw, self._world
        name = f"k{draw.randrange(300)}" if draw.random() < 0.3 else None
        key = name and Key(client_id=world.client_id, mode="live", key=name, fingerprint="f")
        content = sms() if draw.random() < 0.6 else replace(fax(), retry_on=("busy",))
        one = world.arrival(content, key=key or None)
        # Without its file and its answer a message is plain.
        answer = replace(one.answer, kept=draw.random() < 0.2)
        one = replace(one, answer=answer, files=draw.choice([{}, one.files]))
        if await self._accepting.do(one) is None:
            self._played.kept.append(one.object_id)

    async def _send(self) -> None:
        draw, channel = self._draw, self._draw.choice([Channel.SMS, Channel.FAX])
        provider = self._world.fax if channel is Channel.FAX else self._world.provider
        ended = []
        for held in await submit.claim(self._gateway, channel, draw.randrange(1, 60)):
            provider.outcomes[:] = [draw.choice(OUTCOMES)]
            ended += await submit.call(self._gateway, held)
        if channel is Channel.FAX:
            self._played.references += [one.held.claim.reference for one in ended]
        cut = draw.randrange(len(ended) + 1)
        parts = [part for part in (ended[:cut], ended[cut:]) if part]
        await asyncio.gather(*(submit.record(self._gateway, part) for part in parts))
        self._played.did["sent"] += len(ended)
        await asyncio.sleep(0.01)

    async def _hear(self) -> None:
        draw = self._draw
        await asyncio.sleep(0.002)
        if not self._played.references:
            return
        brought = Acknowledgement(
            reference=draw.choice(self._played.references[-200:]),
            code=draw.choice(["0", "0", "31064", "31083", "39999"]),
            number=draw.choice([*["0199000001"] * 4, "0199000002"]),
            pages=draw.choice([3, 3, 0, None]),
            provider_time=None,
        )
        note = await self._hearing.do(Received("fax123", brought))
        self._played.did["heard"] += note is None

    async def _cancel(self) -> None:
        await asyncio.sleep(0.005)
        if not self._played.kept:
            return
        actor = Actor(client_id=self._world.client_id, mode="live", name="client", key_id="k")
        row = await self._world.row(self._draw.choice(self._played.kept[-100:]))
        found = await asyncio.gather(
            cancel.cancel(self._gateway, actor, row), return_exceptions=True
        )
        if isinstance(found[0], BaseException):
            assert isinstance(found[0], AlreadySubmitted | AlreadyFinal), found
        self._played.did["cancelled"] += 1


async def rows(world: World, table: Table) -> list[Any]:
    async with world.gateway.database.reading() as connection:
        return list((await connection.execute(select(table))).mappings())


async def rests(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.01))


async def test_rows_events_counters_and_positions_agree(world: World, database_url: str) -> None:
    other = World(Database(database_url), seed=8)
    other.client_id, other.clock = world.client_id, world.clock
    ids = Identifiers(world.clock.now, random.Random(9).randbytes)
    other.gateway = replace(other.gateway, now=world.clock.now, ids=ids)
    # A file has one writer: two processes would wait for each other, most of the time.
    worlds = [world] if world.gateway.database.is_sqlite else [world, other]
    played = Played()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def again(work: Callable[[], Awaitable[None]]) -> None:
        while loop.time() < began + (SECONDS if played.all_was_done else AT_MOST):
            await work()

    async def keeps_time() -> None:
        await asyncio.sleep(SECONDS / 10)
        world.clock.turn(minutes=5)  # what was deferred is due again
        assert await limit.recount(world.gateway.database) == {}

    works = [work for seed, one in enumerate(worlds) for work in Process(one, played, seed).works()]
    works += [publish.Publishing(one.gateway, rests).step for one in worlds]
    await asyncio.gather(*map(again, [*works, keeps_time]))

    assert played.all_was_done, played.did
    assert await limit.recount(world.gateway.database) == {}
    while await publish.publish(world.gateway):
        pass
    await publish.publish(world.gateway)
    told, tried = (
        defaultdict(list),
        Counter(one["message_id"] for one in await rows(world, attempts)),
    )
    for one in sorted(await rows(world, events), key=lambda one: one["sequence"]):
        told[one["message_id"]].append(one)
    kept = await rows(world, messages)
    assert {one["id"] for one in kept} == set(played.kept)
    for row in kept:
        of = told[row["id"]]
        assert [one["sequence"] for one in of] == list(range(1, row["sequence"] + 1))
        moves = [one for one in of if one["applied"]]
        before = [None, *(one["status"] for one in moves)]
        assert [one["previous_status"] for one in moves] == before[:-1]
        assert before[-1] == row["status"]
        assert tried[row["id"]] == row["attempts"]
        assert [one["position"] for one in of] == sorted(one["position"] for one in of)
    positions = sorted(one["position"] for those in told.values() for one in those)
    assert positions == list(range(1, len(positions) + 1))
    await other.gateway.database.close()
