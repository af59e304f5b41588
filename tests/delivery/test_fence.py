"""A fax whose document nobody fetched cannot have been faxed: its token is taken back, and proves it."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.delivery import acknowledge, reconcile, submit
from app.delivery.conclude import Ended, Held
from app.domain.acknowledgement import Acknowledgement
from app.domain.message import Channel
from app.domain.outcome import Accepted
from app.store import attempts
from app.store.uncertain import PROVEN
from tests.delivery.reconciling import BROKE, die, look
from tests.gateways import World, fax

pytestmark = pytest.mark.anyio

WORKERS, INTERLEAVINGS = 8, 300


async def lost(world: World, **options: object) -> tuple[UUID, Held]:
    message_id = await world.keep(fax(), **options)
    return message_id, await lose(world)


async def lose(world: World) -> Held:
    ((held,),) = await submit.claim(world.gateway, Channel.FAX, 10)
    await submit.record(world.gateway, [Ended(held=held, outcome=BROKE, function="http.php")])
    return held


async def fetched(world: World, held: Held) -> bool:
    assert held.document_url is not None
    token = held.document_url.rpartition("/")[2].removesuffix(".pdf")
    async with world.gateway.database.transaction() as connection:
        return await attempts.fetch(connection, token, world.clock.now()) is not None


async def bring(world: World, held: Held, code: str = "0") -> None:
    brought = Acknowledgement(
        reference=held.claim.reference,
        code=code,
        number="0199000001",
        pages=3,
        provider_time="10:12",
    )
    await acknowledge.receive(world.gateway, "fax123", brought)


async def test_a_document_that_nobody_fetched_is_closed_and_the_fax_sent_again_by_itself(
    world: World,
) -> None:
    message_id, first = await lost(world)

    await look(world, minutes=2)

    row = await world.row(message_id)
    assert (row["status"], row["due_at"]) == ("queued", world.clock.now())
    event = (await world.events(message_id))[-1]
    assert (event["type"], event["detail"]["evidence"]) == (
        "message.retrying",
        "document_never_fetched",
    )
    assert not await fetched(world, first)
    await world.submit(Channel.FAX, Accepted(None, "113"))
    one, two = await world.attempts(message_id)
    assert (one["outcome"], two["outcome"]) == ("absent", "accepted")
    assert await fetched(world, first) is False


async def test_a_fax_whose_worker_died_before_the_call_is_sent_again(world: World) -> None:
    message_id = await world.keep(fax())
    await die(world, Channel.FAX)

    await look(world, minutes=2)

    assert (await world.row(message_id))["status"] == "queued"


async def test_what_the_client_wants_held_is_held_with_the_proof(world: World) -> None:
    message_id, first = await lost(world, on_uncertain="hold")

    await look(world, minutes=2)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"]) == ("uncertain", PROVEN)
    assert not await fetched(world, first)


async def test_a_document_that_was_fetched_leaves_only_the_acknowledgement_to_wait_for(
    world: World,
) -> None:
    message_id, first = await lost(world)
    assert await fetched(world, first)

    for _ in range(5):
        await look(world, hours=1)
    assert (await world.events(message_id))[-1]["type"] == "message.uncertain"
    for _ in range(3):
        await look(world, hours=3)

    row = await world.row(message_id)
    types = [one["type"] for one in await world.events(message_id)]
    assert types.count("message.ack_overdue") == 1
    assert (row["status"], row["attempts"]) == ("uncertain", 1)
    assert row["ack_overdue_at"] is not None
    await bring(world, first)
    assert (await world.row(message_id))["status"] == "delivered"


async def test_an_acknowledgement_of_the_closed_attempt_does_not_fail_the_next(
    world: World,
) -> None:
    message_id, first = await lost(world)
    await look(world, minutes=2)
    await world.submit(Channel.FAX, Accepted(None, "113"))

    await bring(world, first, "25011")  # "pas de fichier"

    assert (await world.row(message_id))["status"] == "submitted"


async def test_after_three_attempts_that_nobody_fetched_a_person_is_asked(world: World) -> None:
    message_id, _ = await lost(world)
    for _ in range(2):
        await look(world, minutes=2)
        world.clock.turn(seconds=1)
        await lose(world)
    await look(world, minutes=2)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"], row["attempts"]) == ("uncertain", PROVEN, 3)


async def test_either_the_fetch_or_the_fence_comes_first_however_they_meet(world: World) -> None:
    """A document that was served is never sent again, and one that is sent again never served."""
    generator = random.Random(11)
    gate = asyncio.Semaphore(WORKERS)
    won = {"fetch": 0, "fence": 0}

    async def meet(place: int) -> None:
        async with gate:
            message_id, held = prepared[place]
            one = reconcile.Taken(rows=[await world.row(message_id)])
            served, _ = await asyncio.gather(fetch_later(place, held), settle_later(one))
            status = (await world.row(message_id))["status"]
            assert (served, status) in {(True, "uncertain"), (False, "queued")}
            assert not (await fetched(world, held) and status == "queued")
            won["fetch" if served else "fence"] += 1

    async def fetch_later(place: int, held: Held) -> bool:
        # Some come late enough on a slow machine too.
        await asyncio.sleep(generator.random() * (0.05 if place % 10 else 1.0))
        return await fetched(world, held)

    async def settle_later(one: reconcile.Taken) -> None:
        await asyncio.sleep(generator.random() * 0.01)
        await reconcile.settle(world.gateway, one)

    prepared = await many(world)

    await asyncio.gather(*(meet(place) for place in range(INTERLEAVINGS)))

    assert sum(won.values()) == INTERLEAVINGS
    assert min(won.values()) > 0, won


async def many(world: World) -> list[tuple[UUID, Held]]:
    for _ in range(INTERLEAVINGS):
        await world.keep(fax())
    held = [one for (one,) in await submit.claim(world.gateway, Channel.FAX, INTERLEAVINGS)]
    ended = [Ended(held=one, outcome=BROKE, function="http.php") for one in held]
    await submit.record(world.gateway, ended)
    assert len(held) == INTERLEAVINGS
    return [(one.claim.message_id, one) for one in held]


async def test_the_fence_holds_at_the_pace_of_a_laptop(world: World) -> None:
    world.gateway = replace(world.gateway, timing=replace(world.gateway.timing, pace=0.05))
    message_id, _ = await lost(world)
    assert (await world.row(message_id))["due_at"] == world.clock.now() + timedelta(seconds=6)
