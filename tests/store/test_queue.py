"""The queue, with two sessions at once."""

import asyncio
from datetime import timedelta

import pytest

from app.domain.message import Channel
from app.domain.status import Status
from app.store import messages, queue
from app.store.messages import Move
from app.store.queue import Claim
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio
LEASE = timedelta(seconds=120)


async def claim(world: World, limit: int, channel: Channel = Channel.SMS) -> list[Claim]:
    async with world.gateway.database.transaction() as connection:
        return await queue.claim(
            connection,
            world.gateway.ids,
            channel,
            queue.Room(limit),
            now=world.clock.now(),
            lease=LEASE,
        )


async def test_no_message_is_claimed_twice_by_workers_at_once(world: World) -> None:
    kept = {await world.keep(sms()) for _ in range(60)}

    taken = await asyncio.gather(*(claim(world, 7) for _ in range(12)))

    claimed = [one.message_id for part in taken for one in part]
    assert len(claimed) == len(set(claimed)) == 60
    assert set(claimed) == kept


async def test_a_claim_takes_its_channel_only_and_the_oldest_first(world: World) -> None:
    kept = []
    for _ in range(3):
        kept.append(await world.keep(sms()))
        world.clock.turn(seconds=1)
    await world.keep(fax())

    taken = await claim(world, 2)

    assert {one.message_id for one in taken} == set(kept[:2])


async def test_a_claim_that_is_rolled_back_leaves_nothing(world: World) -> None:
    message_id = await world.keep(sms())

    async with world.gateway.database.transaction() as connection:
        await queue.claim(
            connection,
            world.gateway.ids,
            Channel.SMS,
            queue.Room(1),
            now=world.clock.now(),
            lease=LEASE,
        )
        await connection.rollback()

    row = await world.row(message_id)
    assert (row["status"], row["fence"]) == ("queued", 0)
    assert await world.attempts(message_id) == []


async def test_a_move_with_an_old_fence_changes_nothing(world: World) -> None:
    message_id = await world.keep(sms())
    (taken,) = await claim(world, 1)
    old = Move(
        message_id=message_id,
        to=Status.FAILED,
        at=world.clock.now(),
        source="provider_response",
        fence=taken.fence - 1,
    )

    async with world.gateway.database.transaction() as connection:
        moved = await messages.move(connection, world.gateway.ids, [old])

    assert moved == [False]
    assert (await world.row(message_id))["status"] == "submitting"
    assert len(await world.events(message_id)) == 2


async def test_a_move_that_the_table_forbids_changes_nothing(world: World) -> None:
    message_id = await world.keep(sms())
    jump = Move(
        message_id=message_id, to=Status.DELIVERED, at=world.clock.now(), source="provider_status"
    )

    async with world.gateway.database.transaction() as connection:
        moved = await messages.move(connection, world.gateway.ids, [jump])

    assert moved == [False]
    assert (await world.row(message_id))["status"] == "queued"


async def test_every_move_writes_its_event_and_their_numbers_have_no_gap(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS)

    found = await world.events(message_id)

    assert [one["sequence"] for one in found] == [1, 2, 3]
    assert [one["previous_status"] for one in found] == [None, "queued", "submitting"]
    assert (await world.row(message_id))["sequence"] == 3
