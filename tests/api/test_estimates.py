"""Estimates: what a message would take and why it would be refused, without any side effect."""

import base64
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select, update

from app.api.issue import create_key
from app.domain import identifiers
from app.domain.message import Letter, Mode, Sms
from app.store import clients
from app.store.contents import read
from app.store.database import Database
from app.store.tables import api_keys, messages, metadata
from app.store.tables import clients as clients_table
from tests.api.client import (
    ATTACHMENT_LIMIT,
    BODIES,
    Answer,
    Api,
    address,
    email,
    encoded,
    fax,
    letter,
    pdf,
    problem,
    sms,
    wrong,
)

pytestmark = pytest.mark.anyio

PATHS = {"email": "/v1/emails", "sms": "/v1/sms", "letter": "/v1/letters", "fax": "/v1/faxes"}
# What any request may write, whatever it asks for: when a key was used, how fast a client asks.
BESIDES = {"api_keys", "client_rates"}
FRENCH = "Votre forêt est sauvée : 10 000 arbres…"


async def estimate(api: Api, channel: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post("/v1/estimates", {"channel": channel, **body})
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json()
    assert (found["object"], found["channel"]) == ("estimate", channel)
    assert found["valid"] is (not found["errors"])
    return found


def said(found: dict[str, Any]) -> list[tuple[str, str]]:
    assert all(one["detail"] for one in found["errors"])
    return [(one["pointer"], one["code"]) for one in found["errors"]]


async def row_of(api: Api, answer: Answer) -> Any:
    assert answer.status == 202, answer
    message_id = identifiers.read(identifiers.MESSAGE, answer.json()["id"])
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(select(messages).where(messages.c.id == message_id))
        return found.mappings().one()


async def everything(database: Database) -> dict[str, list[Any]]:
    """Return every row of the store."""
    async with database.reading() as connection:
        return {
            table.name: [tuple(row) for row in await connection.execute(select(table))]
            for table in metadata.sorted_tables
            if table.name not in BESIDES
        }


def picture() -> str:
    out = io.BytesIO()
    Image.new("L", (200, 300), 255).save(out, "PNG")
    return encoded(out.getvalue())


TEXT = {"filename": "lettre.txt", "content_base64": encoded(("Bonjour.\n" * 200).encode())}
MANY: list[tuple[str, dict[str, Any]]] = [
    ("email", email()),
    ("email", email(cc=[{"address": "paul@exemple.fr"}], html="<p>Bonjour</p>")),
    ("email", email(attachments=[{"filename": "note.pdf", "content_base64": encoded(pdf(2))}])),
    ("sms", sms()),
    ("sms", sms(text=FRENCH)),
    ("sms", sms(text=FRENCH, encoding="transliterate")),
    ("sms", sms(text="€" * 153)),
    ("letter", letter()),
    ("letter", letter(documents=[{"content_base64": encoded(pdf(3))}, TEXT])),
    ("letter", letter(to={"company": "ACME", "address": address(city="Paris", normalise=True)})),
    ("fax", fax()),
    ("fax", fax(document={"content_base64": picture()})),
    ("fax", fax(document=TEXT, cover=None, retry={"on": ["busy"], "max_attempts": 2})),
    ("fax", fax(cover={"text": "A l'attention de"}, provider="efidem")),
]


@pytest.mark.parametrize(("channel", "body"), MANY)
async def test_an_estimate_is_what_a_send_then_stores(
    api: Api, channel: str, body: dict[str, Any]
) -> None:
    before = await everything(api.gateway.database)

    found = await estimate(api, channel, body)

    assert await everything(api.gateway.database) == before
    assert found["valid"]
    answer = await api.post(PATHS[channel], body)
    row, sent = await row_of(api, answer), answer.json()
    assert found["warnings"] == sent["warnings"]
    assert found["provider"] == sent["provider"]["name"]
    assert found["cost"] == sent["cost"]
    assert [name for name in PATHS if found[name] is not None] == [channel]
    if channel == "email":
        assert found["email"]["size"] == row["size"]
    if channel == "sms":
        assert (found["sms"]["encoding"], found["sms"]["segments"]) == (
            row["encoding"],
            row["units"],
        )
    if channel in {"letter", "fax"}:
        assert found[channel]["pages"] == row["units"]


SLOWLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LETTERS = "aéêçœÀ\u2019«»…\u2013\u00a0\u202f1²½-€😀\u0301 \n"


@given(
    text=st.text(st.sampled_from(LETTERS), min_size=1, max_size=400),
    encoding=st.sampled_from(["auto", "strict_gsm7", "transliterate"]),
    most=st.none() | st.integers(1, 4),
)
@SLOWLY
async def test_whatever_the_text_its_estimate_is_what_a_send_answers(
    shared: Api, text: str, encoding: str, most: int | None
) -> None:
    body = sms(text=text, encoding=encoding, max_segments=most)

    found = await estimate(shared, "sms", body)

    answer = await shared.post("/v1/sms", body)
    if not found["valid"]:
        assert wrong(answer) == said(found)
        return
    row = await row_of(shared, answer)
    kept = read(row["channel"], row["content"])
    assert isinstance(kept, Sms)
    assert found["sms"]["text"] == kept.text
    assert (found["sms"]["encoding"], found["sms"]["segments"]) == (row["encoding"], row["units"])
    assert found["warnings"] == row["warnings"]
    if encoding != "auto":
        assert row["encoding"] == "gsm7"
    assert most is None or row["units"] <= most


LINE = st.text(st.sampled_from("aéÀ ,.'-1Œß"), min_size=1, max_size=60)


@given(line1=LINE, line2=st.none() | LINE, city=LINE, normalise=st.booleans())
@SLOWLY
async def test_whatever_the_address_its_estimate_is_what_a_send_answers(
    shared: Api, line1: str, line2: str | None, city: str, normalise: bool
) -> None:
    place = address(line1=line1, line2=line2, city=city, normalise=normalise)
    body = letter(to={"company": "ACME", "address": place})

    found = await estimate(shared, "letter", body)

    answer = await shared.post("/v1/letters", body)
    if not found["valid"]:
        assert wrong(answer) == said(found)
        return
    row = await row_of(shared, answer)
    kept = read(row["channel"], row["content"])
    assert isinstance(kept, Letter)
    assert found["warnings"] == row["warnings"]
    if normalise:
        assert found["letter"]["address_lines"][-1] == f"75011 {kept.city}"
        assert all(len(line) <= 38 for line in found["letter"]["address_lines"])


async def test_a_text_message_is_measured_and_what_forces_ucs2_is_named(shared: Api) -> None:
    found = await estimate(shared, "sms", sms(to="06 39 98 00 01", text="forêt, forêt…"))

    assert found == {
        "object": "estimate",
        "channel": "sms",
        "valid": True,
        "errors": [],
        "warnings": [],
        "provider": "efidem",
        "recipients": ["+33639980001"],
        "sms": {
            "text": "forêt, forêt…",
            "encoding": "ucs2",
            "units": 13,
            "segments": 1,
            "remaining": 57,
            "characters_forcing_ucs2": [
                {
                    "character": "ê",
                    "name": "LATIN SMALL LETTER E WITH CIRCUMFLEX",
                    "position": 3,
                    "count": 2,
                },
                {
                    "character": "…",
                    "name": "HORIZONTAL ELLIPSIS",
                    "position": 12,
                    "count": 1,
                },
            ],
        },
        "letter": None,
        "fax": None,
        "email": None,
        "cost": {"estimated": None, "segments_or_pages": 1, "final": False},
        "quota": None,
    }


async def test_the_text_that_would_be_sent_is_shown(shared: Api) -> None:
    found = await estimate(shared, "sms", sms(text=FRENCH, encoding="transliterate"))

    assert found["warnings"] == ["transliterated:/text"]
    assert found["sms"] == {
        "text": "Votre foret est sauvée : 10 000 arbres...",
        "encoding": "gsm7",
        "units": 41,
        "segments": 1,
        "remaining": 119,
        "characters_forcing_ucs2": [],
    }


async def test_a_letter_shows_its_lines_and_pages(shared: Api) -> None:
    to = {
        "last_name": "Durand",
        "first_name": "Marie",
        "address": address(line1="12, rue des Lilas", city="Paris", normalise=True),
    }

    found = await estimate(shared, "letter", letter(to=to, documents=[TEXT]))

    assert found["letter"]["address_lines"] == ["Marie Durand", "12 RUE DES LILAS", "75011 PARIS"]
    assert found["letter"]["pages"] > 1
    assert found["warnings"] == ["converted:/documents/0", "normalised:/to/address"]
    assert found["recipients"] == []


async def test_a_fax_shows_the_pages_and_the_size_of_what_would_be_fetched(shared: Api) -> None:
    given = picture()

    found = await estimate(shared, "fax", fax(document={"content_base64": given}))

    assert found["fax"]["pages"] == 1
    assert found["fax"]["size"] != len(base64.b64decode(given))
    assert found["recipients"] == ["+33199000001"]


async def test_an_email_shows_its_route_and_all_its_recipients(shared: Api) -> None:
    both = [{"address": "Marie@EXEMPLE.fr"}, {"address": "paul@exemple.fr"}]

    found = await estimate(shared, "email", email(to=both, cc=[{"address": "x@exemple.fr"}]))

    assert found["email"]["route"] == "relay"
    assert found["recipients"] == ["Marie@exemple.fr", "paul@exemple.fr", "x@exemple.fr"]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("sms", {}),
    ("sms", sms(to="06", text="")),
    ("sms", sms(text="ê", encoding="strict_gsm7")),
    ("sms", sms(text="😀", encoding="transliterate")),
    ("sms", sms(text="a" * 161, max_segments=1)),
    ("sms", sms(variables=["a"])),
    ("sms", sms(recipent="+33639980001")),
    ("email", email(to=[])),
    ("email", email(cc=[{"address": "a@b.fr"}], route="transactional")),
    ("email", email(attachments=[{"filename": "a.pdf", "content_base64": encoded(b"x")}])),
    ("letter", letter(documents=[{"content_base64": encoded(b"nothing")}])),
    ("letter", letter(documents=[{"document_id": "doc_00000000000000000000000000"}])),
    ("letter", letter(to={"company": "A", "address": address(line1="A" * 39, normalise=True)})),
    ("letter", letter(on_uncertain="retry")),
    ("fax", fax(document={"content_base64": encoded(b"x" * (ATTACHMENT_LIMIT + 1))})),
    ("fax", fax(cover={"text": "x"})),
    ("fax", fax(send_at="2999-01-01T00:00:00Z")),
]


