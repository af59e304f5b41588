"""Each outcome of a call, and what it does to the message, its attempt and its next step."""

from datetime import timedelta

import pytest

from app.delivery import admit, retry, settle, submit
from app.domain.message import Channel
from app.domain.outcome import (
    Accepted,
    Blocked,
    Deferred,
    Failure,
    Outcome,
    Refused,
    Unclear,
)
from app.store import attempts as attempt_store
from app.store.queue import GRACE
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

REFUSAL = Failure(
    type="permanent",
    reason="invalid_recipient",
    retryable=False,
    provider_code="-9",
    label="Numéro de destination trop long",
)


@pytest.mark.parametrize(
    ("outcome", "status", "attempt", "waits"),
    [
        (Accepted("guid"), "submitted", "accepted", True),
        (Refused(REFUSAL), "failed", "refused", False),
        (Deferred("refused connection"), "queued", "deferred", True),
        (Blocked("provider_credentials", "wrong password"), "queued", "blocked", True),
        (Unclear("the connection broke"), "uncertain", "unclear", True),
    ],
)
async def test_each_outcome_moves_the_message_and_closes_the_attempt(
    world: World, outcome: Outcome, status: str, attempt: str, waits: bool
) -> None:
    message_id = await world.keep(sms())

    await world.submit(Channel.SMS, outcome)

    row = await world.row(message_id)
    (closed,) = await world.attempts(message_id)
    assert (row["status"], closed["outcome"], row["due_at"] is not None) == (
        status,
        attempt,
        waits,
    )
    assert await world.statuses(message_id) == ["queued", "submitting", status]
    assert closed["ended_at"] == world.clock.now()
    assert row["lease_until"] is None


async def test_the_attempt_is_committed_before_the_call(world: World) -> None:
    message_id = await world.keep(sms())

    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)

    (attempt,) = await world.attempts(message_id)
    row = await world.row(message_id)
    assert world.provider.submissions == []
    assert (attempt["ended_at"], attempt["reference"]) == (None, held.claim.reference)
    assert (row["status"], row["fence"], row["attempts"]) == ("submitting", 1, 1)
    assert row["lease_until"] == world.clock.now() + timedelta(seconds=120)


async def test_the_provider_is_handed_our_reference_and_never_the_clients(world: World) -> None:
    await world.keep(sms(), reference="DOSSIER-1", billing_code="RH")

    await world.submit(Channel.SMS)

    (submission,) = world.provider.submissions
    assert submission.reference.isalnum()
    assert len(submission.reference) == 16
    assert submission.billing_code == "RH"


async def test_a_refusal_shows_code_label_and_reason(world: World) -> None:
    message_id = await world.keep(sms())

    await world.submit(Channel.SMS, Refused(REFUSAL))

    row = await world.row(message_id)
    assert (row["provider_code"], row["provider_label"]) == ("-9", REFUSAL.label)
    assert row["failure"] == {
        "type": "permanent",
        "reason": "invalid_recipient",
        "retryable": False,
        "provider_code": "-9",
        "label": REFUSAL.label,
    }


async def test_a_blocked_message_waits_with_its_reason_and_goes_on_later(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Blocked("provider_credit", "no credit", "112"))
    assert (await world.row(message_id))["blocked_reason"] == "provider_credit"
    assert await world.submit(Channel.SMS) == []

    world.clock.turn(minutes=16)
    await admit.probe_due(world.gateway)
    await world.submit(Channel.SMS, Accepted("guid"))

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"], row["attempts"]) == ("submitted", None, 2)


async def test_a_deferred_message_gives_up_after_the_last_try(world: World) -> None:
    message_id = await world.keep(sms())

    for _ in range(retry.MOST_ATTEMPTS):
        await world.submit(Channel.SMS, Deferred("refused connection"))
        world.clock.turn(hours=1)
        await admit.probe_due(world.gateway)

    row = await world.row(message_id)
    assert (row["status"], row["failure"]["reason"]) == ("failed", "provider_unavailable")
    assert len(world.provider.submissions) == retry.MOST_ATTEMPTS


async def test_a_lease_that_ran_out_makes_the_message_uncertain_and_never_queued(
    world: World,
) -> None:
    message_id = await world.keep(sms())
    await submit.claim(world.gateway, Channel.SMS, 1)

    world.clock.turn(seconds=120 + GRACE.total_seconds() + 1)
    await settle.lose_leases(world.gateway)

    (attempt,) = await world.attempts(message_id)
    assert (await world.row(message_id))["status"] == "uncertain"
    assert (attempt["outcome"], attempt["why"]) == ("unclear", "lease_expired")
    world.clock.turn(days=1)
    assert await world.submit(Channel.SMS) == []


