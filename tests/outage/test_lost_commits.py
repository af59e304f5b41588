"""The link to PostgreSQL breaks around a COMMIT: what became of it is found out, not assumed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from app.delivery import limit, settle, spool, submit
from app.delivery.accept import Key, accept
from app.delivery.fault_points import Action, Armed, FaultPoints, Point
from app.delivery.gateway import Timing
from app.delivery.hear import Hearing
from app.delivery.insist import Insisting
from app.domain.acknowledgement import Acknowledgement
from app.domain.message import Channel
from app.domain.outcome import Accepted
from app.store import migrate
from app.store.database import CommitUnknown, Database
from app.store.tables import acknowledgements, attempts, counters, events, messages
from tests.delivery.test_hear import until_somebody_waits
from tests.gateways import World, fax, sms
from tests.outage.link import Cut, Link, linked, mixed
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

TIMES = 51  # a third of each kind


@pytest.fixture
async def cut_world(postgres: Postgres, tmp_path: Path) -> AsyncIterator[tuple[World, Link, World]]:
    """A gateway behind a link, the link, and the same store without a link."""
    url = postgres.create(f"lost_{uuid4().hex}")
    plain = Database(url)
    await migrate.upgrade(plain)
    async with linked(url) as (link, through):
        behind = Database(through)
        world = World(behind)
        world.gateway = replace(world.gateway, spool=tmp_path / "spool", timing=Timing(pace=0.02))
        await world.open()
        direct = World(plain)
        direct.gateway = replace(direct.gateway, ids=world.gateway.ids, now=world.gateway.now)
        yield world, link, direct
        await behind.close()
    await plain.close()


async def rows(world: World, table: object) -> int:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(func.count()).select_from(table))  # type: ignore[arg-type]
        return int(found.scalar_one())


@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without a key"])
async def test_an_accept_is_kept_once_and_says_so(
    cut_world: tuple[World, Link, World], *, keyed: bool
) -> None:
    world, link, direct = cut_world

    for place, cut in enumerate(mixed(TIMES, seed=1)):
        key = Key(client_id=world.client_id, mode="live", key=f"k{place}", fingerprint="f")
        arrival = world.arrival(sms(), key=key if keyed else None)
        link.cuts.append(cut)

        assert await accept(world.gateway, [arrival]) == [None], cut

        assert link.cuts == []
        assert await direct.statuses(arrival.object_id) == ["queued"]

    assert await rows(direct, messages) == TIMES
    assert await rows(direct, events) == TIMES


async def test_an_accept_that_nobody_can_look_up_is_called_unknown(
    cut_world: tuple[World, Link, World],
) -> None:
    world, link, direct = cut_world
    arrival = world.arrival(sms())
    link.cuts.append(Cut.AFTER)
    link.refuses_after_a_cut = True

    with pytest.raises(CommitUnknown):
        await accept(world.gateway, [arrival])

    assert await direct.statuses(arrival.object_id) == ["queued"]


async def test_a_claim_is_gone_on_with_only_where_it_stands(
    cut_world: tuple[World, Link, World],
) -> None:
    world, link, direct = cut_world
    ids = [await world.keep(sms()) for _ in range(TIMES)]
    dropped = 0

    for cut in mixed(TIMES, seed=2):
        link.cuts.append(cut)
        held = await submit.claim(world.gateway, Channel.SMS, 1)
        assert link.cuts == []
        assert cut is not Cut.AFTER or len(held) == 1
        assert cut is not Cut.BEFORE or held == []
        dropped += not held
        for call in held:
            await submit.record(world.gateway, await submit.call(world.gateway, call))
    while held := await submit.claim(world.gateway, Channel.SMS, 10):
        for call in held:
            await submit.record(world.gateway, await submit.call(world.gateway, call))
    world.clock.turn(minutes=10)
    await settle.lose_leases(world.gateway)

    sent = [one.message_id for one in world.provider.submissions]
    assert len(sent) == len(set(sent))
    assert dropped >= TIMES // 3
    for message_id in ids:
        status = (await direct.row(message_id))["status"]
        # What was dropped although it stood was not sent: a false `uncertain`.
        assert status == ("submitted" if message_id in sent else "uncertain")


async def test_an_outcome_is_written_once(cut_world: tuple[World, Link, World]) -> None:
    world, link, direct = cut_world
    ids = [await world.keep(sms()) for _ in range(TIMES)]
    insisting = Insisting(world.gateway)

    for cut in mixed(TIMES, seed=3):
        ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)
        ended = await submit.call(world.gateway, [held])
        link.cuts.append(cut)
        await insisting.write_down(ended)
        assert link.cuts == []

    for message_id in ids:
        assert [one["status"] for one in await direct.events(message_id)] == [
            "queued",
            "submitting",
            "submitted",
        ]
        (attempt,) = await direct.attempts(message_id)
        assert (attempt["outcome"], attempt["late"]) == ("accepted", None)
    assert await rows(direct, attempts) == TIMES


async def test_an_outcome_that_comes_after_its_lease_is_kept_as_evidence_once(
    cut_world: tuple[World, Link, World],
) -> None:
    world, link, direct = cut_world
    message_id = await world.keep(sms())
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)
    ended = await submit.call(world.gateway, [held])
    world.clock.turn(minutes=9)
    await settle.lose_leases(world.gateway)
    link.cuts.extend([Cut.AFTER, Cut.BEFORE])

    await Insisting(world.gateway).write_down(ended)

    assert link.cuts in ([], [Cut.BEFORE])
    found = [(one["status"], one["applied"]) for one in await direct.events(message_id)]
    assert found[:3] == [("queued", True), ("submitting", True), ("uncertain", True)]
    assert found[3:] == [("submitted", False)]
    (attempt,) = await direct.attempts(message_id)
    assert attempt["late"]["outcome"] == "accepted"


@pytest.mark.parametrize("short", [False, True])
async def test_a_callback_is_applied_once(
    cut_world: tuple[World, Link, World], *, short: bool
) -> None:
    world, link, direct = cut_world
    together = Hearing(world.gateway) if short else None
    held = []
    for _ in range(TIMES):
        await world.keep(fax())
        held += await world.submit(Channel.FAX, Accepted(None, "113", "Document transmis"))

    for cut, ended in zip(mixed(TIMES, seed=4), held, strict=True):
        brought = Acknowledgement(
            reference=ended.held.claim.reference,
            code="0",
            number="0199000001",
            pages=3,
            provider_time=None,
        )
        link.cuts.append(cut)
        await spool.receive(world.gateway, "fax123", brought, together)
        assert link.cuts == []
    replayed = await spool.hand_on_waiting(world.gateway)

    assert replayed == TIMES
    assert await spool.hand_on_waiting(world.gateway) == 0
    assert await rows(direct, acknowledgements) == TIMES
    for ended in held:
        assert await direct.statuses(ended.held.claim.message_id) == [
            "queued",
            "submitting",
            "submitted",
            "delivered",
        ]


async def test_an_outcome_waits_for_a_store_that_is_away_beyond_its_lease(
    cut_world: tuple[World, Link, World],
) -> None:
    world, link, direct = cut_world
    message_id = await world.keep(sms())
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)
    ended = await submit.call(world.gateway, [held])
    link.swallowing = True
    link.break_all()
    writing = asyncio.create_task(Insisting(world.gateway).write_down(ended))
    await asyncio.sleep(0.2)
    world.clock.turn(seconds=timedelta(minutes=5).total_seconds())
    assert not writing.done()

    link.swallowing = False
    link.break_all()
    await writing

    assert (await direct.row(message_id))["status"] == "submitted"


async def test_an_outcome_waits_for_its_own_first_transaction(
    cut_world: tuple[World, Link, World],
) -> None:
    world, _, direct = cut_world
    message_id = await world.keep(sms())
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)
    ended = [
        replace(one, again=True)  # as what is not plain goes
        for one in await submit.call(world.gateway, [held])
    ]
    slow = FaultPoints({Point.RECORDING: Armed(action=Action.SLEEP, seconds=0.5)})
    first = asyncio.create_task(submit.record(replace(world.gateway, fault_points=slow), ended))
    await asyncio.sleep(0.2)

    again = await submit.record(world.gateway, ended)

    assert (again, await first) == ([True], [True])
    assert await direct.statuses(message_id) == ["queued", "submitting", "submitted"]


async def test_an_outcome_waits_for_its_own_first_commit(
    cut_world: tuple[World, Link, World],
) -> None:
    world, _, direct = cut_world
    message_id = await world.keep(sms())
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)
    ended = await submit.call(world.gateway, [held])
    async with direct.gateway.database.transaction() as connection:
        # The first is held up in its midst: its message is written, its attempt is not yet.
        await connection.execute(select(attempts).with_for_update())
        first = asyncio.create_task(submit.record(world.gateway, ended))
        await until_somebody_waits(direct)
        once_more = [replace(one, again=True) for one in ended]
        second = asyncio.create_task(submit.record(world.gateway, once_more))
        await asyncio.sleep(0.2)
        assert [one.done() for one in (first, second)] == [False, False]

    assert (await second, await first) == ([True], [True])
    assert [one["status"] for one in await direct.events(message_id)] == [
        "queued",
        "submitting",
        "submitted",
    ]


async def test_who_stops_while_it_counts_anew_holds_nobody_up(
    cut_world: tuple[World, Link, World],
) -> None:
    world, link, direct = cut_world
    await accept(direct.gateway, [direct.arrival(sms())])
    async with direct.gateway.database.transaction() as connection:
        await connection.execute(update(counters).values(value=counters.c.value + 1))
    link.stops_after = b"LOCK TABLE counters"

    counting = asyncio.create_task(limit.recount(world.gateway.database))
    while not link.stopped:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    async with asyncio.timeout(2):
        assert await accept(direct.gateway, [direct.arrival(sms())]) == [None]

    counting.cancel()
    await asyncio.gather(counting, return_exceptions=True)
    assert await limit.recount(direct.gateway.database) == {}
