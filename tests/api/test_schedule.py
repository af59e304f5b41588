"""When messages may leave: in the past is now, 90 days are the most, and offsets are kept to."""

from datetime import UTC, datetime, timedelta

import pytest

from app.store.database import Database
from tests.api.client import BODIES, Api, letter, sms, wrong
from tests.api.conftest import serving, with_keys

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", BODIES)
async def test_a_time_in_the_past_is_now(shared: Api, path: str) -> None:
    answer = await shared.post(path, BODIES[path](send_at="2020-01-01T00:00:00+01:00"))

    assert answer.status == 202
    assert (answer.json()["status"], answer.json()["send_at"]) == ("queued", None)


@pytest.mark.parametrize("path", BODIES)
async def test_a_message_waits_for_ninety_days_at_most(shared: Api, path: str) -> None:
    now = shared.gateway.now()
    latest = (now + timedelta(days=90) - timedelta(minutes=1)).isoformat()
    later = (now + timedelta(days=90, minutes=1)).isoformat()

    assert (await shared.post(path, BODIES[path](send_at=latest))).json()["status"] == "scheduled"
    refused = await shared.post(path, BODIES[path](send_at=later))
    assert wrong(refused) == [("/send_at", "too_late")]


async def test_a_cancel_window_counts_into_the_ninety_days(shared: Api) -> None:
    latest = (shared.gateway.now() + timedelta(days=90) - timedelta(minutes=1)).isoformat()

    refused = await shared.post("/v1/letters", letter(send_at=latest, cancel_window_seconds=86_400))

    assert wrong(refused) == [("/send_at", "too_late")]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-03-29T01:59:59+01:00", "2026-03-29T00:59:59.000Z"),
        ("2026-03-29T03:00:00+02:00", "2026-03-29T01:00:00.000Z"),
        # An hour that no clock in Paris showed: the offset says when it is all the same.
        ("2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00.000Z"),
        ("2026-03-29T02:30:00+02:00", "2026-03-29T00:30:00.000Z"),
    ],
)
async def test_on_the_night_when_an_hour_is_missing_the_offset_decides(
    database: Database, given: str, shown: str
) -> None:
    began = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
    async with serving(database, now=lambda: began) as opened:
        api = await with_keys(opened)
        answer = await api.post("/v1/sms", sms(send_at=given))

    assert (answer.json()["status"], answer.json()["send_at"]) == ("scheduled", shown)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00.000Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00.000Z"),
    ],
)
async def test_on_the_night_when_an_hour_comes_twice_the_offset_decides(
    database: Database, given: str, shown: str
) -> None:
    began = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
    async with serving(database, now=lambda: began) as opened:
        api = await with_keys(opened)
        answer = await api.post("/v1/sms", sms(send_at=given))

    assert answer.json()["send_at"] == shown


@pytest.mark.parametrize("given", ["2026-10-25T02:30:00", "2026-10-25"])
async def test_a_time_without_its_offset_is_refused(shared: Api, given: str) -> None:
    ((pointer, _),) = wrong(await shared.post("/v1/sms", sms(send_at=given)))

    assert pointer == "/send_at"
