"""A fax to a busy line is sent again: as a new attempt, with a new token, and the old one closed."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import RowMapping, select

from app.delivery import acknowledge, retry, settle, submit, track
from app.delivery.conclude import Ended, Held
from app.domain.acknowledgement import Acknowledgement
from app.domain.message import Channel, Fax
from app.domain.outcome import Accepted, Deferred, Failure, Outcome, Refused, Unclear
from app.domain.status import ARRIVED, FINAL, Status
from app.store import attempts, messages
from app.store.messages import Move
from app.store.tables import acknowledgements, grants
from tests.gateways import World, fax

pytestmark = pytest.mark.anyio

BUSY, RECEIVED, NO_ANSWER, UNREACHABLE, WRONG_NUMBER = "31064", "0", "31068", "31086", "31083"
TAKEN = Accepted(None, "113", "transmis")
REFUSED = Refused(Failure(type="permanent", reason="recipient_invalid", retryable=False))
MINUTES = [timedelta(minutes=minutes) for minutes in (5, 15, 30)]


async def bring(
    world: World, reference: str, code: str, pages: int | None = None, hour: str = "10:12"
) -> None:
    pages = (3 if code == RECEIVED else 0) if pages is None else pages
    brought = Acknowledgement(
        reference=reference, code=code, number="0199000001", pages=pages, provider_time=hour
    )
    await acknowledge.receive(world.gateway, "fax123", brought)


async def claim(world: World) -> Held:
    ((held,),) = await submit.claim(world.gateway, Channel.FAX, 10)
    return held


async def record(world: World, held: Held, outcome: Outcome = TAKEN) -> bool:
    ended = Ended(held=held, outcome=outcome, function="http.php")
    (recorded,) = await submit.record(world.gateway, [ended])
    return recorded


async def transmit(world: World, outcome: Outcome = TAKEN) -> Held:
    held = await claim(world)
    assert await record(world, held, outcome)
    return held


async def sent(world: World, content: Fax | None = None, **options: Any) -> tuple[UUID, Held]:
    message_id = await world.keep(content or fax(), **options)
    return message_id, await transmit(world)


async def next_one(world: World, message_id: UUID) -> Held:
    """Let the pause pass, and send the fax once more."""
    row = await world.row(message_id)
    assert row["status"] == "queued"
    world.clock.turn(seconds=(row["due_at"] - world.clock.now()).total_seconds())
    return await transmit(world)


async def fetched(world: World, held: Held) -> bool:
    assert held.document_url is not None
    token = held.document_url.rpartition("/")[2].removesuffix(".pdf")
    async with world.gateway.database.transaction() as connection:
        found = await attempts.fetch(connection, token, world.clock.now())
        looked = await attempts.look(connection, token, world.clock.now())
    assert (found is None) == (looked is None)
    return found is not None


async def granted(world: World, held: Held) -> RowMapping:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(
            select(grants).where(grants.c.attempt_id == held.claim.attempt_id)
        )
        return found.mappings().one()


async def notes(world: World) -> list[str | None]:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(
            select(acknowledgements.c.note).order_by(acknowledgements.c.id)
        )
        return list(found.scalars())


async def test_a_busy_line_queues_the_fax_again_and_closes_its_document(world: World) -> None:
    message_id, first = await sent(world)
    assert await fetched(world, first)

    await bring(world, first.claim.reference, BUSY)

    row = await world.row(message_id)
    assert (row["status"], row["due_at"]) == ("queued", world.clock.now() + MINUTES[0])
    assert (row["provider_code"], row["provider_label"]) == (BUSY, "occupé")
    cleared = ("failure", "submitted_at", "provider_message_id", "document_fetched_at")
    assert [row[name] for name in cleared] == [None] * 4
    assert (await world.statuses(message_id))[-1] == "queued"
    event = (await world.events(message_id))[-1]
    assert (event["type"], event["provider_code"], event["provider_label"]) == (
        "message.retrying",
        BUSY,
        "occupé",
    )
    assert event["detail"] == {
        "why": "busy",
        "attempt": 1,
        "attempt_reference": first.claim.reference,
        "next_attempt_at": row["due_at"].isoformat(),
    }
    before = await granted(world, first)
    assert before["revoked_at"] == world.clock.now()
    assert not await fetched(world, first)
    assert await granted(world, first) == before  # a fetch too late is recorded nowhere


async def test_each_attempt_has_its_own_reference_and_token_and_the_old_ones_stay_in_its_row(
    world: World,
) -> None:
    message_id = await world.keep(fax())
    first = await transmit(world, Accepted("X1", "113", "transmis"))
    await bring(world, "X1", BUSY)

    second = await next_one(world, message_id)
    await bring(world, second.claim.reference, RECEIVED)

    one, two = await world.attempts(message_id)
    assert (one["reference"], one["provider_message_id"], one["outcome"]) == (
        first.claim.reference,
        "X1",
        "accepted",
    )
    assert two["reference"] == second.claim.reference != first.claim.reference
    assert second.document_url != first.document_url
    row = await world.row(message_id)
    assert (row["status"], row["attempts"], row["attempt_reference"]) == (
        "delivered",
        2,
        second.claim.reference,
    )
    assert row["provider_message_id"] is None


async def test_after_the_last_delay_a_busy_line_is_a_failure(world: World) -> None:
    message_id, held = await sent(world)

    for pause in MINUTES:
        await bring(world, held.claim.reference, BUSY)
        assert (await world.row(message_id))["due_at"] == world.clock.now() + pause
        world.clock.turn(seconds=pause.total_seconds() - 1)
        assert await submit.claim(world.gateway, Channel.FAX, 1) == []
        held = await next_one(world, message_id)
    await bring(world, held.claim.reference, BUSY)

    row = await world.row(message_id)
    assert (row["status"], row["failure"]["reason"], row["attempts"]) == ("failed", "busy", 4)
    assert row["due_at"] is None
    assert await notes(world) == [None] * 4


@pytest.mark.parametrize(
    ("retry_on", "code", "status"),
    [
        (("busy",), BUSY, "queued"),
        (("busy",), "34012", "queued"),
        ((), BUSY, "failed"),
        (("busy",), NO_ANSWER, "failed"),
        (("no_answer",), NO_ANSWER, "queued"),
        (("no_answer",), "20007", "queued"),
        (("no_answer",), BUSY, "failed"),
        (("unreachable",), UNREACHABLE, "queued"),
        (("busy", "no_answer", "unreachable"), WRONG_NUMBER, "failed"),
        (("busy", "no_answer", "unreachable"), "25011", "failed"),
        (("busy", "no_answer", "unreachable"), "33126", "failed"),
        (("busy", "no_answer", "unreachable"), "39999", "failed"),
    ],
)
async def test_only_the_failures_that_the_client_names_are_tried_again(
    world: World, retry_on: tuple[str, ...], code: str, status: str
) -> None:
    message_id, held = await sent(world, replace(fax(), retry_on=retry_on))

    await bring(world, held.claim.reference, code)

    assert (await world.row(message_id))["status"] == status


async def test_a_busy_line_that_took_pages_contradicts_itself_and_is_not_tried_again(
    world: World,
) -> None:
    message_id, held = await sent(world)

    await bring(world, held.claim.reference, BUSY, pages=1)

    row = await world.row(message_id)
    assert (row["status"], row["failure"]["reason"], row["pages_sent"]) == ("failed", "busy", 1)


@pytest.mark.parametrize(("minutes", "status"), [(5, "failed"), (4, "failed"), (5.1, "queued")])
async def test_a_fax_that_would_expire_before_its_next_attempt_fails_at_once(
    world: World, minutes: float, status: str
) -> None:
    ends = world.clock.now() + timedelta(minutes=minutes)
    message_id, held = await sent(world, expires_at=ends)

    await bring(world, held.claim.reference, BUSY)

    row = await world.row(message_id)
    assert row["status"] == status
    assert (row["failure"] or {}).get("reason") == ("busy" if status == "failed" else None)


def _again(delays: Sequence[int] | None, attempts: int | None) -> list[int]:
    """Return the seconds between all transmissions, where each meets a busy line."""
    content = replace(
        fax(), retry_delays=None if delays is None else tuple(delays), retry_attempts=attempts
    )
    pauses = []
    while (pause := retry.fax_again(content, MINUTES, len(pauses) + 1)) is not None:
        pauses.append(int(pause.total_seconds()))
        assert len(pauses) < 20
    return pauses


@pytest.mark.parametrize(
    ("delays", "attempts", "expected"),
    [
        (None, None, [300, 900, 1800]),
        (None, 1, []),
        (None, 2, [300]),
        (None, 6, [300, 900, 1800, 1800, 1800]),
        ([7], None, [7]),
        ([7, 0], None, [7, 0]),
        ([7, 8, 9], 2, [7]),
        ([7], 4, [7, 7, 7]),
        ([], None, []),
        ([], 1, []),
        ([1] * 10, 10, [1] * 9),
    ],
)
def test_the_delays_and_the_number_of_attempts_bound_each_other(
    delays: list[int] | None, attempts: int | None, expected: list[int]
) -> None:
    assert _again(delays, attempts) == expected


async def test_calls_that_sent_nothing_do_not_count_as_transmissions(world: World) -> None:
    message_id = await world.keep(replace(fax(), retry_delays=(60,)))
    for _ in range(2):
        await transmit(world, Deferred("the line was closed"))
        world.clock.turn(minutes=15)
    held = await transmit(world)

    await bring(world, held.claim.reference, BUSY)

    assert (await world.row(message_id))["status"] == "queued"
    held = await next_one(world, message_id)
    await bring(world, held.claim.reference, BUSY)
    assert (await world.row(message_id))["status"] == "failed"


async def test_the_same_acknowledgement_twice_is_one_retry(world: World) -> None:
    message_id, held = await sent(world)

    await asyncio.gather(*(bring(world, held.claim.reference, BUSY) for _ in range(10)))

    assert [one["type"] for one in await world.events(message_id)].count("message.retrying") == 1
    assert (await world.row(message_id))["due_at"] == world.clock.now() + MINUTES[0]


@pytest.mark.parametrize("code", [BUSY, WRONG_NUMBER])
@pytest.mark.parametrize("stage", ["queued", "submitting", "submitted", "uncertain"])
async def test_another_failure_of_an_earlier_attempt_changes_nothing_and_is_kept(
    world: World, stage: str, code: str
) -> None:
    message_id, first = await sent(world)
    await bring(world, first.claim.reference, BUSY)
    if stage != "queued":
        world.clock.turn(minutes=5)
        second = await claim(world)
    if stage in {"submitted", "uncertain"}:
        await record(world, second, TAKEN if stage == "submitted" else Unclear("it broke"))
    before = await world.row(message_id)

    await bring(world, first.claim.reference, code, hour="10:13")

    after = await world.row(message_id)
    assert dict(after) == dict(before) | {"sequence": before["sequence"] + 1}
    assert after["status"] == stage
    last = (await world.events(message_id))[-1]
    assert (last["applied"], last["provider_code"]) == (False, code)
    assert await notes(world) == [None, "earlier_attempt"]


async def test_a_fax_that_arrived_after_all_is_not_sent_again(world: World) -> None:
    message_id, first = await sent(world)
    await bring(world, first.claim.reference, BUSY)
    fence = (await world.row(message_id))["fence"]

    await bring(world, first.claim.reference, RECEIVED)

    row = await world.row(message_id)
    assert (row["status"], row["due_at"], row["fence"]) == ("delivered", None, fence + 1)
    world.clock.turn(days=1)
    assert await submit.claim(world.gateway, Channel.FAX, 10) == []


@pytest.mark.parametrize(
    ("outcome", "between"),
    [
        (TAKEN, "submitted"),
        (REFUSED, "failed"),
        (Deferred("the line was closed"), "queued"),
        (Unclear("it broke"), "uncertain"),
    ],
)
async def test_that_it_arrived_waits_for_an_open_call_and_then_counts(
    world: World, outcome: Outcome, between: str
) -> None:
    message_id, first = await sent(world)
    await bring(world, first.claim.reference, BUSY)
    world.clock.turn(minutes=5)
    second = await claim(world)

    await bring(world, first.claim.reference, RECEIVED)
    assert (await world.row(message_id))["status"] == "submitting"
    assert await notes(world) == [None, "call_open"]
    assert await record(world, second, outcome)

    statuses = await world.statuses(message_id)
    assert statuses[:5] == ["queued", "submitting", "submitted", "queued", "submitting"]
    assert (statuses[5], statuses[-1]) == (between, "delivered")
    assert await notes(world) == [None, None]
    assert not await fetched(world, second)
    world.clock.turn(days=1)
    assert await submit.claim(world.gateway, Channel.FAX, 10) == []


async def test_that_it_arrived_waits_for_a_lost_lease_as_well(world: World) -> None:
    message_id, first = await sent(world)
    await bring(world, first.claim.reference, BUSY)
    world.clock.turn(minutes=5)
    second = await claim(world)
    await bring(world, first.claim.reference, RECEIVED)

    world.clock.turn(seconds=200)
    await settle.lose_leases(world.gateway)

    assert (await world.row(message_id))["status"] == "delivered"
    assert not await record(world, second)


async def test_that_it_arrived_closes_the_document_of_the_second_attempt(world: World) -> None:
    message_id, first = await sent(world)
    await bring(world, first.claim.reference, BUSY)
    second = await next_one(world, message_id)

    await bring(world, first.claim.reference, RECEIVED)

    assert (await world.row(message_id))["status"] == "delivered"
    assert not await fetched(world, second)
    await bring(world, second.claim.reference, BUSY)
    last = (await world.events(message_id))[-1]
    assert ((await world.row(message_id))["status"], last["applied"]) == ("delivered", False)


async def test_a_document_stays_open_while_its_attempt_may_still_need_it(world: World) -> None:
    message_id, _ = await sent(world)
    await bring(world, (await world.row(message_id))["attempt_reference"], BUSY)

    second = await next_one(world, message_id)

    assert await fetched(world, second)


async def test_a_busy_line_before_the_answer_of_its_call_is_tried_again_in_one_step(
    world: World,
) -> None:
    message_id = await world.keep(fax())
    held = await claim(world)
    await bring(world, held.claim.reference, BUSY)
    assert (await world.row(message_id))["status"] == "submitting"

    assert await record(world, held)

    assert await world.statuses(message_id) == ["queued", "submitting", "submitted", "queued"]
    assert (await world.row(message_id))["due_at"] == world.clock.now() + MINUTES[0]
    assert not await fetched(world, held)


@pytest.mark.parametrize("outcome", [Deferred("the line was closed"), REFUSED])
async def test_a_busy_line_of_a_call_that_sent_nothing_changes_nothing(
    world: World, outcome: Outcome
) -> None:
    message_id = await world.keep(fax())
    held = await claim(world)
    await bring(world, held.claim.reference, BUSY)

    await record(world, held, outcome)

    expected = "failed" if outcome is REFUSED else "queued"
    assert (await world.statuses(message_id)) == ["queued", "submitting", expected]
    assert (await world.events(message_id))[-1]["applied"] is False


async def test_an_unclear_call_to_a_busy_line_is_settled_and_tried_again(world: World) -> None:
    message_id = await world.keep(fax())
    held = await transmit(world, Unclear("it broke"))

    await bring(world, held.claim.reference, BUSY)

    assert (await world.statuses(message_id))[-3:] == ["uncertain", "submitted", "queued"]
    assert not await fetched(world, held)
    assert (await next_one(world, message_id)).claim.row["attempts"] == 2


async def test_an_outcome_that_is_written_down_twice_does_not_take_the_fax_back(
    world: World,
) -> None:
    message_id = await world.keep(fax())
    held = await claim(world)
    await bring(world, held.claim.reference, BUSY)
    assert await record(world, held)

    # The first commit's answer was lost: the worker writes it down again.
    assert not await record(world, held)

    assert (await world.row(message_id))["status"] == "queued"
    assert [one["type"] for one in await world.events(message_id)].count("message.retrying") == 1


@pytest.mark.parametrize("outcome", [TAKEN, Unclear("it broke"), Deferred("closed")])
async def test_the_answer_and_its_acknowledgements_may_race(world: World, outcome: Outcome) -> None:
    message_id = await world.keep(fax())
    held = await claim(world)

    await asyncio.gather(
        *(bring(world, held.claim.reference, BUSY) for _ in range(5)),
        record(world, held, outcome),
        *(bring(world, held.claim.reference, BUSY, hour="10:13") for _ in range(5)),
    )

    row = await world.row(message_id)
    assert row["status"] == "queued"
    retried = [one["type"] for one in await world.events(message_id)].count("message.retrying")
    assert retried == (0 if isinstance(outcome, Deferred) else 1)
    assert None not in await settled(world)


async def test_a_look_that_began_before_the_retry_neither_delays_nor_expires_it(
    world: World,
) -> None:
    message_id, held = await sent(world)
    world.clock.turn(hours=1)
    await look(world)
    world.clock.turn(hours=47)
    (row,) = await track.claim(world.gateway, 10)
    asked = await track.ask(world.gateway, row)
    await bring(world, held.claim.reference, BUSY)

    await track.record(world.gateway, [asked])

    row = await world.row(message_id)
    assert (row["status"], row["due_at"]) == ("queued", world.clock.now() + MINUTES[0])


async def look(world: World) -> None:
    for row in await track.claim(world.gateway, 10):
        await track.record(world.gateway, [await track.ask(world.gateway, row)])


@pytest.mark.parametrize(
    ("standing", "to"),
    [("submitted", Status.QUEUED), ("queued", Status.DELIVERED)],
)
async def test_without_a_report_nobody_sends_a_fax_again_or_calls_it_delivered(
    world: World, standing: str, to: Status
) -> None:
    message_id, held = await sent(world)
    if standing == "queued":
        await bring(world, held.claim.reference, BUSY)

    async with world.gateway.database.transaction() as connection:
        step = Move(message_id=message_id, to=to, at=world.clock.now(), source="worker")
        moved = await messages.move(connection, world.gateway.ids, [step])

    assert moved == [False]
    assert (await world.row(message_id))["status"] == standing


async def settled(world: World) -> list[Any]:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(acknowledgements.c.applied_at))
        return list(found.scalars())


CODES = (BUSY, BUSY, BUSY, RECEIVED, NO_ANSWER, WRONG_NUMBER, "33126")
OUTCOMES = (TAKEN, TAKEN, TAKEN, Unclear("it broke"), Deferred("closed"), REFUSED)


async def test_whatever_comes_in_whatever_order_a_fax_is_sent_only_where_nothing_arrived(
    world: World,
) -> None:
    drawn = random.Random(20261122)
    for _ in range(60):
        await _one_life(world, drawn)


async def _one_life(world: World, drawn: random.Random) -> None:
    """Let a fax live through claims, answers, acknowledgements and time, and watch what holds."""
    message_id = await world.keep(replace(fax(), retry_on=("busy", "no_answer")))
    made: list[Held] = []
    is_open: Held | None = None
    arrived = False  # acknowledged of any attempt that was over
    waiting = False  # acknowledged of an attempt while a call was open
    for number in range(drawn.randint(4, 14)):
        match drawn.choice(("claim", "record", "acknowledge", "acknowledge", "turn")):
            case "claim" if is_open is None:
                calls = await submit.claim(world.gateway, Channel.FAX, 1)
                assert not (calls and arrived), "sent again though it arrived"
                is_open = calls[0][0] if calls else None
                made += [is_open] if is_open is not None else []
            case "record" if is_open is not None:
                assert await record(world, is_open, drawn.choice(OUTCOMES))
                is_open, arrived = None, arrived or waiting
            case "acknowledge" if made:
                code = drawn.choice(CODES)
                reference = drawn.choice(made).claim.reference
                await bring(world, reference, code, hour=f"{number}")
                waiting = waiting or code == RECEIVED
                arrived = arrived or (waiting and is_open is None)
            case "turn":
                world.clock.turn(seconds=drawn.choice((1, 600, 4000)))
        row = await world.row(message_id)
        assert (row["status"] == "submitting") == (is_open is not None)
        assert not arrived or Status(row["status"]) in ARRIVED
        assert row["due_at"] is None or Status(row["status"]) not in FINAL
    if is_open is not None:
        await record(world, is_open)
    assert None not in await settled(world), "an acknowledgement was lost"
    rows = await world.attempts(message_id)
    assert sum(one["outcome"] in {"accepted", "unclear"} for one in rows) <= 1 + len(MINUTES)
    found = await world.events(message_id)
    assert [one["sequence"] for one in found] == list(range(1, len(found) + 1))
    grants_of = [await granted(world, held) for held in made]
    assert all(one["revoked_at"] is not None for one in grants_of[:-1]), "an old token is open"
    # Leave nothing for the next life to claim.
    async with world.gateway.database.transaction() as connection:
        row = await messages.lock(connection, message_id)
        if Status(row["status"]) is Status.QUEUED:
            at = world.clock.now()
            step = Move(message_id=message_id, to=Status.CANCELLED, at=at, source="client")
            assert await messages.move(connection, world.gateway.ids, [step]) == [True]
