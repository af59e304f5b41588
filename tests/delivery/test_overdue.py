"""A fax that is not acknowledged: overdue after a while, then expired, and never given up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.api import answers
from app.delivery import track
from app.delivery.accept import accept
from app.domain.message import Channel
from app.domain.outcome import Accepted, NoStatus, NotAskable
from app.store import messages
from tests.delivery.test_fax_retry import BUSY, RECEIVED, bring, look, next_one, sent
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio


async def seen(world: World, message_id: Any) -> bool:
    found: bool = answers.message(await world.row(message_id))["fax"]["ack_overdue"]
    return found


async def types(world: World, message_id: Any) -> list[str]:
    return [one["type"].removeprefix("message.") for one in await world.events(message_id)]


async def test_a_missing_acknowledgement_is_overdue_once_and_then_the_fax_expires(
    world: World,
) -> None:
    message_id, _ = await sent(world)
    submitted = (await world.row(message_id))["submitted_at"]
    world.clock.turn(minutes=59, seconds=59)
    assert await track.claim(world.gateway, 10) == []

    world.clock.turn(seconds=1)
    await look(world)

    row = await world.row(message_id)
    assert (row["status"], row["ack_overdue_at"]) == ("submitted", world.clock.now())
    assert row["due_at"] == submitted + timedelta(hours=48)
    last = (await world.events(message_id))[-1]
    assert (last["type"], last["status"], last["applied"]) == (
        "message.ack_overdue",
        "submitted",
        True,
    )
    assert await seen(world, message_id)

    world.clock.turn(hours=24)
    # A worker that died during its look leaves the message to another one.
    async with world.gateway.database.transaction() as connection:
        due = {message_id: {"due_at": world.clock.now()}}
        await messages.note(connection, due, {message_id: row["fence"]})
    await look(world)
    assert (await world.row(message_id))["status"] == "submitted"
    world.clock.turn(hours=23)
    await look(world)

    assert (await world.row(message_id))["status"] == "expired"
    assert not await seen(world, message_id)
    assert await types(world, message_id) == [
        "queued",
        "submitting",
        "submitted",
        "ack_overdue",
        "expired",
    ]
    world.clock.turn(days=30)
    assert await track.claim(world.gateway, 10) == []


@pytest.mark.parametrize("hours", [2, 49])
async def test_a_late_acknowledgement_still_counts(world: World, hours: float) -> None:
    message_id, held = await sent(world)
    world.clock.turn(hours=1)
    await look(world)
    world.clock.turn(hours=hours - 1)
    await look(world)
    before = "expired" if hours > 48 else "submitted"
    assert (await world.row(message_id))["status"] == before

    await bring(world, held.claim.reference, RECEIVED)

    assert (await world.row(message_id))["status"] == "delivered"
    assert (await world.row(message_id))["ack_overdue_at"] is None
    assert not await seen(world, message_id)


async def test_a_late_failure_does_not_revive_an_expired_fax(world: World) -> None:
    message_id, held = await sent(world)
    world.clock.turn(hours=48)
    await look(world)
    assert (await world.row(message_id))["status"] == "expired"

    await bring(world, held.claim.reference, BUSY)

    last = (await world.events(message_id))[-1]
    assert ((await world.row(message_id))["status"], last["applied"]) == ("expired", False)


async def test_each_attempt_waits_for_its_own_acknowledgement(world: World) -> None:
    message_id, first = await sent(world)
    world.clock.turn(hours=1)
    await look(world)
    await bring(world, first.claim.reference, BUSY)
    assert not await seen(world, message_id)

    await next_one(world, message_id)
    assert not await seen(world, message_id)
    world.clock.turn(hours=1)
    await look(world)

    assert await seen(world, message_id)
    assert (await types(world, message_id)).count("ack_overdue") == 2


async def test_an_acknowledgement_that_comes_during_the_look_is_not_overdue(world: World) -> None:
    message_id, held = await sent(world)
    world.clock.turn(hours=1)
    (row,) = await track.claim(world.gateway, 10)
    asked = await track.ask(world.gateway, row)
    await bring(world, held.claim.reference, RECEIVED)

    await track.record(world.gateway, [asked])

    assert (await types(world, message_id))[-1] == "delivered"
    assert (await world.row(message_id))["ack_overdue_at"] is None


async def test_only_who_acknowledges_can_be_overdue(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))
    world.clock.turn(hours=2)

    world.provider.findings.append(NotAskable())
    await look(world)

    assert await types(world, message_id) == ["queued", "submitting", "submitted"]
    assert answers.message(await world.row(message_id))["fax"] is None


async def test_a_fax_of_a_provider_that_can_be_asked_is_asked_more_and_more_rarely(
    world: World,
) -> None:
    arrival = world.arrival(fax())
    (kept,) = arrival.messages
    asked = replace(arrival, messages=({**kept, "provider": "efidem"},))
    await accept(world.gateway, [asked])
    await world.submit(Channel.FAX)
    pauses = []
    for _ in range(8):
        due_at = (await world.row(kept["id"]))["due_at"]
        pauses.append((due_at - world.clock.now()).total_seconds())
        world.clock.turn(seconds=pauses[-1])
        world.provider.findings.append(NoStatus("-99"))
        await look(world)

    assert pauses == [10, 30, 60, 300, 900, 3600, 3600, 3600]
    assert "ack_overdue" not in await types(world, kept["id"])