@pytest.mark.parametrize(("channel", "body"), WRONG)
async def test_what_a_send_refuses_is_an_answer_here_at_the_same_places(
    shared: Api, channel: str, body: dict[str, Any]
) -> None:
    found = await estimate(shared, channel, body)

    refused = await shared.post(PATHS[channel], body)
    assert wrong(refused) == said(found) != []
    assert found["errors"] == refused.json()["errors"]
    assert found["cost"]["segments_or_pages"] is None


async def test_a_text_that_is_refused_is_measured_all_the_same(shared: Api) -> None:
    found = await estimate(shared, "sms", sms(text="ê" * 71, max_segments=1))

    assert said(found) == [("/text", "too_many_segments")]
    assert (found["sms"]["units"], found["sms"]["segments"]) == (71, 2)


async def test_at_most_a_hundred_characters_are_named(shared: Api) -> None:
    text = "".join(chr(0x4E00 + place) for place in range(500))

    found = await estimate(shared, "sms", sms(text=text, encoding="strict_gsm7"))

    assert len(found["errors"]) == 100
    assert len(found["sms"]["characters_forcing_ucs2"]) == 100


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("/channel", "missing")),
        (sms(), ("/channel", "missing")),
        ({"channel": "post"}, ("/channel", "not_allowed")),
        ({"channel": None}, ("/channel", "not_allowed")),
        ([], ("", "wrong_type")),
    ],
)
async def test_an_estimate_is_of_one_channel(
    shared: Api, body: object, expected: tuple[str, str]
) -> None:
    assert wrong(await shared.post("/v1/estimates", body)) == [expected]


