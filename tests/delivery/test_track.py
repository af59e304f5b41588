"""Statuses by asking: what each finding does, and when a message is looked at again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.delivery import retry, track
from app.domain.message import Channel, Letter
from app.domain.outcome import (
    Accepted,
    Failure,
    Finding,
    NoAnswer,
    NoStatus,
    NotAskable,
    Report,
)
from app.domain.status import Status
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

DELIVERED = Report(code="102", status=Status.DELIVERED, label="Reçu", occurred="2026-11-21T11:00")
SENT = Report(code="101", status=Status.SENT, label="Envoyé")


async def look(world: World, finding: Finding) -> int:
    world.provider.findings.append(finding)
    rows = await track.claim(world.gateway, 10)
    asked = [await track.ask(world.gateway, row) for row in rows]
    if asked:
        await track.record(world.gateway, asked)
    return len(asked)


async def test_a_report_moves_the_message_and_the_final_one_ends_the_looking(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))

    world.clock.turn(seconds=5)
    await look(world, SENT)
    world.clock.turn(seconds=60)
    await look(world, DELIVERED)

    row = await world.row(message_id)
    last = (await world.events(message_id))[-1]
    assert (row["status"], row["provider_code"], row["due_at"]) == ("delivered", "102", None)
    assert (row["status_checked_at"], row["status_source"]) == (
        world.clock.now(),
        "provider_status",
    )
    assert last["provider_time"] == "2026-11-21T11:00"
    world.clock.turn(days=1)
    assert await look(world, DELIVERED) == 0


async def test_no_provider_is_asked_about_a_message_of_a_test_key(world: World) -> None:
    """As one that stood at a simulator by the provider's name, before the deployment was live."""
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))
    await world.change(message_id, mode="test")
    world.gateway = replace(world.gateway, production=True)

    world.clock.turn(seconds=5)
    await look(world, DELIVERED)

    assert world.provider.findings == [DELIVERED]
    assert (await world.row(message_id))["status"] == "submitted"


async def test_the_intervals_grow_until_the_longest(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))

    waits = []
    for _ in range(12):
        due = (await world.row(message_id))["due_at"]
        waits.append(due - world.clock.now())
        world.clock.time = due
        assert await look(world, NoStatus("-5")) == 1

    steps = retry.INTERVALS[Channel.SMS]
    assert waits[: len(steps)] == list(steps)
    assert set(waits[len(steps) :]) == {steps[-1]}


@pytest.mark.parametrize(
    ("finding", "checked"),
    [(NoStatus("-5"), True), (NoAnswer("ConnectionTimeoutError"), False), (NotAskable(), False)],
)
async def test_no_status_leaves_the_message_where_it_is(
    world: World, finding: Finding, checked: bool
) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))
    world.clock.turn(seconds=5)

    await look(world, finding)

    row = await world.row(message_id)
    assert row["status"] == "submitted"
    assert (row["status_checked_at"] is not None) is checked
    assert row["due_at"] > world.clock.now()


async def test_an_unmapped_code_is_kept_raw_once_and_moves_nothing(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))

    for _ in range(3):
        world.clock.turn(hours=2)
        await look(world, Report(code="777", status=None, label="Inconnu"))

    row = await world.row(message_id)
    unmapped = [
        one for one in await world.events(message_id) if one["type"] == "message.status_unmapped"
    ]
    assert (row["status"], row["provider_code"], row["provider_label"]) == (
        "submitted",
        "777",
        "Inconnu",
    )
    assert len(unmapped) == 1


async def test_a_failure_is_shown_with_its_code(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))
    world.clock.turn(seconds=5)
    failure = Failure(
        type="permanent",
        reason="invalid_recipient",
        retryable=False,
        provider_code="111",
        label="Numéro non attribué",
    )

    await look(
        world, Report(code="111", status=Status.FAILED, label=failure.label, failure=failure)
    )

    row = await world.row(message_id)
    assert (row["status"], row["failure"]["provider_code"]) == ("failed", "111")


async def test_a_letter_may_come_back_after_it_was_delivered(world: World) -> None:
    letter = Letter(
        last_name="Durand",
        first_name="Marie",
        line1="12 RUE DES LILAS",
        postal_code="75011",
        city="PARIS",
        country="FR",
        files=(),
    )
    message_id = await world.keep(letter)
    await world.submit(Channel.LETTER, Accepted("guid"))
    world.clock.turn(seconds=10)
    await look(world, Report(code="620", status=Status.DELIVERED))
    assert (await world.row(message_id))["due_at"] is not None

    world.clock.turn(days=1)
    await look(world, Report(code="640", status=Status.RETURNED))

    row = await world.row(message_id)
    assert (row["status"], row["due_at"]) == ("returned", None)


async def test_a_message_without_a_final_status_in_time_expires(world: World) -> None:
    message_id = await world.keep(fax())
    await world.submit(Channel.FAX, Accepted(None, "113", "transmis"))

    world.clock.turn(hours=1, seconds=1)
    await look(world, NotAskable())
    assert (await world.row(message_id))["status"] == "submitted"
    world.clock.turn(hours=48)
    await look(world, NotAskable())

    assert (await world.row(message_id))["status"] == "expired"


async def test_two_workers_do_not_ask_about_the_same_message(world: World) -> None:
    await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))
    world.clock.turn(seconds=5)

    first = await track.claim(world.gateway, 10)
    second = await track.claim(world.gateway, 10)

    assert (len(first), len(second)) == (1, 0)
    world.clock.turn(seconds=121)
    assert len(await track.claim(world.gateway, 10)) == 1


def test_pauses_grow_with_full_jitter_and_are_capped() -> None:
    assert retry.pause(1, lambda: 1.0) == timedelta(seconds=5)
    assert retry.pause(4, lambda: 1.0) == timedelta(seconds=40)
    assert retry.pause(50, lambda: 1.0) == timedelta(minutes=15)
    assert retry.pause(50, lambda: 0.0) == timedelta(milliseconds=500)
