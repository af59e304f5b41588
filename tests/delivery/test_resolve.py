"""Resolving by a person's word: what it moves, what it closes, and what it never lets happen."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.delivery import resolve_many, settle, submit
from app.delivery.accept import Answer, Key
from app.delivery.acting import Actor
from app.delivery.resolve import Command, resolve
from app.delivery.resolve_many import Counts
from app.delivery.verdicts import Resolution, Verdict
from app.domain.errors import (
    AlreadyFinal,
    AlreadySubmitted,
    IdempotencyKeyReused,
    NotUncertain,
    ValidationFailed,
)
from app.domain.message import Channel, Content, Letter
from app.domain.outcome import Accepted, Failure, Refused, Unclear
from app.domain.status import Status
from app.store import attempts, messages, resolving
from app.store.messages import Move
from app.store.resolving import Selection
from tests.delivery.test_campaigns import campaign, standing, text
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

UNCLEAR = Unclear("a code that the document does not list", "-77")  # no outage
WHY = "the provider's console lists it"


def actor(world: World, key_id: str = "KEY0000001") -> Actor:
    return Actor(client_id=world.client_id, mode="live", name="operators", key_id=key_id)


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


async def uncertain(world: World, content: Content) -> UUID:
    """Send a message of which nobody knows what became."""
    message_id = await world.keep(content)
    channel = Channel((await world.row(message_id))["channel"])
    await world.submit(channel, UNCLEAR)
    assert (await world.row(message_id))["status"] == "uncertain"
    return message_id


async def resolved(
    world: World,
    message_id: UUID,
    verdict: Verdict,
    *,
    key: Key | None = None,
    by: str = "KEY0000001",
    **more: Any,
) -> Answer:
    resolution = Resolution(verdict=verdict, reason=WHY, **more)
    command = Command(
        actor=actor(world, by),
        row=await world.row(message_id),
        resolution=resolution,
        key=key,
        written=lambda row: row["status"],
    )
    return await resolve(world.gateway, command)


async def test_what_is_assumed_to_be_sent_is_followed_by_the_providers_id(world: World) -> None:
    message_id = await uncertain(world, sms())

    answer = await resolved(world, message_id, Verdict.ASSUME_SENT, provider_message_id="b" * 32)

    row = await world.row(message_id)
    (attempt,) = await world.attempts(message_id)
    assert (answer.status, answer.body) == (200, "submitted")
    assert (row["provider_message_id"], row["provider_function"]) == ("b" * 32, "SEND_sms")
    assert row["attempt_reference"] == attempt["reference"]
    assert row["due_at"] is not None
    assert (attempt["outcome"], attempt["provider_message_id"]) == ("accepted", "b" * 32)
    *_, last = await world.events(message_id)
    assert (last["type"], last["source"]) == ("message.submitted", "operator")
    assert last["detail"] == {
        "resolved": "assume_sent",
        "why": WHY,
        "by": {"client": "operators", "key": "KEY0000001"},
        "duplicate_risk_accepted": False,
        "absence_proven": False,
        "attempt_reference": attempt["reference"],
    }


async def test_what_was_lost_with_its_worker_can_be_followed_too(world: World) -> None:
    message_id = await world.keep(sms())
    await submit.claim(world.gateway, Channel.SMS, 1)
    world.clock.turn(minutes=10)
    await settle.lose_leases(world.gateway)

    await resolved(world, message_id, Verdict.ASSUME_SENT, provider_message_id="b" * 32)

    row = await world.row(message_id)
    assert (row["provider_function"], row["submitted_at"]) == ("SEND_sms", world.clock.now())
    assert row["attempt_reference"] is not None


async def test_nothing_is_sent_twice_without_somebody_accepting_the_risk(world: World) -> None:
    message_id = await uncertain(world, sms())

    with pytest.raises(ValidationFailed) as refused:
        await resolved(world, message_id, Verdict.RETRY)

    assert [one.pointer for one in refused.value.errors] == ["/accept_duplicate_risk"]
    assert (await world.row(message_id))["status"] == "uncertain"
    assert await world.submit(Channel.SMS) == []

    await resolved(world, message_id, Verdict.RETRY, accepts_risk=True)
    await world.submit(Channel.SMS)

    assert (await world.row(message_id))["status"] == "submitted"
    first, second = await world.attempts(message_id)
    assert (first["outcome"], second["outcome"]) == ("unclear", "accepted")
    assert first["reference"] != second["reference"]


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.NOT_SENT])
async def test_what_is_past_its_time_expires_and_is_not_sent(
    world: World, verdict: Verdict
) -> None:
    message_id = await world.keep(sms(), expires_at=world.clock.now() + timedelta(hours=1))
    await world.submit(Channel.SMS, UNCLEAR)
    world.clock.turn(hours=2)

    answer = await resolved(world, message_id, verdict, accepts_risk=True)

    assert answer.body == "expired"
    assert await world.submit(Channel.SMS) == []


async def test_what_somebody_saw_was_not_sent_is_sent(world: World) -> None:
    message_id = await uncertain(world, sms())

    await resolved(world, message_id, Verdict.NOT_SENT)
    await world.submit(Channel.SMS)

    first, second = await world.attempts(message_id)
    assert (first["outcome"], second["outcome"]) == ("absent", "accepted")
    assert (await world.row(message_id))["status"] == "submitted"


async def test_absence_that_evidence_proved_needs_no_risk_accepted(world: World) -> None:
    message_id = await uncertain(world, sms())
    (attempt,) = await world.attempts(message_id)
    async with world.gateway.database.transaction() as connection:
        await resolving.judge(connection, [attempt["id"]], {"outcome": "absent"})

    await resolved(world, message_id, Verdict.RETRY)

    *_, last = await world.events(message_id)
    assert last["detail"]["absence_proven"] is True
    assert (await world.row(message_id))["status"] == "queued"


async def test_what_is_abandoned_fails_for_a_reason_of_its_own(world: World) -> None:
    message_id = await uncertain(world, sms())

    await resolved(world, message_id, Verdict.ABANDON)

    row = await world.row(message_id)
    assert row["status"] == "failed"
    assert row["failure"] == {
        "type": "technical",
        "reason": "resolved_abandoned",
        "retryable": False,
        "provider_code": None,
        "label": None,
    }
    assert row["due_at"] is None


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_a_worker_that_wakes_late_writes_nothing(world: World, verdict: Verdict) -> None:
    message_id = await world.keep(sms())
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)
    ended = await submit.call(world.gateway, [held])
    world.clock.turn(minutes=10)
    await settle.lose_leases(world.gateway)
    await resolved(world, message_id, verdict, accepts_risk=True)
    stood = await world.row(message_id)

    recorded = await submit.record(world.gateway, ended)

    row = await world.row(message_id)
    assert recorded == [False]
    assert (row["status"], row["fence"]) == (stood["status"], stood["fence"])
    assert row["provider_message_id"] is None
    (attempt,) = await world.attempts(message_id)
    assert attempt["late"]["outcome"] == "accepted"


async def test_a_fax_whose_document_was_never_fetched_is_proven_not_to_have_left(
    world: World,
) -> None:
    message_id = await uncertain(world, fax())
    url = world.fax.submissions[0].document_url or ""
    token = url.rpartition("/")[2].removesuffix(".pdf")

    await resolved(world, message_id, Verdict.RETRY)

    assert (await world.row(message_id))["status"] == "queued"
    async with world.gateway.database.transaction() as connection:
        assert await attempts.fetch(connection, token, world.clock.now()) is None


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.NOT_SENT, Verdict.ABANDON])
async def test_a_document_that_was_fetched_proves_nothing_and_is_closed(
    world: World, verdict: Verdict
) -> None:
    message_id = await uncertain(world, fax())
    token = (world.fax.submissions[0].document_url or "").rpartition("/")[2].removesuffix(".pdf")
    async with world.gateway.database.transaction() as connection:
        assert await attempts.fetch(connection, token, world.clock.now()) is not None

    if verdict is Verdict.RETRY:
        with pytest.raises(ValidationFailed):
            await resolved(world, message_id, verdict)
    await resolved(world, message_id, verdict, accepts_risk=True)

    async with world.gateway.database.transaction() as connection:
        assert await attempts.fetch(connection, token, world.clock.now()) is None


async def test_the_document_of_what_is_assumed_to_be_sent_can_still_be_fetched(
    world: World,
) -> None:
    message_id = await uncertain(world, fax())
    token = (world.fax.submissions[0].document_url or "").rpartition("/")[2].removesuffix(".pdf")

    await resolved(world, message_id, Verdict.ASSUME_SENT)

    async with world.gateway.database.transaction() as connection:
        assert await attempts.fetch(connection, token, world.clock.now()) is not None


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.NOT_SENT])
async def test_a_letter_is_sent_again_by_the_word_of_two_keys(
    world: World, verdict: Verdict
) -> None:
    message_id = await uncertain(world, letter())

    first = await resolved(world, message_id, verdict, accepts_risk=True)
    again = await resolved(world, message_id, verdict, accepts_risk=True)
    assert (first.status, again.status) == (202, 202)
    assert (await world.row(message_id))["status"] == "uncertain"
    asked = [one for one in await world.events(message_id) if "asked" in one["type"]]
    assert len(asked) == 1

    second = await resolved(world, message_id, verdict, accepts_risk=True, by="KEY0000002")

    assert (second.status, second.body) == (200, "queued")


async def test_two_keys_must_say_the_same_within_a_day(world: World) -> None:
    message_id = await uncertain(world, letter())
    await resolved(world, message_id, Verdict.NOT_SENT, by="KEY0000001")

    other = await resolved(world, message_id, Verdict.RETRY, accepts_risk=True, by="KEY0000002")
    assert other.status == 202
    world.clock.turn(hours=25)
    late = await resolved(world, message_id, Verdict.RETRY, accepts_risk=True, by="KEY0000003")

    assert late.status == 202
    assert (await world.row(message_id))["status"] == "uncertain"


async def test_a_letter_is_assumed_or_abandoned_by_one_key(world: World) -> None:
    sent, gone = await uncertain(world, letter()), await uncertain(world, letter())

    assert (await resolved(world, sent, Verdict.ASSUME_SENT)).body == "submitted"
    assert (await resolved(world, gone, Verdict.ABANDON)).body == "failed"


async def test_what_is_held_is_sent_or_abandoned(world: World) -> None:
    ids = [await world.keep(sms()) for _ in range(3)]
    held = [
        Move(message_id=one, to=Status.HELD, at=world.clock.now(), source="operator") for one in ids
    ]
    async with world.gateway.database.transaction() as connection:
        await messages.move(connection, world.gateway.ids, held)

    with pytest.raises(ValidationFailed):
        await resolved(world, ids[0], Verdict.RETRY)
    await resolved(world, ids[0], Verdict.RETRY, accepts_risk=True)
    await resolved(world, ids[1], Verdict.ABANDON)
    with pytest.raises(NotUncertain):
        await resolved(world, ids[2], Verdict.ASSUME_SENT)
    await resolved(world, ids[2], Verdict.NOT_SENT)

    assert await standing(world, ids) == ["queued", "failed", "queued"]


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Accepted("a" * 32), AlreadySubmitted),
        (Refused(Failure(type="permanent", reason="policy", retryable=False)), AlreadyFinal),
        (None, NotUncertain),
    ],
)
async def test_what_is_not_uncertain_is_not_resolved(
    world: World, outcome: Accepted | None, fault: type[Exception]
) -> None:
    message_id = await world.keep(sms())
    if outcome is not None:
        await world.submit(Channel.SMS, outcome)
    before = await world.row(message_id)

    with pytest.raises(fault):
        await resolved(world, message_id, Verdict.RETRY, accepts_risk=True)

    assert dict(await world.row(message_id)) == dict(before)


async def test_a_repeated_key_gets_the_first_answer_and_moves_nothing(world: World) -> None:
    message_id = await uncertain(world, sms())
    key = Key(client_id=world.client_id, mode="live", key="k", fingerprint="f")

    first = await resolved(world, message_id, Verdict.RETRY, accepts_risk=True, key=key)
    await world.submit(Channel.SMS)
    again = await resolved(world, message_id, Verdict.RETRY, accepts_risk=True, key=key)

    assert (first.body, again.body) == ("queued", "queued")
    assert (first.replayed, again.replayed) == (False, True)
    assert (await world.row(message_id))["status"] == "submitted"
    with pytest.raises(IdempotencyKeyReused):
        await resolved(world, message_id, Verdict.ABANDON, key=replace(key, fingerprint="another"))


async def test_a_refusal_leaves_its_key_free(world: World) -> None:
    message_id = await uncertain(world, sms())
    key = Key(client_id=world.client_id, mode="live", key="k", fingerprint="f")

    with pytest.raises(ValidationFailed):
        await resolved(world, message_id, Verdict.RETRY, key=key)
    answer = await resolved(world, message_id, Verdict.RETRY, accepts_risk=True, key=key)

    assert answer.replayed is False


async def test_of_two_people_at_once_one_is_heard(world: World) -> None:
    for _ in range(20):
        message_id = await uncertain(world, sms())
        said = await asyncio.gather(
            resolved(world, message_id, Verdict.ABANDON),
            resolved(world, message_id, Verdict.RETRY, accepts_risk=True),
            return_exceptions=True,
        )

        heard = [one for one in said if isinstance(one, Answer)]
        assert len(heard) == 1
        assert len(await world.events(message_id)) == 4
        await world.submit(Channel.SMS)


async def test_members_of_a_campaign_that_are_sent_again_leave_in_one_call(world: World) -> None:
    ids = await campaign(world, [text(place) for place in range(5)])
    await world.submit(Channel.SMS, UNCLEAR)

    for one in (ids[3], ids[1], ids[4]):
        await resolved(world, one, Verdict.RETRY, accepts_risk=True)

    waiting = (ids[1], ids[3], ids[4])
    due = [(await world.row(one))["due_at"] is not None for one in waiting]
    assert due == [True, False, False]
    await world.submit(Channel.SMS)
    assert [one.message_id for one in world.provider.campaigns[-1].members] == list(waiting)
    assert await standing(world, [ids[0], ids[2]]) == ["uncertain"] * 2


async def test_what_a_restore_holds_is_not_proven_by_what_the_restored_store_knows(
    world: World,
) -> None:
    message_id = await uncertain(world, fax())
    await resolved(world, message_id, Verdict.RETRY)  # its document was never fetched
    held = Move(
        message_id=message_id,
        to=Status.HELD,
        at=world.clock.now(),
        source="worker",
        changes={"blocked_reason": "restore"},
    )
    async with world.gateway.database.transaction() as connection:
        await messages.move(connection, world.gateway.ids, [held])

    with pytest.raises(ValidationFailed):
        await resolved(world, message_id, Verdict.RETRY)


def selection(world: World, **narrowed: Any) -> Selection:
    usual = {"mode": "live", "channel": "sms", "status": "uncertain"}
    return Selection(**{**usual, "client_id": world.client_id, **narrowed})


async def test_many_are_resolved_in_chunks_each_with_its_event(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve_many, "CHUNK", 4)
    ids = [await world.keep(sms()) for _ in range(10)]
    await world.submit(Channel.SMS, *[UNCLEAR] * 10)
    other = await uncertain(world, letter())
    picked = await resolve_many.pick(world.gateway, selection(world))
    assert [one for one, _ in picked] == ids
    resolution = Resolution(verdict=Verdict.ABANDON, reason=WHY)

    counts = await resolve_many.resolve_many(world.gateway, actor(world), picked, resolution)

    assert counts == Counts(resolved=10, skipped=0)
    assert await standing(world, ids) == ["failed"] * 10
    assert await standing(world, [other]) == ["uncertain"]
    for one in ids:
        *_, last = await world.events(one)
        assert last["detail"]["why"] == WHY


async def test_what_moved_since_it_was_picked_stays(world: World) -> None:
    first, second, third = [await uncertain(world, sms()) for _ in range(3)]
    picked = await resolve_many.pick(world.gateway, selection(world))
    await resolved(world, first, Verdict.ABANDON)
    await resolved(world, second, Verdict.RETRY, accepts_risk=True)
    await world.submit(Channel.SMS, UNCLEAR)  # uncertain again, of another attempt
    resolution = Resolution(verdict=Verdict.RETRY, reason=WHY, accepts_risk=True)

    counts = await resolve_many.resolve_many(world.gateway, actor(world), picked, resolution)

    assert counts == Counts(resolved=1, skipped=2)
    assert await standing(world, [first, second, third]) == ["failed", "uncertain", "queued"]


async def test_a_selection_is_narrowed_by_what_is_known_of_the_attempt(world: World) -> None:
    batch_id = world.gateway.ids.new()
    first = await world.keep(sms(), batch_id=batch_id, billing_code="B1")
    await world.submit(Channel.SMS, Unclear("the connection broke"))
    world.clock.turn(hours=1)
    second = await uncertain(world, sms())
    now = world.clock.now()

    async def found(**narrowed: Any) -> list[UUID]:
        picked = await resolve_many.pick(world.gateway, selection(world, **narrowed))
        return [one for one, _ in picked]

    assert await found(why="the connection broke") == [first]
    assert await found(batch_id=batch_id) == [first]
    assert await found(billing_code="B1") == [first]
    assert await found(created_before=now) == [first]
    assert await found(created_after=now) == [second]
    assert await found(provider="efidem") == [first, second]
    assert await found(provider="fax123") == []
    assert await found(client_id=world.gateway.ids.new()) == []
    assert await found(client_id=None) == [first, second]
    assert await found(mode="test") == []
