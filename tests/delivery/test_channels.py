"""Channels that stop and circuits that open: shared, told once, and looked at without sending."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.delivery import admit, submit
from app.domain.message import Channel
from app.domain.outcome import (
    Accepted,
    Alive,
    Blocked,
    Deferred,
    Failure,
    NoAnswer,
    Outcome,
    Probed,
    Refused,
    Unclear,
)
from app.domain.standing import Standing, State, after_call, after_probe
from app.store import channels, reading
from app.store.tables import messages
from tests.gateways import BEGAN, World, sms

pytestmark = pytest.mark.anyio

AWAY = Unclear("no answer within 75 s")
NOT_SENT = Deferred("no connection")
WRONG = Blocked("provider_credentials", "-6")
FAILED = Refused(Failure(type="permanent", reason="invalid_recipient", retryable=False))


async def standing(world: World) -> Standing:
    async with world.gateway.database.reading() as connection:
        found = await channels.of_channel(connection, "sms")
    return found.get("efidem", Standing())


async def shown(world: World, message_id: UUID) -> str | None:
    async with world.gateway.database.reading() as connection:
        row = await reading.find(connection, message_id, world.client_id, "live")
    assert row is not None
    return row["channel_reason"]  # type: ignore[no-any-return]


async def claimed(world: World, limit: int = 100, under_way: int = 0) -> int:
    found = await submit.claim(world.gateway, Channel.SMS, limit, under_way=under_way)
    return len(found)


async def send(world: World, *outcomes: Outcome) -> None:
    """Send one message after the other."""
    for outcome in outcomes:
        await world.keep(sms())
        await world.submit(Channel.SMS, outcome)


async def probe(world: World, *found: Probed) -> None:
    for one in found:
        world.clock.turn(minutes=20)
        world.provider.probes.append(one)
        await admit.probe_due(world.gateway)


@pytest.mark.parametrize("failure", [AWAY, NOT_SENT])
async def test_three_unanswered_calls_in_a_row_open_the_circuit(
    world: World, failure: Outcome
) -> None:
    await send(world, failure, failure)
    assert (await standing(world)).state is State.CLOSED

    await send(world, failure)

    found = await standing(world)
    assert (found.state, found.reason) == (State.OPEN, "provider_unavailable")
    waiting = await world.keep(sms())
    assert await claimed(world) == 0
    assert await shown(world, waiting) == "provider_unavailable"


async def test_an_answer_in_between_keeps_it_closed(world: World) -> None:
    await send(world, AWAY, AWAY, Accepted("a" * 32), AWAY, AWAY, FAILED, AWAY, AWAY)

    assert (await standing(world)).state is State.CLOSED


@pytest.mark.parametrize(
    "outcome",
    [
        Unclear("a code that the document does not list", "-77"),
        Deferred("the provider answered HTTP 429", timedelta(seconds=5)),
        Deferred("the worker was held up before the call", ours=True),
        Blocked("provider_contract", "one function", stops=False),
    ],
)
async def test_what_is_no_outage_opens_nothing(world: World, outcome: Outcome) -> None:
    await send(world, *[outcome] * 5)

    assert (await standing(world)).state is State.CLOSED


async def test_what_a_person_must_mend_stops_the_channel_and_nothing_else(world: World) -> None:
    first = await world.keep(sms())
    await world.submit(Channel.SMS, WRONG)
    second = await world.keep(sms())

    assert (await standing(world)).state is State.STOPPED
    assert await claimed(world) == 0
    assert await shown(world, second) == await shown(world, first) == "provider_credentials"
    assert (await world.row(first))["status"] == "queued"
    assert await submit.claim(world.gateway, Channel.EMAIL, 1) == []


async def test_a_call_that_sends_nothing_reopens_and_messages_leave_one_by_one_first(
    world: World,
) -> None:
    await send(world, WRONG)
    for _ in range(40):
        await world.keep(sms())

    await probe(world, Alive())

    assert world.provider.probed == [Channel.SMS]
    assert await standing(world) == Standing(width=1)
    sizes = []
    for _ in range(6):
        held = await submit.claim(world.gateway, Channel.SMS, 100)
        sizes.append(len(held))
        for call in held:
            await submit.record(world.gateway, await submit.call(world.gateway, call))
    assert sizes == [1, 2, 4, 8, 26, 0]
    assert (await standing(world)).width is None


async def test_what_is_under_way_counts_against_the_slow_start(world: World) -> None:
    await send(world, WRONG)
    await probe(world, Alive())
    await world.keep(sms())

    assert await claimed(world, under_way=1) == 0
    assert await claimed(world) == 1


async def test_a_provider_that_is_still_away_is_looked_at_less_and_less_often(world: World) -> None:
    await send(world, AWAY, AWAY, AWAY)

    await probe(world, NoAnswer("no connection"), NoAnswer("no connection"), NoAnswer("-"))

    found = await standing(world)
    assert (found.state, found.opens) == (State.OPEN, 3)
    assert len(world.provider.submissions) == 3


async def test_credentials_that_are_wrong_turn_an_outage_into_a_stop(world: World) -> None:
    await send(world, AWAY, AWAY, AWAY)

    await probe(world, WRONG)

    assert (await standing(world)).reason == "provider_credentials"


async def test_one_process_looks_and_a_look_too_early_does_not_happen(world: World) -> None:
    await send(world, WRONG)

    await admit.probe_due(world.gateway)
    assert world.provider.probed == []
    world.clock.turn(minutes=1)
    async with world.gateway.database.transaction() as connection:
        lease = world.gateway.timing.lease
        assert await channels.take_due(connection, world.clock.now(), lease, {"efidem"}) == [
            ("efidem", "sms")
        ]
        assert await channels.take_due(connection, world.clock.now(), lease, {"efidem"}) == []


async def test_nothing_is_written_where_all_is_well(world: World) -> None:
    await send(world, Accepted("a" * 32), FAILED)

    async with world.gateway.database.reading() as connection:
        assert await channels.every(connection) == []


async def test_calls_that_end_together_open_it_together(world: World) -> None:
    for _ in range(5):
        await world.keep(sms())
    await world.submit(Channel.SMS, *[AWAY] * 5)

    assert (await standing(world)).state is State.OPEN
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(messages.c.status))
        assert set(found.scalars()) == {"uncertain"}


def test_the_look_at_an_empty_account_is_one_message_now_and_then() -> None:
    blocked = Blocked("provider_credit", "108")

    stopped = after_call(Standing(), blocked, BEGAN, 1.0, lambda: 0.5)
    reopened = after_probe(stopped, Alive(), BEGAN, 1.0, lambda: 0.5)

    assert stopped.probe_at == BEGAN + timedelta(minutes=15)
    assert reopened == Standing(width=1)


def test_looks_are_never_further_apart_than_five_minutes_and_a_jitter() -> None:
    one = Standing()
    for _ in range(20):
        one = after_probe(one, NoAnswer("-"), BEGAN, 1.0, lambda: 0.999)
    assert one.probe_at is not None
    assert one.probe_at - BEGAN <= timedelta(minutes=6, seconds=15)


async def test_all_workers_together_keep_to_the_pace(world: World) -> None:
    gateway = replace(world.gateway, rates={"efidem": 5.0})
    for _ in range(40):
        await world.keep(sms())

    taken = []
    for _ in range(4):
        workers = [await submit.claim(gateway, Channel.SMS, 16) for _ in range(3)]
        taken += [len(one) for one in workers]
        world.clock.turn(seconds=1)

    assert sum(taken) == 20
    assert [sum(taken[place : place + 3]) for place in (0, 3, 6, 9)] == [5, 5, 5, 5]


async def test_a_pace_below_one_a_second_lets_one_through_at_a_time(world: World) -> None:
    gateway = replace(world.gateway, rates={"efidem": 0.25})
    for _ in range(5):
        await world.keep(sms())

    taken = []
    for _ in range(9):
        taken.append(len(await submit.claim(gateway, Channel.SMS, 16)))
        world.clock.turn(seconds=1)

    assert taken == [1, 0, 0, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("reason", "minutes"),
    [("provider_contract", 0.5), ("provider_settings", 0.5), ("provider_credentials", 5)],
)
def test_what_needs_no_call_is_looked_at_more_often(reason: str, minutes: float) -> None:
    stopped = after_probe(Standing(), Blocked(reason, "-"), BEGAN, 1.0, lambda: 0.5)

    assert stopped.probe_at == BEGAN + timedelta(minutes=minutes)
