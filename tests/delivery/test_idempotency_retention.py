"""Idempotency-Keys are forgotten after their time, and never before what they made."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select

from app.delivery import accept, forget
from app.delivery.arrival import Key
from app.delivery.forget import Forgetting
from app.store.tables import events, idempotency_keys, messages
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio


async def send(world: World, name: str) -> UUID:
    key = Key(client_id=world.client_id, mode="live", key=name, fingerprint="a" * 64)
    arrival = world.arrival(sms(), key=key)
    await accept.accept(world.gateway, [arrival])
    return arrival.object_id


async def forget_message(world: World, message_id: UUID) -> None:
    """What no retention does yet: delete a message."""
    async with world.gateway.database.transaction() as connection:
        await connection.execute(delete(events).where(events.c.message_id == message_id))
        await connection.execute(delete(messages).where(messages.c.id == message_id))


async def walk(world: World) -> int:
    """Walk through all keys once; return in how many steps."""
    forgetting, steps = Forgetting(world.gateway), 1
    while await forgetting.step():
        steps += 1
    return steps


async def kept(world: World) -> set[str]:
    async with world.gateway.database.reading() as connection:
        return set((await connection.execute(select(idempotency_keys.c.key))).scalars())


async def test_a_key_outlives_its_ninety_days_while_its_message_stands(world: World) -> None:
    await send(world, "standing")
    await forget_message(world, await send(world, "gone"))

    world.clock.turn(days=89)
    await walk(world)
    early = await kept(world)
    world.clock.turn(days=2)
    await walk(world)

    assert early == {"standing", "gone"}
    assert await kept(world) == {"standing"}


async def test_a_key_that_made_nothing_that_is_kept_is_forgotten(world: World) -> None:
    async with world.gateway.database.transaction() as connection:
        await connection.execute(
            insert(idempotency_keys).values(
                client_id=world.client_id,
                mode="live",
                key="user",
                fingerprint="a" * 64,
                object_id=world.gateway.ids.new(),
                status=201,
                location="/",
                body="{}",
                created_at=world.clock.now(),
            )
        )

    world.clock.turn(days=91)
    await walk(world)

    assert await kept(world) == set()


async def test_all_keys_of_one_moment_are_walked_through_in_small_steps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget, "MOST", 4)
    # Ten keys of the same moment, of which every third lost its message; and a later one.
    for number in range(10):
        message_id = await send(world, f"k{number}")
        if number % 3 == 0:
            await forget_message(world, message_id)
    world.clock.turn(hours=1)
    await forget_message(world, await send(world, "later"))

    world.clock.turn(days=91)
    steps = await walk(world)

    assert steps == 3
    assert await kept(world) == {f"k{number}" for number in range(10) if number % 3}


async def test_a_forgotten_key_may_be_used_anew(world: World) -> None:
    await forget_message(world, await send(world, "again"))
    world.clock.turn(days=91)
    await walk(world)

    message_id = await send(world, "again")

    assert (await world.row(message_id))["status"] == "queued"


async def test_how_long_keys_are_kept_is_a_setting(world: World) -> None:
    object.__setattr__(world.gateway.timing, "keys_kept", timedelta(days=365))
    await forget_message(world, await send(world, "gone"))

    world.clock.turn(days=364)
    await walk(world)
    early = await kept(world)
    world.clock.turn(days=2)
    await walk(world)

    assert (early, await kept(world)) == ({"gone"}, set())
