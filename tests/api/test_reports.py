"""Reports, from the request to the file: a real worker asks the provider over real sockets."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from app.delivery.gateway import Gateway
from app.delivery.worker import Worker
from app.store import migrate
from app.store.database import Database
from app.store.tables import reports
from tests.api.asking import Asking, answering, asking, calls, described, without
from tests.api.client import email, letter, problem, sms, wrong

pytestmark = pytest.mark.anyio

PATH = "/v1/reports"
DIALECTS = ["document", "bare", "asmx", "php", "rpc12"]


def today() -> str:
    return datetime.now(ZoneInfo("Europe/Paris")).date().isoformat()  # the provider's day


def wanted(**changes: object) -> dict[str, Any]:
    return {"kind": "provider_efidem", "from": today(), "to": today(), **changes}


@asynccontextmanager
async def working(gateway: Gateway, **timing: Any) -> AsyncIterator[Worker]:
    quick = replace(gateway.timing, idle=0.05, pace=0.02, **timing)
    worker = Worker(replace(gateway, timing=quick))
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


async def ended(asked: Asking, path: str, *statuses: str) -> dict[str, Any]:
    """Return a report when it has one of these statuses, or has ended."""
    async with asyncio.timeout(30):
        while True:
            found: dict[str, Any] = (await asked.get(path)).json()
            if found["status"] in (*statuses, "ready", "failed"):
                return found
            await asyncio.sleep(0.05)


async def ask(asked: Asking, **options: Any) -> str:
    answer = await asked.post(PATH, wanted(), **options)
    assert answer.status == 202, answer
    return answer.headers["Location"]


@pytest.fixture
async def asked(database: Database) -> AsyncIterator[Asking]:
    async with asking(database) as found:
        yield found


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'store.db'}")
    await migrate.upgrade(opened)
    yield opened
    await opened.close()


async def test_a_report_is_kept_then_made_then_read(asked: Asking) -> None:
    async with working(asked.api.gateway):
        for path, body in (
            ("/v1/emails", email()),
            ("/v1/sms", sms(billing_code="DSI")),
            ("/v1/letters", letter()),
        ):
            sent = (await asked.post(path, body)).json()
            async with asyncio.timeout(20):
                while (await asked.get(sent["links"]["self"])).json()["submitted_at"] is None:
                    await asyncio.sleep(0.05)
        accepted = await asked.post(PATH, wanted())
        location = accepted.headers["Location"]
        found = await ended(asked, location)

    kept = accepted.json()
    assert set(kept) == set(found) == described("ReportOut")
    assert (accepted.status, kept["status"], kept["attempts"]) == (202, "queued", 0)
    assert location == kept["links"]["self"] == f"/v1/reports/{kept['id']}"
    assert kept["id"].startswith("rep_")
    assert (kept["from"], kept["to"]) == (today(), today())
    assert (found["status"], found["failure"], found["attempts"]) == ("ready", None, 1)

    file = await asked.get(found["links"]["file"])
    assert file.status == 200
    assert file.headers["Content-Type"] == "text/csv"
    assert file.headers["Cache-Control"] == "no-store"
    name = f"provider_efidem-{today()}-{today()}.csv"
    assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert (len(file.content), hashlib.sha256(file.content).hexdigest()) == (
        found["size"],
        found["sha256"],
    )
    lines = file.content.decode("iso-8859-1").split("\r\n")
    assert lines[0].startswith("date;heure;type;destinataire;")
    assert len(lines) == 5

    rows = (await asked.get(found["links"]["rows"])).json()
    assert set(rows) == described("ReportRowsOut")
    assert [one["channel"] for one in rows["data"]] == ["EMAIL", "SMS", "COURRIER"]
    assert [one["recipient"] for one in rows["data"]] == [
        {"masked": "m***@exemple.fr"},
        {"masked": "3363****0001"},
        {"masked": "7***"},
    ]
    assert rows["data"][1]["billing_code"] == "DSI"
    assert (rows["has_more"], rows["next_cursor"]) == (False, None)


async def test_rows_come_page_by_page(asked: Asking) -> None:
    for _ in range(5):
        await asked.post("/v1/sms", sms())
    async with working(asked.api.gateway):
        async with asyncio.timeout(20):
            while len((await asked.at_provider("/ledger"))["submissions"]) < 5:
                await asyncio.sleep(0.05)
        location = await ask(asked)
        await ended(asked, location)

    seen: list[int] = []
    cursor = "0"
    while cursor is not None:
        page = (await asked.get(f"{location}/rows?limit=2&cursor={cursor}")).json()
        seen += [one["row"] for one in page["data"]]
        cursor = page["next_cursor"]

    assert seen == [1, 2, 3, 4, 5]
    assert (await asked.get(f"{location}/rows?cursor=99")).json()["data"] == []
    assert wrong(await asked.get(f"{location}/rows?limit=1001"))[0][0] == "/limit"
    assert wrong(await asked.get(f"{location}/rows?cursor=-1"))[0][0] == "/cursor"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_report_can_be_had_in_every_dialect(store: Database, dialect: str) -> None:
    async with asking(store, dialect=dialect) as asked, working(asked.api.gateway):
        await asked.post("/v1/sms", sms())
        async with asyncio.timeout(20):
            while not (await asked.at_provider("/ledger"))["submissions"]:
                await asyncio.sleep(0.05)
        location = await ask(asked)
        found = await ended(asked, location)
        assert found["status"] == "ready", found
        file = await asked.get(f"{location}/file")
        assert file.content.count(b"\r\n") == 2
        assert file.content.startswith(b"date;heure;")


async def test_a_report_of_three_megabytes_comes_back_byte_for_byte(database: Database) -> None:
    content = "date;libellé\r\n".encode("iso-8859-1") + b"21/11/2026;\xe9t\xe9\r\n" * 200_000
    assert len(content) > 3_000_000
    body = base64.b64encode(content).decode()
    async with answering(database, body) as (asked, _), working(asked.api.gateway):
        location = await ask(asked)
        found = await ended(asked, location)
        file = await asked.get(f"{location}/file")

    assert (found["status"], found["size"]) == ("ready", len(content))
    assert file.content == content


async def test_a_file_that_is_no_text_is_told_as_bytes(store: Database) -> None:
    content = b"PK\x03\x04\x00;\n\x00"
    body = base64.b64encode(content).decode()
    async with answering(store, body) as (asked, _), working(asked.api.gateway):
        location = await ask(asked)
        await ended(asked, location)
        file = await asked.get(f"{location}/file")

    assert file.content == content
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"].endswith('.bin"')


async def test_the_operators_columns_are_read(store: Database, tmp_path: Path) -> None:
    bindings = tmp_path / "bindings.toml"
    bindings.write_text(
        '[report]\ndelimiter = ","\nheader = false\n[report.columns]\nreference = 2\nstatus = 1\n'
    )
    answer = "Délivré,R1\nEnvoyé,R2\n"
    efidem = {"bindings": bindings}
    async with (
        answering(store, answer, efidem=efidem) as (asked, _),
        working(asked.api.gateway),
    ):
        location = await ask(asked)
        await ended(asked, location)
        rows = (await asked.get(f"{location}/rows")).json()["data"]

    assert rows == [
        {"row": 1, "reference": "R1", "status": "Délivré"},
        {"row": 2, "reference": "R2", "status": "Envoyé"},
    ]


async def test_rows_that_are_not_as_configured_are_refused_with_the_reason(
    store: Database,
) -> None:
    async with answering(store, "a;b\nsecret;2\n") as (asked, _), working(asked.api.gateway):
        location = await ask(asked)
        await ended(asked, location)
        answer = await asked.get(f"{location}/rows")

    found = problem(answer, 422, "report_unreadable")
    assert "its header does not name once: date, heure" in found["detail"]
    assert "secret" not in answer.content.decode()


async def test_rows_without_configured_columns_say_where_to_write_them(
    store: Database, tmp_path: Path
) -> None:
    async with asking(store) as asked, working(asked.api.gateway):
        wsdl = tmp_path / "efidem.wsdl"
        async with asked.api.session.get(f"{asked.provider}/efidem.wsdl") as answer:
            # The WSDL of a provider that is not our own simulator.
            wsdl.write_bytes((await answer.read()).replace(b"EfidemSimulator", b"Efidem"))
        location = await ask(asked)
        await ended(asked, location)
    async with asking(store, efidem={"wsdl": str(wsdl)}) as asked:
        refused = await asked.get(f"{location}/rows")
        assert (await asked.get(f"{location}/file")).status == 200

    assert "MULTICANAL_EFIDEM_BINDINGS" in problem(refused, 422, "report_unreadable")["detail"]


# --- the request ---


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"kind": "usage"}, ("/kind", "not_allowed")),
        ({"from": "2026-13-01"}, ("/from", "invalid")),
        ({"from": "20261101"}, ("/from", "invalid")),
        ({"from": 1_700_000_000}, ("/from", "invalid")),
        ({"to": "2026-11-01T00:00:00Z"}, ("/to", "invalid")),
        ({"from": "2026-02-02", "to": "2026-02-01"}, ("/to", "too_early")),
        ({"from": "2024-01-01", "to": "2025-01-01"}, ("/to", "too_long")),
        ({"to": "9998-01-01", "from": "9998-01-01"}, ("/to", "in_the_future")),
        ({"until": today()}, ("/until", "unknown_field")),
    ],
)
async def test_days_that_make_no_report_are_a_fault(
    store: Database, changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    async with asking(store) as asked:
        assert wrong(await asked.post(PATH, wanted(**changes))) == [fault]


async def test_a_whole_leap_year_may_be_asked_for(asked: Asking) -> None:
    answer = await asked.post(PATH, wanted(**{"from": "2024-01-01", "to": "2024-12-31"}))

    assert answer.status == 202


async def test_a_day_that_has_begun_somewhere_may_be_asked_for(store: Database) -> None:
    evening = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
    async with asking(store, now=lambda: evening) as asked:
        begun = wanted(**{"from": "2026-11-21", "to": "2026-11-22"})
        assert (await asked.post(PATH, begun)).status == 202
        later = wanted(**{"from": "2026-11-21", "to": "2026-11-23"})
        assert wrong(await asked.post(PATH, later)) == [("/to", "in_the_future")]


async def test_a_repeat_with_the_same_key_asks_for_nothing_more(asked: Asking) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await asked.post(PATH, wanted(), headers=headers)
    second = await asked.post(PATH, wanted(), headers=headers)
    other = await asked.post(PATH, wanted(**{"from": "2026-11-01"}), headers=headers)

    assert second.content == first.content
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    problem(other, 422, "idempotency_key_reused")
    async with asked.api.gateway.database.reading() as connection:
        found = await connection.execute(select(func.count()).select_from(reports))
        assert found.scalar_one() == 1


async def test_a_report_is_its_clients_alone(asked: Asking) -> None:
    location = await ask(asked)

    for key in (asked.api.other, asked.api.test):
        for path in (location, f"{location}/file", f"{location}/rows"):
            problem(await asked.get(path, key=key), 404, "not_found")
    problem(await asked.get(location, key=asked.api.reader), 403, "scope_missing")
    problem(await asked.post(PATH, wanted(), key=asked.api.reader), 403, "scope_missing")
    for unknown in ("rep_x", location.replace("rep_", "msg_").rpartition("/")[2]):
        problem(await asked.get(f"{PATH}/{unknown}"), 404, "not_found")


async def test_a_file_that_is_not_there_yet_is_asked_for_later(asked: Asking) -> None:
    location = await ask(asked)

    for path in (f"{location}/file", f"{location}/rows"):
        answer = await asked.get(path)
        assert problem(answer, 409, "report_not_ready")["retryable"]
        assert answer.headers["Retry-After"] == "5"


async def test_a_test_keys_report_is_never_asked_of_a_provider(store: Database) -> None:
    async with asking(store, environment="production", idempotency="optional") as asked:
        answer = await asked.post(PATH, wanted(), key=asked.api.test)
        problem(answer, 403, "channel_not_allowed")


# --- what goes wrong ---


async def test_a_definite_no_is_shown_with_the_providers_code(store: Database) -> None:
    async with answering(store, "-7") as (asked, server), working(asked.api.gateway):
        location = await ask(asked)
        found = await ended(asked, location)
        assert len(calls(server.requests, "RAPPORT")) == 1
        refused = await asked.get(f"{location}/file")

    assert found["status"] == "failed"
    assert found["failure"] == {
        "type": "permanent",
        "reason": "forbidden_characters",
        "retryable": False,
        "provider_code": "-7",
        "label": "Séquence de caractères non autorisée",
    }
    assert found["ended_at"]
    assert not problem(refused, 409, "report_failed")["retryable"]


@pytest.mark.parametrize("answer", ["-4", "<html>", "", None])
async def test_a_doubtful_answer_is_asked_for_again_and_fails_in_the_end(
    store: Database, answer: str | None
) -> None:
    async with answering(store, answer) as (asked, server), working(asked.api.gateway):
        before = server.connections
        found = await ended(asked, await ask(asked))
        asked_for = server.connections - before

    assert (found["status"], found["attempts"]) == ("failed", 8)
    assert (found["failure"]["reason"], found["failure"]["retryable"]) == (
        "provider_protocol_error",
        True,
    )
    assert asked_for == 8


async def test_a_report_waits_for_credentials_and_says_so(asked: Asking) -> None:
    wrong_ones = {"password": "wrong"}
    async with asking(asked.api.gateway.database, account=wrong_ones) as mistaken:
        async with working(mistaken.api.gateway):
            location = await ask(mistaken)
            async with asyncio.timeout(10):
                while not (found := (await mistaken.get(location)).json())["failure"]:
                    await asyncio.sleep(0.05)
        assert (found["failure"]["reason"], found["failure"]["provider_code"]) == (
            "provider_credentials",
            "-6",
        )
        assert found["attempts"] == 0 or found["status"] == "running"

    async with working(asked.api.gateway):
        assert (await ended(asked, location))["status"] == "ready"


async def test_a_report_that_the_wsdl_does_not_offer_waits_with_the_reason(
    store: Database, tmp_path: Path
) -> None:
    async with asking(store) as asked:
        wsdl = await without(asked, "RAPPORT", tmp_path)
    async with asking(store, efidem={"wsdl": wsdl}) as asked, working(asked.api.gateway):
        location = await ask(asked)
        async with asyncio.timeout(10):
            while not (found := (await asked.get(location)).json())["failure"]:
                await asyncio.sleep(0.05)

    assert found["failure"]["reason"] == "provider_contract"
    assert found["status"] in {"queued", "running"}


async def test_another_worker_takes_over_what_a_killed_one_held(database: Database) -> None:
    lease = timedelta(seconds=2)
    answer = base64.b64encode(b"a;b\r\n").decode()
    async with answering(database, answer, silent=1.0) as (asked, server):
        location = await ask(asked)
        async with working(asked.api.gateway, lease=lease) as killed:
            async with asyncio.timeout(10):
                while not calls(server.requests, "RAPPORT"):
                    await asyncio.sleep(0.02)
            killed.stop()
            for task in killed._calls["report"]:
                task.cancel()  # of the killed, nothing more is written
        assert (await asked.get(location)).json()["status"] == "running"

        async with working(asked.api.gateway):
            found = await ended(asked, location)

    assert (found["status"], found["attempts"]) == ("ready", 2)
    assert len(calls(server.requests, "RAPPORT")) == 2