async def test_a_body_that_is_no_json_is_refused(shared: Api) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await shared.call("POST", "/v1/estimates", data=b"{", headers=headers)

    problem(answer, 400, "malformed_json")


@pytest.mark.parametrize("channel", PATHS)
async def test_an_estimate_needs_the_scope_of_a_send(shared: Api, channel: str) -> None:
    body = {"channel": channel, **BODIES[PATHS[channel]]()}

    reading = await shared.post("/v1/estimates", body, key=shared.reader)
    sending = await shared.post("/v1/estimates", body, key=shared.sender)

    problem(reading, 403, "scope_missing")
    assert sending.status == (200 if channel == "sms" else 403)
    problem(await shared.post("/v1/estimates", body, key=None), 401, "api_key_invalid")


async def test_an_estimate_needs_no_idempotency_key_and_nothing_waits_for_its_time(
    api: Api,
) -> None:
    later = (api.gateway.now() + timedelta(hours=1)).isoformat()

    found = await estimate(api, "sms", sms(send_at=later, reference="R-1"))

    assert found["valid"]
    assert await api.count(messages) == 0


async def test_a_document_of_another_client_is_not_seen(shared: Api) -> None:
    headers = {"Content-Type": "application/pdf"}
    uploaded = await shared.call("POST", "/v1/documents", data=pdf(2), headers=headers)
    body = fax(document={"document_id": uploaded.json()["id"]})

    own = await estimate(shared, "fax", body)
    others = await shared.post("/v1/estimates", {"channel": "fax", **body}, key=shared.other)

    assert own["fax"]["pages"] == 2
    assert said(others.json()) == [("/document/document_id", "document_unknown")]