async def test_a_lease_that_still_runs_is_left_alone(world: World) -> None:
    message_id = await world.keep(sms())
    await submit.claim(world.gateway, Channel.SMS, 1)

    world.clock.turn(seconds=120 + GRACE.total_seconds() - 1)
    await settle.lose_leases(world.gateway)

    assert (await world.row(message_id))["status"] == "submitting"


async def test_an_outcome_that_comes_after_the_lease_moves_nothing_and_is_kept(
    world: World,
) -> None:
    message_id = await world.keep(sms())
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)
    (late,) = await submit.call(world.gateway, [held])
    world.clock.turn(seconds=151)
    await settle.lose_leases(world.gateway)

    recorded = await submit.record(world.gateway, [late])

    (attempt,) = await world.attempts(message_id)
    row = await world.row(message_id)
    assert recorded == [False]
    assert (row["status"], row["provider_message_id"]) == ("uncertain", None)
    assert attempt["late"]["outcome"] == "accepted"
    assert (await world.events(message_id))[-1]["applied"] is False


async def test_a_worker_that_was_held_up_between_claim_and_call_does_not_send(
    world: World,
) -> None:
    message_id = await world.keep(sms())
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)

    world.clock.turn(seconds=31)
    await submit.record(world.gateway, await submit.call(world.gateway, [held]))

    assert world.provider.submissions == []
    assert (await world.row(message_id))["status"] == "queued"


async def test_many_outcomes_are_written_together_each_its_own(world: World) -> None:
    kept = [await world.keep(sms()) for _ in range(4)]
    outcomes: list[Outcome] = [Accepted("a"), Refused(REFUSAL), Unclear("broke"), Accepted("b")]

    await world.submit(Channel.SMS, *outcomes)

    rows = [await world.row(message_id) for message_id in kept]
    assert sorted(row["status"] for row in rows) == [
        "failed",
        "submitted",
        "submitted",
        "uncertain",
    ]


async def test_a_refused_document_that_was_never_fetched_is_tried_again(world: World) -> None:
    message_id = await world.keep(fax())
    judged = Failure(
        type="permanent", reason="document_invalid", retryable=False, provider_code="109"
    )

    for _ in range(retry.MOST_UNFETCHED):
        await world.submit(Channel.FAX, Refused(judged, only_if_fetched=True))
        world.clock.turn(hours=1)

    assert await world.statuses(message_id) == [
        "queued",
        *("submitting", "queued") * (retry.MOST_UNFETCHED - 1),
        *("submitting", "failed"),
    ]
    failure = (await world.row(message_id))["failure"]
    assert (failure["type"], failure["reason"]) == ("technical", "document_unreachable")
    assert (failure["retryable"], failure["provider_code"]) == (True, "109")


async def test_a_refused_document_that_was_fetched_fails_at_once(world: World) -> None:
    message_id = await world.keep(fax())
    ((held,),) = await submit.claim(world.gateway, Channel.FAX, 1)
    assert held.document_url is not None
    token = held.document_url.rpartition("/")[2].removesuffix(".pdf")
    async with world.gateway.database.transaction() as connection:
        served = await attempt_store.fetch(connection, token, world.clock.now())
    judged = Failure(
        type="permanent", reason="document_invalid", retryable=False, provider_code="109"
    )
    world.fax.outcomes.append(Refused(judged, only_if_fetched=True))

    await submit.record(world.gateway, await submit.call(world.gateway, [held]))

    assert served is not None
    assert (await world.row(message_id))["status"] == "failed"
    async with world.gateway.database.transaction() as connection:
        # What was refused can never be fetched again.
        assert await attempt_store.fetch(connection, token, world.clock.now()) is None


async def test_a_message_waits_for_its_time_and_expires_after_its_time(world: World) -> None:
    soon = await world.keep(sms(), send_at=world.clock.now() + timedelta(minutes=5))
    late = await world.keep(sms(), expires_at=world.clock.now() + timedelta(minutes=1))
    assert (await world.row(soon))["status"] == "scheduled"
    world.clock.turn(minutes=2)

    await settle.expire(world.gateway)
    assert await world.submit(Channel.SMS) == []
    world.clock.turn(minutes=4)
    await world.submit(Channel.SMS)

    assert (await world.row(late))["status"] == "expired"
    assert await world.statuses(soon) == ["scheduled", "submitting", "submitted"]
