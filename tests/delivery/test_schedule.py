"""Scheduled messages: claimed when the store's clock says so, cancelled before, expired after."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.delivery import cancel, settle, submit
from app.delivery.acting import Actor
from app.domain.errors import AlreadySubmitted
from app.domain.message import Channel, Letter
from app.domain.outcome import Blocked
from app.store.clock import Clock
from app.store.database import Database
from app.store.tables import messages
from tests.delivery.test_campaigns import campaign, standing, text
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio

MOMENT = timedelta(microseconds=1)


def letter() -> Letter:
    return Letter(
        last_name="Durand",
        first_name="Marie",
        line1="12 RUE DES LILAS",
        postal_code="75011",
        city="PARIS",
        country="FR",
        files=(),
    )


async def test_a_message_is_claimed_at_its_time_and_not_a_moment_before(world: World) -> None:
    send_at = world.clock.now() + timedelta(hours=3)
    message_id = await world.keep(sms(), send_at=send_at)

    world.clock.time = send_at - MOMENT
    assert await submit.claim(world.gateway, Channel.SMS, 1) == []
    world.clock.time = send_at
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)

    assert held.claim.message_id == message_id
    assert await world.statuses(message_id) == ["scheduled", "submitting"]


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(hours=-2)])
async def test_the_stores_clock_decides_and_not_the_hosts(
    world: World, database: Database, ahead: timedelta
) -> None:
    """On SQLite the host's clock is the store's; there it is set wrong after the measurement."""
    ticks = 0.0
    wrong = timedelta(0)
    clock = Clock(database, host=lambda: datetime.now(UTC) + wrong, ticks=lambda: ticks)
    if not database.is_sqlite:
        wrong = ahead
    await clock.measure()
    wrong = ahead
    gateway = replace(world.gateway, now=clock.now)
    real = datetime.now(UTC)
    assert abs(clock.now() - real) < timedelta(seconds=5)
    world.clock.time = real
    message_id = await world.keep(sms(), send_at=real + timedelta(minutes=30))

    assert await submit.claim(gateway, Channel.SMS, 1) == []
    ticks += 1795
    assert await submit.claim(gateway, Channel.SMS, 1) == []
    ticks += 10
    ((held,),) = await submit.claim(gateway, Channel.SMS, 1)

    assert held.claim.message_id == message_id


@pytest.mark.parametrize(
    ("before", "after", "apart"),
    [
        # The night of 29 March 2026: 02:00 is 03:00 at once. Two local hours, one real one.
        ("2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00", timedelta(hours=1)),
        # The night of 25 October 2026: 02:30 comes twice, and its offset says which.
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", timedelta(hours=1)),
    ],
)
async def test_on_the_nights_when_clocks_change_offsets_decide(
    world: World, before: str, after: str, apart: timedelta
) -> None:
    first_at, second_at = datetime.fromisoformat(before), datetime.fromisoformat(after)
    world.clock.time = first_at.astimezone(UTC) - timedelta(hours=6)
    first = await world.keep(sms(), send_at=first_at)
    second = await world.keep(sms(), send_at=second_at)

    taken = {}
    for _ in range(60 * 9):
        for (held,) in await submit.claim(world.gateway, Channel.SMS, 10):
            taken[held.claim.message_id] = world.clock.now()
        world.clock.turn(minutes=1)

    assert taken[first] == first_at
    assert taken[second] == second_at
    assert taken[second] - taken[first] == apart


async def test_what_waits_on_a_stopped_channel_expires_in_time(world: World) -> None:
    await world.keep(sms())
    await world.submit(Channel.SMS, Blocked("provider_credentials", "-6"))
    expires_at = world.clock.now() + timedelta(seconds=20)
    message_id = await world.keep(sms(), expires_at=expires_at)
    scheduled = await world.keep(
        sms(), send_at=world.clock.now() + timedelta(seconds=10), expires_at=expires_at
    )
    assert await submit.claim(world.gateway, Channel.SMS, 10) == []

    world.clock.time = expires_at - MOMENT
    await settle.expire(world.gateway)
    assert await standing(world, [message_id, scheduled]) == ["queued", "scheduled"]
    world.clock.time = expires_at
    await settle.expire(world.gateway)

    assert await standing(world, [message_id, scheduled]) == ["expired"] * 2
    *_, last = await world.events(message_id)
    assert (last["type"], last["detail"]) == ("message.expired", {"why": "expires_at"})
    assert (await world.row(message_id))["due_at"] is None


async def test_what_is_past_its_time_is_not_claimed_though_nobody_looked_yet(
    world: World,
) -> None:
    await world.keep(sms(), expires_at=world.clock.now() + timedelta(minutes=1))
    world.clock.turn(minutes=1)

    assert await submit.claim(world.gateway, Channel.SMS, 10) == []


async def test_a_campaign_expires_whole(world: World) -> None:
    ids = await campaign(world, [text(place) for place in range(3)])
    async with world.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages).values(expires_at=world.clock.now() + timedelta(minutes=1))
        )
    world.clock.turn(minutes=1)

    await settle.expire(world.gateway)

    assert await standing(world, ids) == ["expired"] * 3


async def test_a_letter_is_cancelled_inside_its_window_and_not_after_the_claim(
    world: World,
) -> None:
    window = world.clock.now() + timedelta(seconds=600)
    first = await world.keep(letter(), send_at=window)
    second = await world.keep(letter(), send_at=window)
    actor = Actor(client_id=world.client_id, mode="live", name="client", key_id="K")

    world.clock.time = window - MOMENT
    assert await submit.claim(world.gateway, Channel.LETTER, 10) == []
    found = await cancel.cancel(world.gateway, actor, await world.row(first))
    world.clock.time = window
    ((held,),) = await submit.claim(world.gateway, Channel.LETTER, 10)

    assert found["status"] == "cancelled"
    assert held.claim.message_id == second
    with pytest.raises(AlreadySubmitted):
        await cancel.cancel(world.gateway, actor, await world.row(second))
    assert await standing(world, [first, second]) == ["cancelled", "submitting"]
