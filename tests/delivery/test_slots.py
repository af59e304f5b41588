"""Text messages under slots: an uncertain one is told by what the provider counts under its code."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import RowMapping, select
from structlog.testing import capture_logs

from app.delivery import count, settle, submit
from app.domain.message import Channel
from app.domain.outcome import (
    Accepted,
    Blocked,
    Consulted,
    Deferred,
    Failure,
    Outcome,
    Refused,
    Told,
    Unreached,
    Wrong,
)
from app.domain.status import Status
from app.store import messages as store
from app.store import restoring
from app.store.messages import Move
from app.store.tables import slots as table
from app.store.uncertain import PROVEN
from tests.delivery.reconciling import BROKE, Reports, look, with_reports
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio

REFUSED = Refused(Failure(type="permanent", reason="policy", retryable=False))


class Counts:
    """A desk that counts what the test says was submitted under each code."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.away = False
        self.refused = ""
        self.asked: list[str] = []

    async def consult(self, function: str, values: Mapping[str, object]) -> Consulted:
        assert function == "COMPTE_SOUMIS_CODE_FACTURATION"
        code = str(values["CODE_FACTURATION"])
        self.asked.append(code)
        if code == self.refused:
            return Wrong("-7", "", "forbidden_characters")
        return Unreached("away") if self.away else Told(str(self.counts[code]))

    async def read_report(self, content: bytes) -> Sequence[Mapping[str, str]] | None:
        raise AssertionError(content)

    async def report_columns(self) -> Collection[str] | None:
        raise AssertionError


def with_slots(world: World, most: int = 2) -> Counts:
    counts = Counts()
    world.gateway = replace(world.gateway, slots={"efidem": most}, desks={"efidem": counts})
    return counts


async def rows(world: World) -> dict[str, RowMapping]:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(table).order_by(table.c.code))
        return {row["code"]: row for row in found.mappings()}


async def kept(world: World, **options: Any) -> UUID:
    """Keep a text message, and have the slots of its code counted."""
    message_id = await world.keep(sms(), **options)
    assert await count.prepare(world.gateway)
    return message_id


async def lost(world: World, counts: Counts, *, sent: bool, **options: Any) -> UUID:
    """Keep a text message that nobody answers, and that the provider counts if it was sent."""
    message_id = await kept(world, billing_code="dept", **options)
    await world.submit(Channel.SMS, BROKE)
    (attempt,) = await world.attempts(message_id)
    counts.counts[attempt["slot_code"]] += sent
    assert (await world.row(message_id))["status"] == "uncertain"
    return message_id


async def holder(world: World, message_id: UUID) -> RowMapping | None:
    """Return the slot that a message's last attempt holds."""
    last = (await world.attempts(message_id))[-1]
    return next(
        (one for one in (await rows(world)).values() if one["attempt_id"] == last["id"]), None
    )


# --- reservation ---


async def test_without_slots_a_text_message_is_sent_under_its_own_code(world: World) -> None:
    message_id = await world.keep(sms(), billing_code="dept")

    await world.submit(Channel.SMS)

    assert world.provider.submissions[0].billing_code == "dept"
    (attempt,) = await world.attempts(message_id)
    assert (attempt["slot_code"], attempt["expected"]) == (None, None)
    assert await rows(world) == {}


async def test_a_slot_is_counted_before_it_is_used_and_its_code_is_the_providers_alone(
    world: World,
) -> None:
    counts = with_slots(world)
    counts.counts["dept-1"] = counts.counts["dept-2"] = 7
    message_id = await world.keep(sms(), billing_code="dept")
    assert await world.submit(Channel.SMS) == []

    assert await count.prepare(world.gateway)
    await world.submit(Channel.SMS, Accepted("guid"))

    assert sorted(counts.asked) == ["dept-1", "dept-2"]
    (attempt,) = await world.attempts(message_id)
    assert attempt["expected"] == 7
    assert world.provider.submissions[0].billing_code == attempt["slot_code"]
    assert attempt["slot_code"] in {"dept-1", "dept-2"}
    row = await world.row(message_id)
    assert (row["status"], row["billing_code"]) == ("submitted", "dept")


