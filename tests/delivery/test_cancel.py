"""Cancelling: it wins or the claim does, and a campaign leaves without whom it lost."""

import asyncio
import random
from uuid import UUID

import pytest
from sqlalchemy import RowMapping

from app.delivery import cancel, settle, submit
from app.delivery.acting import Actor
from app.domain.errors import AlreadyFinal, AlreadySubmitted
from app.domain.message import Channel
from app.domain.outcome import Accepted, Deferred, Unclear
from tests.delivery.test_campaigns import campaign, standing, text
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

ROUNDS = 200


def actor(world: World, key_id: str = "KEY0000001") -> Actor:
    return Actor(client_id=world.client_id, mode="live", name="client", key_id=key_id)


async def cancelled(world: World, message_id: UUID) -> RowMapping:
    return await cancel.cancel(world.gateway, actor(world), await world.row(message_id))


async def dues(world: World, ids: list[UUID]) -> list[bool]:
    return [(await world.row(one))["due_at"] is not None for one in ids]


async def test_a_cancelled_message_is_never_claimed_and_says_who_cancelled_it(
    world: World,
) -> None:
    message_id = await world.keep(sms())

    found = await cancelled(world, message_id)

    assert found["status"] == "cancelled"
    assert await world.submit(Channel.SMS) == []
    *_, last = await world.events(message_id)
    assert (last["type"], last["source"], last["applied"]) == ("message.cancelled", "client", True)
    assert last["detail"] == {"by": {"client": "client", "key": "KEY0000001"}}


async def test_a_second_cancel_changes_nothing(world: World) -> None:
    message_id = await world.keep(sms())
    await cancelled(world, message_id)

    again = await cancelled(world, message_id)

    assert again["status"] == "cancelled"
    assert await world.statuses(message_id) == ["queued", "cancelled"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Accepted("a" * 32), "submitted"), (Unclear("no answer"), "uncertain")],
)
async def test_what_may_have_left_cannot_be_cancelled(
    world: World, outcome: Accepted, status: str
) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, outcome)

    with pytest.raises(AlreadySubmitted):
        await cancelled(world, message_id)

    assert (await world.row(message_id))["status"] == status


async def test_what_waits_to_be_sent_again_can_be_cancelled(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Deferred("no connection"))

    await cancelled(world, message_id)

    world.clock.turn(hours=1)
    assert await world.submit(Channel.SMS) == []


async def test_what_expired_is_final(world: World) -> None:
    expires_at = world.clock.now().replace(hour=11)
    message_id = await world.keep(sms(), expires_at=expires_at)
    world.clock.turn(hours=2)
    await settle.expire(world.gateway)

    with pytest.raises(AlreadyFinal):
        await cancelled(world, message_id)


async def test_a_fax_that_was_cancelled_has_no_document_to_fetch(world: World) -> None:
    message_id = await world.keep(fax())

    await cancelled(world, message_id)

    assert await world.submit(Channel.FAX) == []
    assert await world.attempts(message_id) == []


async def test_either_the_cancel_or_the_claim_wins(world: World) -> None:
    generator = random.Random(11)
    won = {"cancel": 0, "claim": 0}

    async def cancelling(message_id: UUID) -> bool:
        row = await world.row(message_id)
        await asyncio.sleep(generator.uniform(0, 0.004))
        try:
            await cancel.cancel(world.gateway, actor(world), row)
        except AlreadySubmitted:
            return False
        return True

    async def sending() -> bool:
        await asyncio.sleep(generator.uniform(0, 0.008))
        return bool(await world.submit(Channel.SMS))

    for _ in range(ROUNDS):
        message_id = await world.keep(sms())
        before = len(world.provider.submissions)

        did_cancel, did_send = await asyncio.gather(cancelling(message_id), sending())

        sent = world.provider.submissions[before:]
        attempts = await world.attempts(message_id)
        # A claim that met the cancel's lock passed the message over.
        assert did_cancel != did_send
        assert (len(sent), len(attempts)) == ((0, 0) if did_cancel else (1, 1))
        status = (await world.row(message_id))["status"]
        assert status == ("cancelled" if did_cancel else "submitted")
        won["cancel" if did_cancel else "claim"] += 1
    assert min(won.values()) > 0, won


