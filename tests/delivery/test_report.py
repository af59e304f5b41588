"""Reports: asked for by whichever worker holds them, again after every doubt, and never lost."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import RowMapping, select

from app.delivery import report
from app.delivery.accept import Answer, Arrival, accept
from app.delivery.gateway import Gateway
from app.domain.outcome import Blocked, Consulted, Denied, Told, Unclear, Unreached, Wrong
from app.store import documents
from app.store.tables import blobs, reports
from tests.gateways import World

pytestmark = pytest.mark.anyio

CSV = b"date;heure\r\n21/11/2026;10:00:00\r\n"
CREDENTIALS = Blocked("provider_credentials", "the provider answered -6", "-6", "Non")


class Scripted:
    """A desk that answers what the test says."""

    def __init__(self, *answers: Consulted) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Mapping[str, object]]] = []

    async def consult(self, function: str, values: Mapping[str, object]) -> Consulted:
        self.asked.append((function, values))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def read_report(self, content: bytes) -> Sequence[Mapping[str, str]] | None:
        return None


class Office:
    """A gateway with a scripted desk, and one report that was asked for."""

    def __init__(self, world: World, *answers: Consulted) -> None:
        self.world = world
        self.desk = Scripted(*answers)
        self.gateway: Gateway = replace(world.gateway, desks={"efidem": self.desk})

    async def ask(self) -> UUID:
        now = self.world.clock.now()
        row = {
            "id": self.gateway.ids.new(),
            "client_id": self.world.client_id,
            "mode": "live",
            "kind": "provider_efidem",
            "first_day": "2026-11-01",
            "last_day": "2026-11-20",
            "status": "queued",
            "created_at": now,
            "due_at": now,
            "attempts": 0,
        }
        answer = Answer(status=202, location="/v1/reports/x", body="{}")
        await accept(self.gateway, [Arrival(object_id=row["id"], answer=answer, report=row)])
        return row["id"]  # type: ignore[return-value]

    async def work(self) -> int:
        """Take what is due, ask, and write it down."""
        rows = await report.claim(self.gateway, 10)
        for row in rows:
            await report.record(self.gateway, await report.make(self.gateway, row))
        return len(rows)

    async def row(self, report_id: UUID) -> RowMapping:
        async with self.gateway.database.reading() as connection:
            found = await connection.execute(select(reports).where(reports.c.id == report_id))
            return found.mappings().one()

    async def content(self, report_id: UUID) -> bytes:
        sha256 = (await self.row(report_id))["sha256"]
        async with self.gateway.database.reading() as connection:
            return (await documents.load(connection, [sha256]))[sha256]


def failure(row: RowMapping) -> dict[str, Any]:
    found: dict[str, Any] = row["failure"]
    return found


async def test_a_report_is_asked_for_once_and_kept_byte_for_byte(world: World) -> None:
    office = Office(world, Told(CSV))
    report_id = await office.ask()

    assert await office.work() == 1
    assert await office.work() == 0

    row = await office.row(report_id)
    assert (row["status"], row["size"], row["attempts"]) == ("ready", len(CSV), 1)
    assert (row["due_at"], row["failure"]) == (None, None)
    assert row["ended_at"] == world.clock.now()
    assert await office.content(report_id) == CSV
    days = {"DATE_DEBUT": date(2026, 11, 1), "DATE_FIN": date(2026, 11, 20)}
    assert office.desk.asked == [("RAPPORT", days)]


async def test_a_report_of_three_megabytes_is_kept_byte_for_byte(world: World) -> None:
    content = b"\xe9;" * 1_572_864
    office = Office(world, Told(content))
    report_id = await office.ask()

    await office.work()

    assert await office.content(report_id) == content


async def test_two_reports_of_the_same_bytes_share_them(world: World) -> None:
    office = Office(world, Told(CSV))
    await office.ask()
    await office.ask()

    assert await office.work() == 2

    async with office.gateway.database.reading() as connection:
        assert len((await connection.execute(select(blobs.c.sha256))).all()) == 1


@pytest.mark.parametrize(
    ("said", "type_", "reason", "code"),
    [
        (Wrong("-7", "Non", "forbidden_characters"), "permanent", "forbidden_characters", "-7"),
        (Denied("-99", "Aucun"), "permanent", "report_denied", "-99"),
    ],
)
async def test_a_definite_no_fails_at_once(
    world: World, said: Consulted, type_: str, reason: str, code: str
) -> None:
    office = Office(world, said)
    report_id = await office.ask()

    await office.work()

    row = await office.row(report_id)
    assert (row["status"], row["due_at"]) == ("failed", None)
    found = failure(row)
    assert (found["type"], found["reason"], found["provider_code"]) == (type_, reason, code)
    assert not found["retryable"]


async def test_a_provider_that_cannot_be_reached_is_asked_again_until_it_can(world: World) -> None:
    office = Office(world, Unreached("refused"), Unreached("refused"), Told(CSV))
    report_id = await office.ask()

    await office.work()

    row = await office.row(report_id)
    assert (row["status"], row["attempts"]) == ("queued", 0)
    assert failure(row)["reason"] == "provider_unavailable"
    first = row["due_at"] - world.clock.now()
    assert timedelta(0) < first <= timedelta(seconds=5)
    assert await office.work() == 0
    world.clock.turn(minutes=4)
    await office.work()
    second = (await office.row(report_id))["due_at"] - world.clock.now()
    assert timedelta(minutes=2) <= second <= timedelta(minutes=4)
    world.clock.turn(minutes=5)
    await office.work()
    assert (await office.row(report_id))["status"] == "ready"


async def test_an_unclear_answer_is_asked_about_again_and_fails_in_the_end(world: World) -> None:
    office = Office(world, Unclear("HTTP 502: the answer is not XML"))
    report_id = await office.ask()

    for _ in range(report.MOST_UNCLEAR - 1):
        assert await office.work() == 1
        assert (await office.row(report_id))["status"] == "queued"
        world.clock.turn(minutes=16)
    await office.work()

    row = await office.row(report_id)
    assert (row["status"], row["attempts"]) == ("failed", report.MOST_UNCLEAR)
    assert failure(row)["reason"] == "provider_protocol_error"
    assert failure(row)["retryable"]
    assert await office.work() == 0


async def test_a_report_waits_for_our_set_up_and_says_for_what(world: World) -> None:
    office = Office(world, *([CREDENTIALS] * 20), Unclear("closed"), Told(CSV))
    report_id = await office.ask()

    for _ in range(20):
        assert await office.work() == 1
        row = await office.row(report_id)
        assert (row["status"], row["attempts"]) == ("queued", 0)
        assert row["due_at"] - world.clock.now() == timedelta(seconds=30)
        world.clock.turn(seconds=30)
    assert failure(row)["reason"] == "provider_credentials"
    assert failure(row)["provider_code"] == "-6"

    await office.work()
    world.clock.turn(minutes=1)
    await office.work()
    assert (await office.row(report_id))["status"] == "ready"


@pytest.mark.parametrize("said", [CREDENTIALS, Unreached("refused")])
async def test_a_report_that_waited_for_a_day_fails(world: World, said: Consulted) -> None:
    office = Office(world, said)
    report_id = await office.ask()

    world.clock.turn(hours=24)
    await office.work()

    row = await office.row(report_id)
    assert row["status"] == "failed"
    assert failure(row)["retryable"]


async def test_a_report_whose_worker_was_killed_is_taken_when_its_lease_is_over(
    world: World,
) -> None:
    office = Office(world, Told(b"of the dead"), Told(CSV))
    report_id = await office.ask()
    (dead,) = await report.claim(office.gateway, 10)
    made_by_the_dead = await report.make(office.gateway, dead)

    world.clock.turn(seconds=119)
    assert await office.work() == 0
    assert (await office.row(report_id))["status"] == "running"
    world.clock.turn(seconds=1)
    assert await office.work() == 1

    # It was not dead, only very late: what it brings changes nothing any more.
    await report.record(office.gateway, made_by_the_dead)
    row = await office.row(report_id)
    assert (row["status"], row["attempts"]) == ("ready", 2)
    assert await office.content(report_id) == CSV


async def test_a_late_worker_does_not_write_over_the_one_that_works_now(world: World) -> None:
    office = Office(world, Told(CSV))
    report_id = await office.ask()
    (late,) = await report.claim(office.gateway, 10)
    made = await report.make(office.gateway, late)
    world.clock.turn(seconds=120)
    await report.claim(office.gateway, 10)

    await report.record(office.gateway, made)

    assert (await office.row(report_id))["status"] == "running"


async def test_a_report_that_every_worker_dies_of_is_given_up(world: World) -> None:
    office = Office(world, Told(CSV))
    report_id = await office.ask()

    for _ in range(50):
        await report.claim(office.gateway, 10)
        world.clock.turn(seconds=120)
    await office.work()

    assert (await office.row(report_id))["status"] == "failed"
    assert office.desk.asked == []


async def test_two_workers_never_hold_the_same_report(world: World) -> None:
    office = Office(world, Told(CSV))
    for _ in range(3):
        await office.ask()

    first = await report.claim(office.gateway, 2)
    second = await report.claim(office.gateway, 2)

    assert [len(first), len(second)] == [2, 1]
    assert not {row["id"] for row in first} & {row["id"] for row in second}