async def test_a_message_without_a_code_and_one_whose_code_is_too_long(world: World) -> None:
    with_slots(world, 1)
    unnamed, long = await world.keep(sms()), await world.keep(sms(), billing_code="x" * 98)
    assert await count.prepare(world.gateway)

    await world.submit(Channel.SMS)

    ((one,), (other,)) = await world.attempts(unnamed), await world.attempts(long)
    assert (one["slot_code"], other["slot_code"]) == ("S-1", None)


async def test_slots_that_cannot_be_counted_let_nothing_leave(world: World) -> None:
    counts = with_slots(world)
    counts.away = True
    await world.keep(sms())

    assert not await count.prepare(world.gateway)

    assert await submit.claim(world.gateway, Channel.SMS, 10) == []


async def test_a_code_that_is_refused_is_sent_under_and_so_refused(world: World) -> None:
    counts = with_slots(world, 1)
    counts.refused = "bad-1"
    bad, good = await world.keep(sms(), billing_code="bad"), await world.keep(sms())
    assert await count.prepare(world.gateway)

    await world.submit(Channel.SMS, REFUSED)

    assert (await world.row(bad))["status"] == "failed"
    assert (await world.row(good))["status"] == "submitted"


async def test_a_code_whose_slots_are_taken_holds_no_other_up(world: World) -> None:
    with_slots(world, 2)
    for _ in range(5):
        await world.keep(sms(), billing_code="a")
    world.clock.turn(seconds=1)
    await world.keep(sms(), billing_code="b")
    assert await count.prepare(world.gateway)

    first = await submit.claim(world.gateway, Channel.SMS, 3)
    second = await submit.claim(world.gateway, Channel.SMS, 3)
    third = await submit.claim(world.gateway, Channel.SMS, 3)

    assert [one.claim.row["billing_code"] for (one,) in first] == ["a", "a"]
    assert [one.claim.row["billing_code"] for (one,) in second] == ["b"]
    assert third == []


async def test_concurrent_claims_never_give_one_slot_twice(world: World) -> None:
    with_slots(world, 4)
    for number in range(24):
        await world.keep(sms(), billing_code=f"code{number % 2}")
    assert all(await asyncio.gather(*(count.prepare(world.gateway) for _ in range(4))))
    under_way: set[str] = set()
    done: list[str] = []

    async def work() -> None:
        while len(done) < 24:
            for (held,) in await submit.claim(world.gateway, Channel.SMS, 3):
                assert held.claim.slot is not None
                code = held.claim.slot.code
                assert code not in under_way
                under_way.add(code)
                await asyncio.sleep(0.002)
                ended = await submit.call(world.gateway, [held])
                under_way.discard(code)
                await submit.record(world.gateway, ended)
                done.append(code)
            await asyncio.sleep(0.001)

    await asyncio.wait_for(asyncio.gather(*(work() for _ in range(6))), 60)

    assert len(done) == 24
    every = await rows(world)
    assert {code: row["expected"] for code, row in every.items()} == Counter(done)
    assert all(row["attempt_id"] is None for row in every.values())