async def test_the_next_of_a_campaign_is_due_when_the_due_one_is_cancelled(world: World) -> None:
    ids = await campaign(world, [text(place) for place in range(4)])
    assert await dues(world, ids) == [True, False, False, False]
    due_at = (await world.row(ids[0]))["due_at"]

    await cancelled(world, ids[0])

    assert await dues(world, ids) == [False, True, False, False]
    assert (await world.row(ids[1]))["due_at"] == due_at
    await cancelled(world, ids[2])
    assert await dues(world, ids) == [False, True, False, False]
    await world.submit(Channel.SMS)
    (sent,) = world.provider.campaigns
    assert [one.message_id for one in sent.members] == [ids[1], ids[3]]
    assert await standing(world, ids) == ["cancelled", "submitted", "cancelled", "submitted"]


async def test_a_campaign_of_which_nothing_is_left_does_not_leave(world: World) -> None:
    ids = await campaign(world, [text(place) for place in range(3)])

    for one in ids:
        await cancelled(world, one)

    assert await world.submit(Channel.SMS) == []
    assert await dues(world, ids) == [False] * 3


async def test_a_campaigns_child_is_cancelled_or_sent_and_never_both(world: World) -> None:
    generator = random.Random(13)
    won = [0, 0]

    async def cancelling(message_id: UUID) -> bool:
        row = await world.row(message_id)
        await asyncio.sleep(generator.uniform(0, 0.004))
        try:
            await cancel.cancel(world.gateway, actor(world), row)
        except AlreadySubmitted:
            return False
        return True

    async def sending() -> None:
        await asyncio.sleep(generator.uniform(0, 0.008))
        await world.submit(Channel.SMS)

    for _ in range(40):
        ids = await campaign(world, [text(place) for place in range(4)])
        world.provider.campaigns.clear()
        chosen = generator.sample(ids, 2)

        *did, _ = await asyncio.gather(*(cancelling(one) for one in chosen), sending())
        await world.submit(Channel.SMS)

        gone = {one for one, was in zip(chosen, did, strict=True) if was}
        sent = [one.message_id for call in world.provider.campaigns for one in call.members]
        assert sorted(sent) == sorted(set(ids) - gone)
        assert len(world.provider.campaigns) == 1
        for one in ids:
            assert (await world.row(one))["status"] == ("cancelled" if one in gone else "submitted")
        won[0] += len(gone)
        won[1] += 2 - len(gone)
    assert min(won) > 0, won


async def test_a_batch_cancels_what_has_not_left(world: World) -> None:
    batch_id = world.gateway.ids.new()
    first = await world.keep(sms(), batch_id=batch_id)
    await world.submit(Channel.SMS)
    waiting = [await world.keep(sms(), batch_id=batch_id) for _ in range(3)]
    other = await world.keep(sms())

    assert await cancel.cancel_batch(world.gateway, actor(world), batch_id) == 3
    assert await cancel.cancel_batch(world.gateway, actor(world), batch_id) == 0

    assert await standing(world, [first, *waiting, other]) == [
        "submitted", "cancelled", "cancelled", "cancelled", "queued",
    ]  # fmt: skip


async def test_a_batch_is_cancelled_beside_claims_and_nothing_is_both(world: World) -> None:
    for _ in range(15):
        batch_id = world.gateway.ids.new()
        ids = [await world.keep(sms(), batch_id=batch_id) for _ in range(30)]
        before = len(world.provider.submissions)

        counts = await asyncio.gather(
            submit.claim(world.gateway, Channel.SMS, 7),
            cancel.cancel_batch(world.gateway, actor(world), batch_id),
            submit.claim(world.gateway, Channel.SMS, 7),
        )

        held = [one for calls in (counts[0], counts[2]) for call in calls for one in call]
        assert len(held) + counts[1] == 30
        for one in held:
            await submit.record(world.gateway, await submit.call(world.gateway, [one]))
        assert len(world.provider.submissions) - before == len(held)
        claimed = {one.claim.message_id for one in held}
        for one in ids:
            status = (await world.row(one))["status"]
            assert status == ("submitted" if one in claimed else "cancelled")
