"""123-fax's acknowledgements: a claim by a stranger, kept at once, and applied when it may be."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.delivery import submit
from app.delivery.conclude import Ended, Held
from app.domain.message import Channel
from app.domain.outcome import Accepted, Unclear
from app.store.tables import acknowledgements, events
from tests.api.client import SECRET, Answer, Api, encoded, fax, pdf, problem

pytestmark = pytest.mark.anyio
sqlite_only = pytest.mark.parametrize("served", ["sqlite"], indirect=True)

HOOK = f"/hooks/123fax/{SECRET}"
NUMBER = "0199000001"


async def started(api: Api, pages: int = 3) -> tuple[str, Held]:
    """Return a fax whose call is open."""
    made = await api.post("/v1/faxes", fax(document={"content_base64": encoded(pdf(pages))}))
    assert made.status == 202
    ((held,),) = await submit.claim(api.gateway, Channel.FAX, 10)
    return made.json()["links"]["self"], held


async def submitted(api: Api, pages: int = 3) -> tuple[str, str]:
    """Return a fax that 123-fax took, and our reference."""
    path, held = await started(api, pages)
    await record(api, held)
    return path, held.claim.reference


async def record(api: Api, held: Held, outcome: Any = None) -> None:
    outcome = outcome or Accepted(None, "113", "Document transmis")
    ended = Ended(held=held, outcome=outcome, function="http.php")
    assert await submit.record(api.gateway, [ended]) == [True]


async def acknowledge(api: Api, reference: str, code: str = "0", **fields: str) -> Answer:
    query = {"etat_e": code, "ref_accuse": reference, "numero": NUMBER, "nb_page": "3"} | fields
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return await api.get(f"{HOOK}?{text}", key=None)


async def kept(api: Api, reference: str) -> list[Any]:
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(acknowledgements)
            .where(acknowledgements.c.reference == reference)
            .order_by(acknowledgements.c.id)
        )
        return list(found.mappings())


async def timeline(api: Api, path: str) -> list[tuple[str, bool]]:
    found = (await api.get(f"{path}/events")).json()["data"]
    assert [one["sequence"] for one in found] == list(range(1, len(found) + 1))
    return [(one["type"].removeprefix("message."), one["applied"]) for one in found]


SENT = [("queued", True), ("submitting", True), ("submitted", True)]


async def test_an_acknowledgement_delivers_a_fax(api: Api) -> None:
    path, reference = await submitted(api)

    answer = await acknowledge(api, reference, heure="10:42")

    assert (answer.status, answer.content) == (200, b"OK")
    found = (await api.get(path)).json()
    assert (found["status"], found["status_is_final"]) == ("delivered", True)
    assert found["status_source"] == "acknowledgement"
    assert found["provider"]["code"] == "0"
    assert found["fax"]["pages_sent"] == 3
    assert await timeline(api, path) == [*SENT, ("delivered", True)]


@sqlite_only
@pytest.mark.parametrize(
    ("code", "pages", "status", "reason"),
    [
        ("0", "2", "partially_delivered", None),
        ("0", "", "delivered", None),
        ("00000", "3", "delivered", None),
        ("31064", "0", "queued", None),
        ("31068", "0", "failed", "no_answer"),
        ("34011", "1", "partially_delivered", None),
        ("70003", "0", "failed", "blocked_by_recipient"),
        ("99999", "0", "failed", "unmapped"),
    ],
)
async def test_a_code_means_what_the_document_says(
    api: Api, code: str, pages: str, status: str, reason: str | None
) -> None:
    path, reference = await submitted(api)

    assert (await acknowledge(api, reference, code, nb_page=pages)).status == 200

    found = (await api.get(path)).json()
    assert found["status"] == status
    assert (found["failure"] or {}).get("reason") == reason


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/123fax/wrong",
        f"/hooks/123fax/{SECRET}x",
        f"/hooks/123fax/{SECRET[:-1]}",
        f"/hooks/123fax/{SECRET.upper()}",
        "/hooks/123fax/%00",
        "/hooks/123fax/%ff%fe",
        "/hooks/123fax/%ED%A0%80",
        "/hooks/123fax/" + "x" * 5000,
        "/hooks/123fax/",
        "/hooks/123fax",
    ],
)
async def test_without_the_secret_there_is_nothing(shared: Api, path: str) -> None:
    before = await shared.count(acknowledgements)

    for query in ("", "?etat_e=0&ref_accuse=x&numero=0199000001", "?x"):
        found = problem(await shared.get(path + query, key=None), 404, "not_found")
        assert SECRET not in str(found)

    assert await shared.count(acknowledgements) == before


async def test_an_acknowledgement_that_nobody_waits_for_is_kept(api: Api) -> None:
    reference = "NOBODYKNOWSTHIS1"

    answer = await acknowledge(api, reference)

    assert (answer.status, answer.content) == (200, b"OK")
    (row,) = await kept(api, reference)
    assert (row["applied_at"], row["attempt_id"], row["times"]) == (None, None, 1)
    assert row["note"] == "unknown_reference"
    assert await api.count(events) == 0


@pytest.mark.parametrize("number", ["0199000002", "99000001", "0", "%2B33199000002", "1"])
async def test_an_acknowledgement_for_another_number_changes_nothing(api: Api, number: str) -> None:
    path, reference = await submitted(api)

    assert (await acknowledge(api, reference, numero=number)).status == 200

    assert (await api.get(path)).json()["status"] == "submitted"
    assert await timeline(api, path) == SENT
    (row,) = await kept(api, reference)
    assert row["note"] == "other_number"
    # The right one still arrives.
    await acknowledge(api, reference)
    assert (await api.get(path)).json()["status"] == "delivered"


@sqlite_only
@pytest.mark.parametrize(
    "number", ["0199000001", "%2B33199000001", "+33199000001", "0033199000001", "01.99.00.00.01"]
)
async def test_a_number_is_known_however_it_is_written(api: Api, number: str) -> None:
    path, reference = await submitted(api)

    await acknowledge(api, reference, numero=number)

    assert (await api.get(path)).json()["status"] == "delivered"


async def test_a_hundred_repeats_are_one_event(api: Api) -> None:
    path, reference = await submitted(api)

    one_by_one = [await acknowledge(api, reference) for _ in range(20)]
    at_once = await asyncio.gather(*(acknowledge(api, reference) for _ in range(80)))

    assert {answer.status for answer in [*one_by_one, *at_once]} == {200}
    assert await timeline(api, path) == [*SENT, ("delivered", True)]
    (row,) = await kept(api, reference)
    assert row["times"] == 100


async def test_a_hundred_first_acknowledgements_at_once_are_one_event(api: Api) -> None:
    path, reference = await submitted(api)

    answers = await asyncio.gather(*(acknowledge(api, reference) for _ in range(100)))

    assert {answer.status for answer in answers} == {200}
    assert await timeline(api, path) == [*SENT, ("delivered", True)]
    (row,) = await kept(api, reference)
    assert row["times"] == 100


async def test_what_contradicts_a_delivery_is_kept_and_not_applied(api: Api) -> None:
    path, reference = await submitted(api)
    await acknowledge(api, reference)

    assert (await acknowledge(api, reference, "31083", nb_page="0")).status == 200

    found = (await api.get(path)).json()
    assert (found["status"], found["failure"]) == ("delivered", None)
    assert found["fax"]["pages_sent"] == 3
    assert await timeline(api, path) == [*SENT, ("delivered", True), ("failed", False)]
    assert [row["note"] for row in await kept(api, reference)] == [None, "status_is_final"]


async def test_a_later_delivery_corrects_a_failure(api: Api) -> None:
    path, reference = await submitted(api)

    await acknowledge(api, reference, "31068", nb_page="0")
    await acknowledge(api, reference)

    found = (await api.get(path)).json()
    assert (found["status"], found["failure"]) == ("delivered", None)
    assert await timeline(api, path) == [*SENT, ("failed", True), ("delivered", True)]


async def test_conflicting_acknowledgements_at_once_leave_one_truth(api: Api) -> None:
    path, reference = await submitted(api)
    codes = ["0", "31083", "31064", "25012"] * 10

    answers = await asyncio.gather(*(acknowledge(api, reference, code) for code in codes))

    assert {answer.status for answer in answers} == {200}
    assert (await api.get(path)).json()["status"] == "delivered"
    assert len(await kept(api, reference)) == 4
    # Each is an event, applied or not; none is lost.
    assert len(await timeline(api, path)) == len(SENT) + 4


async def test_an_acknowledgement_may_come_before_the_answer_of_the_call(api: Api) -> None:
    path, held = await started(api)
    reference = held.claim.reference

    assert (await acknowledge(api, reference)).status == 200
    assert (await api.get(path)).json()["status"] == "submitting"
    (row,) = await kept(api, reference)
    assert row["applied_at"] is None

    await record(api, held)

    assert (await api.get(path)).json()["status"] == "delivered"
    assert await timeline(api, path) == [*SENT, ("delivered", True)]
    (row,) = await kept(api, reference)
    assert row["applied_at"] is not None


async def test_an_acknowledgement_that_races_the_answer_is_applied_once(api: Api) -> None:
    path, held = await started(api)

    await asyncio.gather(
        *(acknowledge(api, held.claim.reference) for _ in range(10)), record(api, held)
    )

    assert (await api.get(path)).json()["status"] == "delivered"
    assert await timeline(api, path) == [*SENT, ("delivered", True)]


async def test_an_acknowledgement_settles_an_uncertain_fax(api: Api) -> None:
    path, held = await started(api)
    await record(api, held, Unclear("read time-out"))
    assert (await api.get(path)).json()["status"] == "uncertain"

    await acknowledge(api, held.claim.reference)

    assert (await api.get(path)).json()["status"] == "delivered"
    assert [one for one, _ in await timeline(api, path)] == [
        "queued",
        "submitting",
        "uncertain",
        "submitted",
        "delivered",
    ]


async def test_a_reference_of_the_providers_own_is_known_too(api: Api) -> None:
    path, held = await started(api)
    await acknowledge(api, "THEIRS-77")

    await record(api, held, Accepted("THEIRS-77", "113", "Document transmis"))

    assert (await api.get(path)).json()["status"] == "delivered"


WHOLE = "etat_e=0&ref_accuse=R&numero=0199000001&nb_page=1&heure=10:00"
WRONG: list[str] = [
    "",
    "x",
    "etat_e=0",
    "etat_e=0&ref_accuse=R",
    "ref_accuse=R&numero=0199000001",
    "etat_e=0&numero=0199000001",
    "etat_e=&ref_accuse=R&numero=0199000001",
    "etat_e=0&ref_accuse=&numero=0199000001",
    "etat_e=0&ref_accuse=R&numero=",
    "etat_e=0&ref_accuse=R&numero=%20",
    f"{WHOLE}&etat_e=31083",
    f"etat_e=31083&{WHOLE}",
    f"{WHOLE}&ref_accuse=S",
    f"{WHOLE}&numero=1",
    f"{WHOLE}&x=1&x=2",
    WHOLE.replace("etat_e=0", "etat_e=%E9"),
    WHOLE.replace("etat_e=0", "etat_e=%D9%A3"),
    WHOLE.replace("etat_e=0", "etat_e=-1"),
    WHOLE.replace("etat_e=0", "etat_e=0x0"),
    WHOLE.replace("etat_e=0", "etat_e=0%00"),
    WHOLE.replace("etat_e=0", "etat_e=" + "9" * 10_000),
    WHOLE.replace("etat_e=0", "etat_e[]=0"),
    WHOLE.replace("etat_e=0", "ETAT_E=0"),
    WHOLE.replace("=R&", "=%C3%A9&"),
    WHOLE.replace("=R&", "=a%20b&"),
    WHOLE.replace("=R&", "=a%0Ab&"),
    WHOLE.replace("=R&", "=a%00b&"),
    WHOLE.replace("=R&", "=" + "R" * 101 + "&"),
    WHOLE.replace("0199000001", "01990000O1"),
    WHOLE.replace("0199000001", "1" * 41),
    "&".join(f"a{number}=1" for number in range(100)) + "&" + WHOLE,
]


@pytest.mark.parametrize("query", WRONG, ids=lambda text: text[:60])
async def test_an_acknowledgement_that_cannot_be_read_is_refused_and_counted(
    shared: Api, query: str
) -> None:
    before = await unreadable(shared)

    answer = await shared.get(f"{HOOK}?{query}", key=None)

    found = problem(answer, 400, "malformed_request")
    assert SECRET not in str(found)
    assert "0199000001" not in str(found)
    after = await unreadable(shared)
    assert sum(row["times"] for row in after) == sum(row["times"] for row in before) + 1
    assert {row["attempt_id"] for row in after} == {None}
    assert None not in {row["applied_at"] for row in after}  # nothing will ever apply it


async def unreadable(api: Api) -> list[Any]:
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(acknowledgements).where(acknowledgements.c.note == "unreadable")
        )
        return list(found.mappings())


@sqlite_only
async def test_what_can_be_read_of_an_acknowledgement_is_kept(api: Api) -> None:
    _, reference = await submitted(api)
    query = f"etat_e=0&etat_e=31083&ref_accuse={reference}&numero={NUMBER}&nb_page=3&heure=10:00"

    for _ in range(3):
        problem(await api.get(f"{HOOK}?{query}", key=None), 400, "malformed_request")

    (row,) = await kept(api, reference)
    assert (row["code"], row["number"], row["pages"], row["times"]) == ("", NUMBER, 3, 3)
    assert (row["note"], row["detail"]) == ("unreadable", "etat_e is given twice")
    # The right one still arrives, and the other one is not taken for it.
    assert (await acknowledge(api, reference)).status == 200
    assert [row["note"] for row in await kept(api, reference)] == ["unreadable", None]


@sqlite_only
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nb_page", "-1"),
        ("nb_page", "x"),
        ("nb_page", "1" * 5_000),
        ("nb_page", "%D9%A3"),
        ("heure", "%00"),
        ("heure", "%E9%0D%0AX"),
        ("heure", "x" * 5_000),
        ("more", "x" * 5_000),
    ],
)
async def test_what_is_worth_less_than_an_acknowledgement_does_not_cost_it(
    api: Api, name: str, value: str
) -> None:
    path, reference = await submitted(api)

    assert (await acknowledge(api, reference, **{name: value})).status == 200

    found = (await api.get(path)).json()
    assert found["status"] == "delivered"
    assert found["fax"]["pages_sent"] == (None if name == "nb_page" else 3)


@pytest.mark.parametrize("octet", [b"\xe9", b"\xff", b"\x80"])
async def test_a_raw_octet_in_the_address_is_never_our_fault(shared: Api, octet: bytes) -> None:
    status, _ = await shared.raw(
        b"GET " + HOOK.encode() + b"?etat_e=0&ref_accuse=R" + octet + b"&numero=0199000001"
        b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )

    assert status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_an_acknowledgement_comes_by_get(shared: Api, method: str) -> None:
    before = await shared.count(acknowledgements)

    answer = await shared.call(method, f"{HOOK}?{WHOLE}", key=None)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert await shared.count(acknowledgements) == before


@sqlite_only
@pytest.mark.parametrize("status", ["queued", "scheduled"])
async def test_no_reference_exists_before_a_fax_is_claimed(api: Api, status: str) -> None:
    later = (api.gateway.now() + timedelta(days=1)).isoformat()
    body = fax(send_at=later) if status == "scheduled" else fax()
    made = (await api.post("/v1/faxes", body)).json()
    assert made["status"] == status

    for reference in (made["id"], made["id"].removeprefix("msg_"), "None", "1", "0"):
        assert (await acknowledge(api, reference)).status == 200

    assert (await api.get(made["links"]["self"])).json()["status"] == status


async def test_a_message_of_another_channel_is_never_acknowledged(api: Api) -> None:
    made = (await api.post("/v1/sms", {"to": "+33199000001", "text": "x"})).json()
    ((held,),) = await submit.claim(api.gateway, Channel.SMS, 10)

    assert (await acknowledge(api, held.claim.reference)).status == 200

    assert (await api.get(made["links"]["self"])).json()["status"] == "submitting"