@pytest.mark.parametrize(
    ("outcome", "grown"),
    [
        (Accepted("guid"), 1),
        (REFUSED, 0),
        (Deferred("busy"), 0),
        (Blocked("credentials", "wrong"), 0),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_outcome_frees_the_slot(world: World, outcome: Outcome, grown: int) -> None:
    with_slots(world, 1)
    await kept(world)

    await world.submit(Channel.SMS, outcome)

    slot = (await rows(world))["S-1"]
    assert (slot["attempt_id"], slot["expected"]) == (None, grown)


# --- the verdict ---


async def test_one_more_than_before_twice_means_that_it_was_sent(world: World) -> None:
    counts = with_slots(world)
    message_id = await lost(world, counts, sent=True)
    assert await holder(world, message_id) is not None
    counts.asked.clear()

    await look(world, minutes=9)
    assert counts.asked == []
    await look(world, minutes=1)
    await look(world, seconds=59)
    assert len(counts.asked) == 1
    assert (await world.row(message_id))["status"] == "uncertain"
    await look(world, seconds=1)

    row = await world.row(message_id)
    assert (row["status"], row["provider_message_id"]) == ("submitted", None)
    detail = (await world.events(message_id))[-1]["detail"]
    assert detail["evidence"] == "count"
    assert detail["why"] == "without the provider's id nobody can ask what becomes of it"
    (attempt,) = await world.attempts(message_id)
    slot = (await rows(world))[attempt["slot_code"]]
    assert (attempt["outcome"], slot["attempt_id"], slot["expected"]) == ("found", None, 1)


async def count_twice(world: World) -> None:
    await look(world, minutes=10)
    await look(world, minutes=1)


async def test_as_many_as_before_twice_means_that_it_was_not_and_it_is_sent_once_more(
    world: World,
) -> None:
    counts = with_slots(world)
    message_id = await lost(world, counts, sent=False, on_uncertain="retry")

    await count_twice(world)

    assert (await world.row(message_id))["status"] == "queued"
    assert all(one["attempt_id"] is None for one in (await rows(world)).values())
    await world.submit(Channel.SMS, Accepted("guid"))
    row = await world.row(message_id)
    assert (row["status"], row["attempts"], row["billing_code"]) == ("submitted", 2, "dept")
    assert [one["outcome"] for one in await world.attempts(message_id)] == ["absent", "accepted"]


async def test_what_was_not_sent_waits_with_the_proof_where_nobody_asked_for_more(
    world: World,
) -> None:
    counts = with_slots(world)
    message_id = await lost(world, counts, sent=False)

    await count_twice(world)

    row = await world.row(message_id)
    assert (row["status"], row["blocked_reason"]) == ("uncertain", PROVEN)
    assert (await world.events(message_id))[-1]["detail"]["evidence"] == "count"
    assert await holder(world, message_id) is None


@pytest.mark.parametrize(
    "strange", [(2, 0), (0, 1), (1, -1), (-1, 0)], ids=["more", "later", "fewer", "below"]
)
async def test_a_code_that_others_use_tells_nothing_and_is_said_to_be(
    world: World, strange: tuple[int, int]
) -> None:
    counts = with_slots(world)
    counts.counts.update({"dept-1": 5, "dept-2": 5})
    message_id = await lost(world, counts, sent=False, on_uncertain="retry")
    (attempt,) = await world.attempts(message_id)
    code = attempt["slot_code"]

    with capture_logs() as logs:
        for changed in strange:
            counts.counts[code] += changed
            await look(world, minutes=10)
    for _ in range(5):
        await look(world, hours=1)

    assert [one["log_level"] for one in logs if one["event"] == "slot_code_used_by_others"] == [
        "error"
    ]
    assert (await world.row(message_id))["status"] == "uncertain"
    # Quarantined, until it is settled by another way; then it is counted anew.
    slot = await holder(world, message_id)
    assert slot is not None
    assert slot["expected"] is None
    move = Move(
        message_id=message_id,
        to=Status.FAILED,
        at=world.clock.now(),
        source="operator",
        raise_fence=True,
    )
    async with world.gateway.database.transaction() as connection:
        assert await store.move(connection, world.gateway.ids, [move]) == [True]
    assert await count.prepare(world.gateway)
    freed = (await rows(world))[code]
    assert (freed["attempt_id"], freed["expected"]) == (None, counts.counts[code])


async def test_a_count_that_cannot_be_had_tells_nothing(world: World) -> None:
    counts = with_slots(world)
    message_id = await lost(world, counts, sent=False, on_uncertain="retry")
    counts.away = True

    for _ in range(4):
        await look(world, minutes=30)

    assert (await world.row(message_id))["status"] == "uncertain"
    assert await holder(world, message_id) is not None
    counts.away = False
    await look(world, hours=4)
    await look(world, hours=4)
    assert (await world.row(message_id))["status"] == "queued"


@pytest.mark.parametrize(("sent", "status"), [(True, "submitted"), (False, "queued")])
async def test_a_worker_that_dies_between_claim_and_outcome_leaves_its_slot_held(
    world: World, sent: bool, status: str
) -> None:
    counts = with_slots(world, 1)
    message_id = await kept(world, on_uncertain="retry")
    assert await submit.claim(world.gateway, Channel.SMS, 1)
    counts.counts["S-1"] += sent
    waiting = await kept(world)
    world.clock.turn(seconds=151)
    await settle.lose_leases(world.gateway)

    assert await count.prepare(world.gateway)
    assert await submit.claim(world.gateway, Channel.SMS, 1) == []
    await count_twice(world)

    assert (await world.row(message_id))["status"] == status
    slot = (await rows(world))["S-1"]
    assert (slot["attempt_id"], slot["expected"]) == (None, int(sent))
    assert await submit.claim(world.gateway, Channel.SMS, 1)
    assert (await world.row(waiting))["status"] == "submitting"


async def test_an_answer_that_comes_too_late_settles_and_frees_the_slot(world: World) -> None:
    counts = with_slots(world, 1)
    message_id = await kept(world)
    (group,) = await submit.claim(world.gateway, Channel.SMS, 1)
    ended = await submit.call(world.gateway, group)
    counts.counts["S-1"] += 1
    world.clock.turn(seconds=151)
    await settle.lose_leases(world.gateway)
    assert await submit.record(world.gateway, ended) == [False]
    assert (await rows(world))["S-1"]["attempt_id"] is not None

    await look(world, seconds=1)

    assert (await world.row(message_id))["status"] == "submitted"
    slot = (await rows(world))["S-1"]
    assert (slot["attempt_id"], slot["expected"]) == (None, 1)


# --- with the report ---


def reporting(world: World) -> Reports:
    return with_reports(world)


async def test_what_the_report_shows_settles_without_any_count(world: World) -> None:
    counts, reports = with_slots(world), reporting(world)
    message_id = await lost(world, counts, sent=True)
    reports.show_text("33639980001", "guid", world.clock.now())

    await look(world, minutes=2)

    row = await world.row(message_id)
    assert (row["status"], row["provider_message_id"]) == ("submitted", "guid")
    assert {one["expected"] for one in (await rows(world)).values()} == {0, 1}
    assert await holder(world, message_id) is None


async def test_a_count_settles_where_the_report_does_not_know(world: World) -> None:
    counts, _ = with_slots(world), reporting(world)
    message_id = await lost(world, counts, sent=False, on_uncertain="retry")

    await count_twice(world)

    assert (await world.row(message_id))["status"] == "queued"


async def test_a_report_and_a_count_that_contradict_each_other_settle_nothing(
    world: World,
) -> None:
    counts, reports = with_slots(world), reporting(world)
    message_id = await lost(world, counts, sent=False, on_uncertain="retry")
    at = world.clock.now()
    await look(world, minutes=10)
    reports.show_text("33639980001", "guid", at)

    with capture_logs() as logs:
        await look(world, minutes=10)

    assert (await world.row(message_id))["status"] == "uncertain"
    assert [one["log_level"] for one in logs if one["event"] == "evidence_contradictory"] == [
        "error"
    ]
    assert await holder(world, message_id) is not None


# --- a restored store ---


async def test_after_a_restore_no_old_count_tells_anything(world: World) -> None:
    counts = with_slots(world)
    message_id = await lost(world, counts, sent=True)
    async with world.gateway.database.transaction() as connection:
        await restoring.never_retry_uncertain(connection)

    await count_twice(world)

    assert (await world.row(message_id))["status"] == "uncertain"
    assert await count.prepare(world.gateway)
    every = await rows(world)
    assert sorted(str(one["expected"]) for one in every.values()) == ["0", "None"]
