"""Too much that is uncertain pauses a channel, until it is settled."""

import pytest
from sqlalchemy import select

from app.delivery import admit, brake, reconcile, submit
from app.domain.message import Channel
from app.domain.outcome import Accepted, NoAnswer
from app.domain.standing import Standing, State
from app.store import channels
from app.store.tables import attempts, messages
from tests.delivery.reconciling import (
    BROKE,
    die,
    email,
    later,
    letter,
    look,
    lost,
    prove_absent,
    with_reports,
)
from tests.gateways import World

pytestmark = pytest.mark.anyio

ANSWERED = Accepted("a" * 32)


async def standing(world: World, channel: Channel = Channel.EMAIL) -> Standing:
    async with world.gateway.database.reading() as connection:
        found = await channels.of_channel(connection, channel.value)
    return found.get("efidem", Standing())


async def send(world: World, number: int) -> None:
    """Lose so many, with an answer after each: no outage opens the circuit."""
    for _ in range(number):
        await lost(world, email())
        await world.keep(email())
        await world.submit(Channel.EMAIL, ANSWERED)


async def test_twenty_uncertain_messages_pause_their_channel_alone(world: World) -> None:
    await send(world, 19)
    assert (await standing(world)).state is State.CLOSED

    await world.keep(email())
    await world.submit(Channel.EMAIL, BROKE)

    found = await standing(world)
    assert (found.state, found.reason) == (State.STOPPED, brake.REASON)
    await world.keep(email())
    assert await submit.claim(world.gateway, Channel.EMAIL, 10) == []
    assert (await standing(world, Channel.SMS)).state is State.CLOSED


async def test_the_letters_of_test_keys_go_on_however_many_are_uncertain(world: World) -> None:
    for _ in range(3):
        await world.change(await lost(world, letter()), provider="efidem_test")

    async with world.gateway.database.transaction() as connection:
        concerned = {("efidem_test", Channel.LETTER.value)}
        await brake.apply(world.gateway, connection, concerned, world.clock.now())
        assert "efidem_test" not in await channels.of_channel(connection, Channel.LETTER.value)


async def test_three_uncertain_letters_are_enough(world: World) -> None:
    for _ in range(2):
        await lost(world, letter())
        await world.keep(letter())
        await world.submit(Channel.LETTER, ANSWERED)
    assert (await standing(world, Channel.LETTER)).state is State.CLOSED

    await world.keep(letter())
    await die(world, Channel.LETTER)

    assert (await standing(world, Channel.LETTER)).reason == brake.REASON


async def test_it_goes_on_slowly_when_enough_is_settled(world: World) -> None:
    reports = with_reports(world)
    await send(world, 20)
    assert (await standing(world)).state is State.STOPPED
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(
            select(attempts)
            .join(messages, messages.c.id == attempts.c.message_id)
            .where(messages.c.status == "uncertain")
            .limit(1)
        )
        reports.show(found.mappings().one())

    await look(world, minutes=2)

    assert await standing(world) == Standing(width=1)


async def test_what_is_proven_not_to_be_sent_does_not_hold_the_others_back(world: World) -> None:
    reports = with_reports(world)
    await send(world, 19)
    await lost(world, email())
    # The pause lets a message through now and then: it proves how far the report reaches.
    world.clock.turn(minutes=15)
    await admit.probe_due(world.gateway)
    await later(world, reports, email())
    await lost(world, email())
    assert (await standing(world)).reason == brake.REASON

    await prove_absent(world)

    assert (await standing(world)).state is State.CLOSED


async def test_a_provider_that_is_away_is_not_let_on_by_the_brake(world: World) -> None:
    reports = with_reports(world)
    for _ in range(20):
        await world.keep(email())
    await world.submit(Channel.EMAIL, *[BROKE] * 20)
    assert (await standing(world)).state is State.OPEN
    reports.rows.clear()
    world.provider.probes.append(NoAnswer("no connection"))

    await look(world, minutes=2)
    await admit.probe_due(world.gateway)
    await reconcile.claim(world.gateway)

    assert (await standing(world)).state is State.OPEN
