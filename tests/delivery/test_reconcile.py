"""Uncertain messages are settled by evidence: found, proven absent, or left as they are."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.delivery import reconcile, settle, submit, track
from app.delivery.look import LOOKS, first_look, gives_up_at, next_look
from app.domain.evidence import NoReport
from app.domain.message import Channel
from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Outcome, Refused, Report
from app.domain.status import Status
from app.store import messages, uncertain
from app.store.messages import Move
from app.store.uncertain import PROVEN
from tests.delivery.reconciling import (
    BROKE,
    die,
    died,
    email,
    later,
    letter,
    look,
    lost,
    prove_absent,
    with_reports,
)
from tests.gateways import BEGAN, World, sms

pytestmark = pytest.mark.anyio

# --- found ---


async def test_what_the_report_shows_under_our_reference_was_sent_and_is_followed(
    world: World,
) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email())
    (attempt,) = await world.attempts(message_id)
    reports.show(attempt, "guid-1")

    await look(world, minutes=2)

    row = await world.row(message_id)
    assert (row["status"], row["provider_message_id"]) == ("submitted", "guid-1")
    assert (row["provider_function"], row["attempt_reference"]) == (
        "SEND_email",
        attempt["reference"],
    )
    event = (await world.events(message_id))[-1]
    assert (event["source"], event["detail"]) == (
        "reconciliation",
        {
            "evidence": "report",
            "attempt_reference": attempt["reference"],
            "provider_message_id": "guid-1",
        },
    )
    (settled,) = await world.attempts(message_id)
    assert (settled["outcome"], settled["provider_message_id"]) == ("found", "guid-1")
    world.clock.turn(minutes=1)
    world.provider.findings.append(Report(code="30", status=Status.DELIVERED))
    (due,) = await track.claim(world.gateway, 10)
    await track.record(world.gateway, [await track.ask(world.gateway, due)])
    assert (await world.row(message_id))["status"] == "delivered"


async def test_a_message_whose_worker_died_is_found_with_its_reference_and_function(
    world: World,
) -> None:
    reports = with_reports(world)
    message_id = await died(world, letter())
    (attempt,) = await world.attempts(message_id)
    reports.show(attempt)

    await look(world, minutes=2)

    row = await world.row(message_id)
    assert (row["status"], row["provider_function"]) == ("submitted", "SEND_letter")
    assert row["attempt_reference"] == attempt["reference"]


async def test_a_message_that_stands_there_twice_is_followed_and_told(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email())
    (attempt,) = await world.attempts(message_id)
    reports.show(attempt, "guid-1")
    reports.show(attempt, "guid-2")

    with capture_logs() as logs:
        await look(world, minutes=2)

    assert (await world.row(message_id))["status"] == "submitted"
    assert (await world.events(message_id))[-1]["detail"]["copies"] == 2
    assert [one["copies"] for one in logs if one["event"] == "duplicate_detected"] == [2]


async def test_several_rows_under_one_id_are_one_sending(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email())
    (attempt,) = await world.attempts(message_id)
    reports.show(attempt, "guid-1", recipient="anna@example.com")
    reports.show(attempt, "guid-1", recipient="bert@example.com")

    await look(world, minutes=2)

    assert "copies" not in (await world.events(message_id))[-1]["detail"]


async def test_without_the_providers_id_nobody_can_ask_and_the_event_says_so(world: World) -> None:
    reports = with_reports(world)
    reports.columns = ("reference",)
    message_id = await lost(world, email())
    (attempt,) = await world.attempts(message_id)
    reports.show(attempt, None)

    await look(world, minutes=2)

    row = await world.row(message_id)
    assert (row["status"], row["provider_message_id"]) == ("submitted", None)
    assert row["due_at"] is not None
    assert "nobody can ask" in (await world.events(message_id))[-1]["detail"]["why"]


async def test_the_report_of_an_earlier_attempt_counts_too(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")
    (first,) = await world.attempts(message_id)
    await later(world, reports, email())
    await prove_absent(world)
    await world.submit(Channel.EMAIL, Accepted("second"))
    reports.show(first, "first")

    await look(world, hours=1)

    # It is not uncertain any more: what the report says late is seen by its copy alone.
    assert (await world.row(message_id))["provider_message_id"] == "second"


# --- proven absent ---


async def test_two_reports_without_it_prove_that_it_was_not_sent_and_it_is_sent_again(
    world: World,
) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")
    await later(world, reports, email())

    await look(world, minutes=31)
    assert (await world.row(message_id))["status"] == "uncertain"
    (seen,) = await world.attempts(message_id)
    assert seen["absent_at"] == world.clock.now()
    await look(world, minutes=30)

    row = await world.row(message_id)
    assert (row["status"], row["due_at"]) == ("queued", world.clock.now())
    event = (await world.events(message_id))[-1]
    assert (event["type"], event["detail"]["evidence"]) == ("message.retrying", "report")
    await world.submit(Channel.EMAIL, Accepted("guid-2"))
    row = await world.row(message_id)
    assert (row["status"], row["provider_message_id"]) == ("submitted", "guid-2")
    one, two = await world.attempts(message_id)
    assert (one["outcome"], two["outcome"]) == ("absent", "accepted")
    assert one["reference"] != two["reference"]


@pytest.mark.parametrize("asked", [None, "hold"])
async def test_without_the_clients_word_it_waits_for_a_person_with_the_proof(
    world: World, asked: str | None
) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain=asked)
    await later(world, reports, email())

    await prove_absent(world)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"]) == ("uncertain", PROVEN)
    event = (await world.events(message_id))[-1]
    assert (event["type"], event["status"]) == ("message.absence_proven", "uncertain")
    asked_before = len(reports.asked)
    await look(world, days=20)
    assert len(reports.asked) == asked_before
    assert (await world.row(message_id))["sequence"] == row["sequence"]
    await look(world, days=11)
    row = await world.row(message_id)
    assert (row["status"], row["due_at"]) == ("expired", None)


async def test_what_was_not_sent_expires_at_its_time(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), expires_at=BEGAN + timedelta(hours=3))
    await later(world, reports, email())
    await prove_absent(world)
    assert (await world.row(message_id))["due_at"] == BEGAN + timedelta(hours=3)

    await look(world, hours=2)

    assert (await world.row(message_id))["status"] == "expired"
    assert (await world.events(message_id))[-1]["detail"]["why"] == "expires_at"


async def test_an_expiry_that_passed_meanwhile_is_not_sent_again(world: World) -> None:
    reports = with_reports(world)
    soon = BEGAN + timedelta(minutes=40)
    message_id = await lost(world, email(), expires_at=soon, on_uncertain="retry")
    await later(world, reports, email())

    await prove_absent(world)

    assert (await world.row(message_id))["status"] == "expired"


async def test_a_one_time_code_is_not_sent_again_after_ten_minutes(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, sms(), purpose="otp", on_uncertain="retry")
    await later(world, reports, sms("+33639980002"))
    reports.rows.clear()
    await later(world, reports, sms())

    await prove_absent(world)

    assert (await world.row(message_id))["status"] == "expired"


async def test_a_letter_is_never_sent_again_by_itself(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, letter(), on_uncertain="retry")
    await later(world, reports, letter())

    await prove_absent(world)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"]) == ("uncertain", PROVEN)


async def test_after_three_absences_a_person_is_asked(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")
    for _ in range(2):
        await later(world, reports, email())
        await prove_absent(world)
        assert (await world.row(message_id))["status"] == "queued"
        await world.submit(Channel.EMAIL, Deferred("no connection"))
        world.clock.turn(hours=1)
        await world.submit(Channel.EMAIL, BROKE)
    await later(world, reports, email())
    await prove_absent(world)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"]) == ("uncertain", PROVEN)


async def test_a_message_that_two_workers_died_of_is_held(world: World) -> None:
    reports = with_reports(world)
    message_id = await died(world, email(), on_uncertain="retry")
    await later(world, reports, email())
    await prove_absent(world)
    assert (await world.row(message_id))["status"] == "queued"
    await die(world, Channel.EMAIL)
    await later(world, reports, email())
    await prove_absent(world)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"]) == ("held", "poison")
    assert (await world.events(message_id))[-1]["detail"]["why"] == "poison"


# --- no proof ---


async def test_a_report_that_came_too_early_proves_nothing(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")
    await later(world, reports, email())

    for _ in range(5):
        await look(world, minutes=5.5)

    assert (await world.attempts(message_id))[0]["absent_at"] is None
    assert len(reports.asked) == 2  # after 5 and 15 minutes


async def test_a_report_without_a_later_message_of_ours_proves_nothing(world: World) -> None:
    with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")

    for _ in range(10):
        await look(world, hours=5)

    (attempt,) = await world.attempts(message_id)
    assert (attempt["outcome"], attempt["absent_at"]) == ("unclear", None)


async def test_a_later_message_of_another_channel_proves_nothing(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")
    await later(world, reports, letter())

    await prove_absent(world)

    assert (await world.attempts(message_id))[0]["absent_at"] is None


async def test_an_earlier_message_of_ours_proves_nothing(world: World) -> None:
    reports = with_reports(world)
    await later(world, reports, email())
    message_id = await lost(world, email(), on_uncertain="retry")

    await prove_absent(world)

    assert (await world.attempts(message_id))[0]["absent_at"] is None


async def test_two_reports_too_close_to_each_other_prove_nothing(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")
    await later(world, reports, email())
    await look(world, minutes=31)
    async with world.gateway.database.transaction() as connection:
        await uncertain.hurry(connection, message_id, world.clock.now())

    await look(world, minutes=9)

    row = await world.row(message_id)
    assert len(reports.asked) == 2
    assert row["status"] == "uncertain"
    assert row["due_at"] == world.clock.now() + timedelta(minutes=1)


async def test_a_first_absence_that_the_second_report_contradicts_was_none(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")
    await later(world, reports, email())
    await look(world, minutes=31)
    (attempt,) = await world.attempts(message_id)
    reports.show(attempt, "guid-1")

    await look(world, minutes=10)

    assert (await world.row(message_id))["provider_message_id"] == "guid-1"


@pytest.mark.parametrize("lasting", [True, False])
async def test_a_report_that_is_not_there_settles_nothing_and_a_lasting_reason_is_told_once(
    world: World, lasting: bool
) -> None:
    reports = with_reports(world)
    reports.missing = NoReport("nobody has said what the columns are", lasting=lasting)
    message_id = await lost(world, email(), on_uncertain="retry")

    for _ in range(4):
        await look(world, minutes=31)

    assert (await world.row(message_id))["status"] == "uncertain"
    told = [one["type"] for one in await world.events(message_id)][3:]
    assert told == (["message.evidence_missing"] if lasting else [])


async def test_a_report_without_our_reference_proves_nothing(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")
    await later(world, reports, email())
    reports.columns = ("provider_message_id", "recipient", "date", "time")

    await prove_absent(world)

    assert (await world.row(message_id))["status"] == "uncertain"


# --- text messages: by number and time ---


async def test_a_text_message_is_found_by_its_number_and_time(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, sms())
    reports.show_text("0033 6 39 98 00 01", "guid-1", BEGAN + timedelta(seconds=100))

    await look(world, minutes=2)

    row = await world.row(message_id)
    assert (row["status"], row["provider_message_id"]) == ("submitted", "guid-1")


async def test_a_row_that_is_known_to_be_another_messages_is_no_candidate(world: World) -> None:
    reports = with_reports(world)
    await later(world, reports, sms())
    message_id = await lost(world, sms())
    reports.show_text("33639980001", "guid-1", world.clock.now())

    await look(world, minutes=2)

    assert (await world.row(message_id))["provider_message_id"] == "guid-1"


@pytest.mark.parametrize(
    "rows",
    [
        [("33639980001", "a", 0), ("33639980001", "b", 10)],  # two of theirs
        [("33639980001", "a", 0), ("33639980001", "b", 600)],  # one of them much later
        [("33639980001", "a", 400)],  # not near enough
        [("33639980001", "a", None)],  # at a time that nobody can read
    ],
)
async def test_a_text_message_that_is_not_told_from_others_stays_uncertain(
    world: World, rows: list[tuple[str, str, float | None]]
) -> None:
    reports = with_reports(world)
    message_id = await lost(world, sms(), on_uncertain="retry")
    await later(world, reports, sms())
    for number, given, after in rows:
        moments = [] if after is None else [BEGAN + timedelta(seconds=after)]
        reports.show_text(number, given, *moments)

    await prove_absent(world)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"]) == ("uncertain", None)
    assert (await world.attempts(message_id))[0]["absent_at"] is None


async def test_two_of_ours_to_one_number_are_not_told_from_each_other(world: World) -> None:
    reports = with_reports(world)
    ids = [await lost(world, sms()), await lost(world, sms())]
    reports.show_text("33639980001", "guid-1", BEGAN)

    await look(world, minutes=2)

    assert [(await world.row(one))["status"] for one in ids] == ["uncertain"] * 2


async def test_a_text_message_is_proven_absent_by_a_later_one_under_its_number(
    world: World,
) -> None:
    reports = with_reports(world)
    message_id = await lost(world, sms("+33639980002"), on_uncertain="retry")
    await later(world, reports, sms())

    await prove_absent(world)

    assert (await world.row(message_id))["status"] == "queued"


async def test_a_report_whose_clock_is_not_ours_proves_nothing_of_text_messages(
    world: World,
) -> None:
    reports = with_reports(world)
    message_id = await lost(world, sms("+33639980002"), on_uncertain="retry")
    await later(world, reports, sms())
    (row,) = reports.rows
    reports.rows = []
    reports.show_text("33639980001", str(row.provider_message_id), BEGAN + timedelta(hours=2))

    await prove_absent(world)

    assert (await world.attempts(message_id))[0]["absent_at"] is None


# --- late answers ---


async def test_the_late_id_of_a_worker_that_lost_its_lease_settles_at_once(world: World) -> None:
    message_id = await world.keep(email())
    world.provider.outcomes.append(Accepted("guid-late"))
    await late(world, message_id)

    await look(world)

    row = await world.row(message_id)
    assert (row["status"], row["provider_message_id"]) == ("submitted", "guid-late")
    assert (await world.events(message_id))[-1]["detail"]["evidence"] == "late_answer"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Deferred("no connection"), "queued"),
        (Blocked("provider_contract", "no such function", stops=False), "queued"),
        (Refused(Failure(type="permanent", reason="policy", retryable=False)), "failed"),
    ],
)
@pytest.mark.parametrize("content", [email(), sms()])
async def test_a_late_answer_that_nothing_was_sent_settles_at_once(
    world: World, outcome: Outcome, status: str, content: Any
) -> None:
    message_id = await world.keep(content)
    world.provider.outcomes.append(outcome)
    await late(world, message_id)

    await look(world)

    assert (await world.row(message_id))["status"] == status


async def late(world: World, message_id: Any) -> None:
    """Let a call be answered after its lease was lost."""
    channel = Channel((await world.row(message_id))["channel"])
    ((held,),) = await submit.claim(world.gateway, channel, 1)
    (ended,) = await submit.call(world.gateway, [held])
    world.clock.turn(seconds=151)
    await settle.lose_leases(world.gateway)
    assert await submit.record(world.gateway, [ended]) == [False]
    assert (await world.row(message_id))["status"] == "uncertain"


# --- when, and by whom ---


def test_the_looks_are_those_of_the_contract() -> None:
    minutes = [one.total_seconds() / 60 for one in LOOKS]

    assert minutes[:7] == [2, 5, 15, 30, 60, 120, 240]
    assert minutes[-28:-26] == [72 * 60, 4 * 1440]
    assert minutes[-1] == 30 * 1440
    assert all(one < two for one, two in pairwise(minutes))


@pytest.mark.parametrize("pace", [1.0, 0.05])
def test_each_look_is_followed_by_a_later_one_until_the_last(pace: float) -> None:
    at = first_look(BEGAN, pace)
    looks = 1
    while at < gives_up_at(BEGAN, pace):
        following = next_look(BEGAN, at, pace)
        assert following > at
        at, looks = following, looks + 1
    assert looks == len(LOOKS)


async def test_every_uncertain_message_knows_when_it_is_looked_at_next(world: World) -> None:
    with_reports(world)
    ids = [await lost(world, email()), await lost(world, sms()), await died(world, letter())]

    for hours in (0.05, 1, 5, 30, 90, 300):
        for message_id in ids:
            row = await world.row(message_id)
            assert row["due_at"] is not None
        await look(world, hours=hours)
        assert all([(await world.row(one))["due_at"] > world.clock.now() for one in ids])


async def test_after_thirty_days_without_a_verdict_it_expires_and_may_still_be_corrected(
    world: World,
) -> None:
    with_reports(world)
    message_id = await lost(world, email(), on_uncertain="retry")

    for _ in range(4):
        await look(world, days=8)

    row = await world.row(message_id)
    assert (row["status"], row["due_at"]) == ("expired", None)
    assert (await world.events(message_id))[-1]["detail"]["why"] == "no_verdict"


async def test_one_report_serves_all_and_is_asked_for_every_five_minutes_at_most(
    world: World,
) -> None:
    reports = with_reports(world)
    ids = [await lost(world, email())]
    world.clock.turn(minutes=1)
    ids.append(await lost(world, letter()))
    world.clock.turn(minutes=1)
    ids.append(await lost(world, sms()))

    taken = await look(world)
    assert len(taken.rows) == 3
    for _ in range(30):
        await look(world, seconds=20)

    assert [since for since, _ in reports.asked] == [BEGAN - timedelta(minutes=10)] * 2
    (_, first), (_, second) = reports.asked
    assert second - first >= timedelta(minutes=5)
    assert all([(await world.row(one))["checks"] == 2 for one in ids])


async def test_no_report_is_asked_for_on_account_of_a_test_keys_message(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email())
    await world.change(message_id, mode="test")
    world.gateway = replace(world.gateway, production=True)

    await look(world, minutes=31)

    assert reports.asked == []
    assert (await world.row(message_id))["status"] == "uncertain"


async def test_what_one_worker_looks_at_another_leaves_alone(world: World) -> None:
    with_reports(world)
    await lost(world, email())
    world.clock.turn(minutes=2)

    first = await reconcile.claim(world.gateway)
    second = await reconcile.claim(world.gateway)

    assert (len(first.rows), len(second.rows)) == (1, 0)
    world.clock.turn(minutes=6)
    again = await reconcile.claim(world.gateway)  # the first one died
    assert len(again.rows) == 1
    assert list(again.turns) == ["efidem"]


async def test_a_message_that_moved_while_the_report_was_read_is_left_alone(world: World) -> None:
    reports = with_reports(world)
    message_id = await lost(world, email())
    (attempt,) = await world.attempts(message_id)
    reports.show(attempt, "guid-1")
    world.clock.turn(minutes=2)
    taken = await reconcile.claim(world.gateway)
    async with world.gateway.database.transaction() as connection:
        moved = Move(
            message_id=message_id,
            to=Status.FAILED,
            at=world.clock.now(),
            source="operator",
            raise_fence=True,
        )
        await messages.move(connection, world.gateway.ids, [moved])

    await reconcile.settle(world.gateway, taken)

    assert (await world.row(message_id))["status"] == "failed"
    assert (await world.attempts(message_id))[0]["outcome"] == "unclear"


async def test_members_of_a_campaign_that_were_not_sent_leave_together_once_more(
    world: World,
) -> None:
    reports = with_reports(world)
    campaign_id = world.gateway.ids.new()
    ids = [
        await world.keep(email(), campaign_id=campaign_id, on_uncertain="retry") for _ in range(2)
    ]
    await world.submit(Channel.EMAIL, BROKE)
    assert len(world.provider.campaigns) == 1
    await later(world, reports, email())

    await prove_absent(world)

    rows = [await world.row(one) for one in ids]
    assert [row["status"] for row in rows] == ["queued"] * 2
    assert [row["due_at"] is not None for row in rows] == [True, False]
    await world.submit(Channel.EMAIL, Accepted("together"))
    (_, again) = world.provider.campaigns
    assert len(again.members) == 2
    assert {(await world.row(one))["status"] for one in ids} == {"submitted"}


async def test_members_of_a_campaign_are_found_each_by_its_own_reference(world: World) -> None:
    reports = with_reports(world)
    campaign_id = world.gateway.ids.new()
    ids = [await world.keep(email(), campaign_id=campaign_id) for _ in range(2)]
    await world.submit(Channel.EMAIL, BROKE)
    for message_id in ids:
        (attempt,) = await world.attempts(message_id)
        reports.show(attempt, "one-for-all")

    await look(world, minutes=2)

    rows = [await world.row(one) for one in ids]
    assert {(row["status"], row["provider_message_id"]) for row in rows} == {
        ("submitted", "one-for-all")
    }
    assert {row["provider_function"] for row in rows} == {"MULTI_SEND_email"}
