"""Codes that get a meaning later: what stands on them moves as if it had been known at once."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import RowMapping

from app.delivery import acknowledge, track
from app.delivery.accept import accept
from app.delivery.replay import BATCH, Replaying
from app.domain.acknowledgement import Acknowledgement
from app.domain.identifiers import EVENT, shown
from app.domain.message import Campaign, Channel, Email
from app.domain.outcome import (
    Accepted,
    Blocked,
    ByRecipient,
    Deferred,
    Failure,
    Finding,
    NoStatus,
    Outcome,
    Refused,
    Report,
    Unclear,
)
from app.domain.status import Status
from app.providers.fax123.acknowledgement import NAME as ACKNOWLEDGEMENT
from app.store import recipients, unmapped
from app.store.unmapped import Sighting
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

TELLS = "STATUT_SMS"
RAW = Report(code="77", status=None, label="Parti", occurred="11:00", unmapped_in=TELLS)
DELIVERED = Report(code="77", status=Status.DELIVERED, label="Reçu")
BUSY = Failure(type="temporary", reason="busy", retryable=True, provider_code="31099")
REFUSED = Failure(
    type="permanent", reason="invalid_recipient", retryable=False, provider_code="-12"
)


async def look(world: World, *findings: Finding) -> None:
    world.clock.turn(hours=1)
    world.provider.findings.extend(findings)
    rows = await track.claim(world.gateway, 1000)
    assert len(rows) == len(findings)
    await track.record(world.gateway, [await track.ask(world.gateway, row) for row in rows])


async def on_raw_status(world: World) -> UUID:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("guid"))
    await look(world, RAW)
    return message_id


async def on_raw_answer(world: World) -> UUID:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Unclear("not listed", "-12", "SEND_sms"))
    return message_id


async def on_raw_acknowledgement(world: World, code: str = "31099", pages: int = 0) -> UUID:
    message_id = await world.keep(fax())
    await world.submit(Channel.FAX, Accepted(None, "113"))
    brought = Acknowledgement(
        reference=world.fax.submissions[-1].reference,
        code=code,
        number="0199000001",
        pages=pages,
        provider_time=None,
    )
    await acknowledge.receive(world.gateway, "fax123", brought)
    return message_id


async def replay(world: World) -> None:
    replaying = Replaying(world.gateway)
    while await replaying.step():
        pass


async def opened(world: World) -> list[tuple[str, str]]:
    async with world.gateway.database.reading() as connection:
        return [(one["function"], one["code"]) for one in await unmapped.opened(connection)]


async def waiting(world: World, provider: str = "efidem") -> dict[tuple[str, str], int]:
    async with world.gateway.database.reading() as connection:
        rows = await unmapped.listed(connection, provider, mapped=None)
    return {(row["function"], row["code"]): row["waiting"] for row in rows}


async def replayed(world: World, message_id: UUID) -> list[RowMapping]:
    return [one for one in await world.events(message_id) if one["source"] == "replay"]


# --- statuses ---


async def test_what_stands_on_a_code_waits_until_somebody_says_its_meaning(world: World) -> None:
    message_id = await on_raw_status(world)
    await replay(world)

    row = await world.row(message_id)
    assert (row["status"], row["unmapped_code"], row["unmapped_function"]) == (
        "submitted",
        "77",
        TELLS,
    )
    assert await waiting(world) == {(TELLS, "77"): 1}
    assert await replayed(world, message_id) == []


async def test_a_status_that_is_mapped_later_moves_the_message_once(world: World) -> None:
    message_id = await on_raw_status(world)
    raw = (await world.events(message_id))[-1]
    world.provider.meanings[TELLS, "77"] = DELIVERED

    await replay(world)
    await replay(world)

    row = await world.row(message_id)
    (event,) = await replayed(world, message_id)
    assert (row["status"], row["status_source"], row["due_at"]) == ("delivered", "replay", None)
    assert (row["unmapped_code"], row["unmapped_function"]) == (None, None)
    assert row["provider_label"] == "Parti"  # the provider's own words stay
    assert event["detail"] == {"function": TELLS, "event": shown(EVENT, raw["id"])}
    assert event["provider_time"] == "11:00"
    assert await opened(world) == []


async def test_a_code_that_means_no_status_is_taken_off_the_message(world: World) -> None:
    message_id = await on_raw_status(world)
    world.provider.meanings[TELLS, "77"] = NoStatus("77")

    await replay(world)

    row = await world.row(message_id)
    assert (row["status"], row["unmapped_code"]) == ("submitted", None)
    assert len(await replayed(world, message_id)) == 1
    assert await opened(world) == []


async def test_the_code_of_another_function_is_another_code(world: World) -> None:
    message_id = await on_raw_status(world)
    world.provider.meanings["STATUT_EMAIL", "77"] = DELIVERED

    await replay(world)

    assert (await world.row(message_id))["status"] == "submitted"
    assert await opened(world) == [(TELLS, "77")]


async def test_mapped_news_take_the_message_off_its_code(world: World) -> None:
    message_id = await on_raw_status(world)
    await look(world, Report(code="30", status=Status.DELIVERED))
    world.provider.meanings[TELLS, "77"] = replace(DELIVERED, status=Status.RETURNED)

    await replay(world)

    row = await world.row(message_id)
    assert (row["status"], row["provider_code"]) == ("delivered", "30")
    assert await replayed(world, message_id) == []
    assert await opened(world) == []


async def test_an_expired_message_is_corrected_by_good_news_and_by_no_other(world: World) -> None:
    good, bad = await on_raw_status(world), await world.keep(sms())
    await world.submit(Channel.SMS, Accepted("other"))
    await look(world, RAW, replace(RAW, code="78"))
    world.clock.turn(days=4)
    await look(world, NoStatus("-5"), NoStatus("-5"))
    assert {(await world.row(one))["status"] for one in (good, bad)} == {"expired"}
    world.provider.meanings[TELLS, "77"] = DELIVERED
    world.provider.meanings[TELLS, "78"] = replace(
        DELIVERED, code="78", status=Status.FAILED, failure=REFUSED
    )

    await replay(world)
    await replay(world)

    rows = {(await world.row(one))["provider_code"]: await world.row(one) for one in (good, bad)}
    assert rows["77"]["status"] == "delivered"
    assert rows["78"]["status"] == "expired"
    (event,) = await replayed(world, rows["78"]["id"])
    assert not event["applied"]
    assert await opened(world) == []


async def test_every_member_of_a_campaign_is_moved(world: World) -> None:
    campaign_id = world.gateway.ids.new()
    arrivals = [world.arrival(sms(), campaign_id=campaign_id) for _ in range(3)]
    waits = [replace(one, messages=[{**one.messages[0], "due_at": None}]) for one in arrivals[1:]]
    await accept(world.gateway, [arrivals[0], *waits])
    members = [one.object_id for one in arrivals]
    await world.submit(Channel.SMS, Accepted("guid"))
    assert isinstance(world.provider.campaigns[0], Campaign)
    await look(world, RAW)
    assert await waiting(world) == {(TELLS, "77"): 3}
    world.provider.meanings[TELLS, "77"] = DELIVERED

    await replay(world)

    assert {(await world.row(one))["status"] for one in members} == {"delivered"}


# --- recipients ---

RELAYED = Email(
    to_address="a@example.com",
    from_address="s@example.com",
    subject="s",
    text="t",
    html="",
    relay=True,
    also_to=("b@example.com",),
)


async def on_raw_recipients(world: World) -> UUID:
    arrival = world.arrival(RELAYED)
    arrival = replace(
        arrival, recipients=recipients.rows_of(arrival.messages[0], RELAYED, str.upper)
    )
    await accept(world.gateway, [arrival])
    await world.submit(Channel.EMAIL, Accepted("guid"))
    raw = replace(RAW, unmapped_in="SUIVRE")
    await look(world, ByRecipient({"a@example.com": raw, "b@example.com": replace(raw, code="78")}))
    return arrival.object_id


async def of_recipients(world: World, message_id: UUID) -> list[tuple[str, str | None]]:
    async with world.gateway.database.reading() as connection:
        rows = await recipients.of_messages(connection, [message_id])
    return [(row["status"], row["unmapped_code"]) for row in rows]


async def test_each_recipient_is_moved_by_its_own_code(world: World) -> None:
    message_id = await on_raw_recipients(world)
    assert await of_recipients(world, message_id) == [("submitted", "77"), ("submitted", "78")]
    assert await waiting(world) == {("SUIVRE", "77"): 1, ("SUIVRE", "78"): 1}

    world.provider.meanings["SUIVRE", "78"] = replace(DELIVERED, code="78")
    await replay(world)
    assert await of_recipients(world, message_id) == [("submitted", "77"), ("delivered", None)]
    assert (await world.row(message_id))["status"] == "sent"
    assert await opened(world) == [("SUIVRE", "77")]

    world.provider.meanings["SUIVRE", "77"] = DELIVERED
    await replay(world)
    assert await of_recipients(world, message_id) == [("delivered", None), ("delivered", None)]
    assert (await world.row(message_id))["status"] == "delivered"
    assert await opened(world) == []


async def test_a_recipients_code_that_means_no_status_is_taken_off(world: World) -> None:
    message_id = await on_raw_recipients(world)
    world.provider.meanings["SUIVRE", "77"] = NoStatus("77")

    await replay(world)

    assert await of_recipients(world, message_id) == [("submitted", None), ("submitted", "78")]
    assert await opened(world) == [("SUIVRE", "78")]


async def test_a_repeated_code_is_news_once_it_has_a_meaning(world: World) -> None:
    message_id = await on_raw_recipients(world)

    found = {"a@example.com": DELIVERED, "b@example.com": replace(DELIVERED, code="78")}
    await look(world, ByRecipient(found))

    assert (await world.row(message_id))["status"] == "delivered"
    assert await waiting(world) == {("SUIVRE", "77"): 0, ("SUIVRE", "78"): 0}


# --- answers ---


async def test_a_refusal_that_is_known_later_fails_the_message(world: World) -> None:
    message_id = await on_raw_answer(world)
    assert (await world.row(message_id))["status"] == "uncertain"
    world.provider.meanings["SEND_sms", "-12"] = Refused(REFUSED)

    await replay(world)

    row = await world.row(message_id)
    assert (row["status"], row["failure"]["reason"]) == ("failed", "invalid_recipient")
    assert await world.statuses(message_id) == ["queued", "submitting", "uncertain", "failed"]


@pytest.mark.parametrize(
    ("meaning", "blocked_reason"),
    [(Deferred("later", code="-12"), None), (Blocked("provider_credit", "-12"), "provider_credit")],
)
async def test_what_was_not_sent_is_sent_again_because_the_operator_says_so(
    world: World, meaning: Outcome, blocked_reason: str | None
) -> None:
    message_id = await on_raw_answer(world)
    world.provider.meanings["SEND_sms", "-12"] = meaning

    await replay(world)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"]) == ("queued", blocked_reason)
    world.clock.turn(minutes=1)
    await world.submit(Channel.SMS, Accepted("guid"))
    assert len(world.provider.submissions) == 2
    assert (await world.row(message_id))["status"] == "submitted"


async def test_nothing_is_sent_again_for_a_message_that_moved_on(world: World) -> None:
    message_id = await world.keep(fax())
    await world.submit(Channel.FAX, Unclear("not listed", "114", "http.php"))
    brought = Acknowledgement(
        reference=world.fax.submissions[0].reference,
        code="0",
        number="0199000001",
        pages=3,
        provider_time=None,
    )
    await acknowledge.receive(world.gateway, "fax123", brought)
    world.fax.meanings["http.php", "114"] = Deferred("later", code="114")

    await replay(world)

    assert (await world.row(message_id))["status"] == "delivered"
    assert await replayed(world, message_id) == []
    assert await opened(world) == []


async def test_an_acceptance_that_is_known_later_waits_for_its_acknowledgement(
    world: World,
) -> None:
    message_id = await world.keep(fax())
    await world.submit(Channel.FAX, Unclear("not listed", "114", "http.php"))
    world.fax.meanings["http.php", "114"] = Accepted(None, "114")

    await replay(world)

    row = await world.row(message_id)
    assert (row["status"], row["provider_message_id"]) == ("submitted", None)
    assert row["submitted_at"] == world.clock.now()


# --- acknowledgements ---


async def test_an_unmapped_acknowledgement_is_counted_and_its_failure_renamed(
    world: World,
) -> None:
    message_id = await on_raw_acknowledgement(world)
    assert (await world.row(message_id))["failure"]["reason"] == "unmapped"
    assert await waiting(world, "fax123") == {(ACKNOWLEDGEMENT, "31099"): 1}
    world.fax.meanings[ACKNOWLEDGEMENT, "31099"] = Report(
        code="31099", status=Status.FAILED, label="occupé", failure=BUSY
    )

    await replay(world)

    row = await world.row(message_id)
    (event,) = await replayed(world, message_id)
    assert (row["status"], row["failure"]["reason"], row["failure"]["label"]) == (
        "failed",
        "busy",
        "occupé",
    )
    assert (event["type"], event["status"]) == ("message.status_detail", "failed")
    assert await opened(world) == []


@pytest.mark.parametrize(("pages", "status"), [(3, "delivered"), (1, "partially_delivered")])
async def test_an_acknowledgement_may_turn_out_to_be_good_news(
    world: World, pages: int, status: str
) -> None:
    message_id = await on_raw_acknowledgement(world, pages=pages)
    world.fax.meanings[ACKNOWLEDGEMENT, "31099"] = Report(code="31099", status=Status.DELIVERED)

    await replay(world)

    row = await world.row(message_id)
    assert (row["status"], row["failure"]) == (status, None)


# --- many, and at once ---


async def many(world: World, number: int) -> list[UUID]:
    messages = [await world.keep(sms()) for _ in range(number)]
    while await world.submit(Channel.SMS):
        pass
    await look(world, *[RAW] * number)
    return messages


async def test_workers_share_the_work_and_nothing_is_replayed_twice(world: World) -> None:
    messages = await many(world, 2 * BATCH + 30)
    world.provider.meanings[TELLS, "77"] = DELIVERED

    await asyncio.gather(*(replay(world) for _ in range(3)))
    await replay(world)

    assert await waiting(world) == {(TELLS, "77"): 0}
    assert await opened(world) == []
    for one in messages:
        assert [event["status"] for event in await replayed(world, one)] == ["delivered"]


async def test_a_worker_that_dies_amid_a_replay_leaves_the_rest_to_the_next(world: World) -> None:
    messages = await many(world, BATCH + 20)
    world.provider.meanings[TELLS, "77"] = DELIVERED
    replaying = Replaying(world.gateway)
    assert await replaying.step()
    dying = asyncio.create_task(replaying.step())
    await asyncio.sleep(0.005)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    await replay(world)

    assert await opened(world) == []
    for one in messages:
        assert [event["status"] for event in await replayed(world, one)] == ["delivered"]


async def test_a_code_beyond_those_that_are_counted_apart_is_replayed_too(world: World) -> None:
    async with world.gateway.database.transaction() as connection:
        crowd = [Sighting("efidem", TELLS, str(number), None) for number in range(1000, 1250)]
        await unmapped.count(connection, crowd, world.clock.now())
    message_id = await on_raw_status(world)
    assert (TELLS, "77") not in await opened(world)
    world.provider.meanings[TELLS, "77"] = DELIVERED

    await replay(world)

    assert (await world.row(message_id))["status"] == "delivered"


async def test_a_new_code_is_told_once_and_without_its_label(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await on_raw_status(world)
    replaying = Replaying(world.gateway)
    capsys.readouterr()

    await replaying.step()
    await replaying.step()

    told = [line for line in capsys.readouterr().out.splitlines() if "code_unmapped" in line]
    assert len(told) == 1
    assert "77" in told[0]
    assert "Parti" not in told[0]