async def client_of(api: Api, key: str) -> Any:
    async with api.gateway.database.reading() as connection:
        digest = api.edge.access.digest(key)
        found = await connection.execute(
            select(api_keys.c.client_id).where(api_keys.c.digest == digest)
        )
        return found.scalar_one()


async def test_an_estimate_shows_what_is_left_of_a_quota_and_takes_nothing_of_it(api: Api) -> None:
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(clients_table)
            .where(clients_table.c.id == await client_of(api, api.live))
            .values(daily_quotas={"sms": 2})
        )

    shown = [(await estimate(api, "sms", sms()))["quota"] for _ in range(3)]
    sent = await api.post("/v1/sms", sms())
    after = (await estimate(api, "sms", sms()))["quota"]
    other = (await estimate(api, "email", email()))["quota"]

    assert shown == [{"channel": "sms", "daily": 2, "used": 0, "left": 2}] * 3
    assert sent.status == 202
    assert after == {"channel": "sms", "daily": 2, "used": 1, "left": 1}
    assert other is None

    await api.post("/v1/sms", sms())
    found = await estimate(api, "sms", sms())
    refused = problem(await api.post("/v1/sms", sms()), 429, "daily_quota_exceeded")
    assert said(found) == [("", refused["code"])]
    assert found["errors"][0]["detail"] == refused["detail"]
    assert found["quota"]["left"] == 0


async def test_a_reference_that_is_taken_is_an_answer_here_and_takes_none(api: Api) -> None:
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(clients_table)
            .where(clients_table.c.id == await client_of(api, api.live))
            .values(unique_references=True)
        )
    body = sms(reference="R-1")

    assert [(await estimate(api, "sms", body))["valid"] for _ in range(2)] == [True, True]
    first = (await api.post("/v1/sms", body)).json()["id"]
    found = await estimate(api, "sms", body)

    assert said(found) == [("/reference", "duplicate_reference")]
    assert first in found["errors"][0]["detail"]
    refused = problem(await api.post("/v1/sms", body), 409, "duplicate_reference")
    assert found["errors"] == refused["errors"]
    assert (await estimate(replace(api, live=api.other), "sms", body))["valid"]


async def test_whom_a_team_key_may_not_write_to_is_an_answer_here(api: Api) -> None:
    digest, name = api.edge.access.digest, api.gateway.ids.token()
    key = await create_key(api.gateway, digest, name=name, mode=Mode.TEAM)
    async with api.gateway.database.transaction() as connection:
        now, listed = api.gateway.now(), ["+33639980001"]
        await clients.add_to_team(connection, await client_of(api, key), listed, now)
    team = replace(api, live=key)

    allowed = await estimate(team, "sms", sms(to="+33639980001"))
    refused = await estimate(team, "sms", sms(to="+33639980002", text="ê" * 71, max_segments=1))

    assert allowed["valid"]
    assert said(refused) == [("/to", "not_in_team_list"), ("/text", "too_many_segments")]
    body = {"channel": "letter", **letter()}
    problem(await team.post("/v1/estimates", body), 403, "channel_not_allowed")
