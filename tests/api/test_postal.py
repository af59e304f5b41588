"""Postal addresses by NF Z10-011: looked at with a tool, and as letters take them."""

from typing import Any

import pytest
from sqlalchemy import select

from app.domain import identifiers
from app.domain.message import Letter
from app.store.contents import read
from app.store.tables import messages
from tests.api.client import Answer, Api, address, letter, problem, wrong

pytestmark = pytest.mark.anyio

TOOL = "/v1/tools/postal-address"
UNTIDY = {
    "line1": "12, rue de l'Église",
    "line2": "Bât. B",
    "postal_code": "93200",
    "city": "Saint-Denis",
}
MARIE = {"title": "Mme", "last_name": "Durand", "first_name": "Marie"}


async def look(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(TOOL, body, key=api.reader)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json()
    return found


def said(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    assert all(one["detail"] for one in found)
    return [(one["pointer"], one["code"]) for one in found]


async def content_of(api: Api, answer: Answer) -> Letter:
    assert answer.status == 202, answer
    message_id = identifiers.read(identifiers.MESSAGE, answer.json()["id"])
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(select(messages).where(messages.c.id == message_id))
        row = found.mappings().one()
    content = read(row["channel"], row["content"])
    assert isinstance(content, Letter)
    return content


# --- the tool ---


async def test_an_address_that_conforms_is_laid_out_and_left(shared: Api) -> None:
    assert await look(shared, {**MARIE, "address": address(line2="BAT B")}) == {
        "lines": ["Mme Marie Durand", "BAT B", "12 RUE DES LILAS", "75011 PARIS"],
        "valid": True,
        "conforms": True,
        "errors": [],
        "warnings": [],
        "normalised": None,
    }


async def test_what_the_norm_has_against_an_address_is_said(shared: Api) -> None:
    found = await look(shared, {**MARIE, "address": UNTIDY})

    assert (found["valid"], found["conforms"], found["errors"]) == (True, False, [])
    assert said(found["warnings"]) == [
        ("/address/line1", "not_capitals"),
        ("/address/line1", "accents"),
        ("/address/line1", "punctuation"),
        ("/address/city", "not_capitals"),
        ("/address/city", "punctuation"),
    ]
    assert found["normalised"] is None


async def test_an_address_is_brought_into_the_norm_on_request(shared: Api) -> None:
    found = await look(shared, {**MARIE, "address": {**UNTIDY, "normalise": True}})

    assert found["valid"]
    assert found["normalised"] == {
        **MARIE,
        "company": None,
        "address": {
            "line1": "12 RUE DE L EGLISE",
            "line2": "BAT B",
            "postal_code": "93200",
            "city": "SAINT DENIS",
            "country": "FR",
        },
        "lines": ["Mme Marie Durand", "BAT B", "12 RUE DE L EGLISE", "93200 SAINT DENIS"],
        "warnings": [],
    }
    again = await look(shared, {"address": {**found["normalised"]["address"], "normalise": True}})
    assert again["conforms"]
    assert again["normalised"]["address"] == found["normalised"]["address"]


async def test_an_address_abroad_ends_with_its_country_in_french(shared: Api) -> None:
    place = {"line1": "Rue Neuve 1", "postal_code": "1000", "city": "Bruxelles", "country": "BE"}

    found = await look(shared, {"company": "ACME", "address": place})

    assert found["lines"] == ["ACME", "Rue Neuve 1", "1000 Bruxelles", "BELGIQUE"]
    assert found["conforms"]


@pytest.mark.parametrize(
    ("to", "errors"),
    [
        (
            {"address": address(postal_code="7501")},
            [("/address/postal_code", "postal_code_length")],
        ),
        ({"address": address(city=" ")}, [("/address/city", "too_short")]),
        ({"address": address(line1="a\nb")}, [("/address/line1", "line_break")]),
        ({"address": address(country="fr")}, [("/address/country", "invalid")]),
        ({"address": address(), "last_name": "Durand"}, [("", "first_name_missing")]),
        ({"address": address(), "title": "Mme"}, [("", "last_name_missing")]),
        ({"address": address(), "company": "C" * 101}, [("/company", "too_long")]),
        (
            {"address": address(line1="A" * 39, normalise=True)},
            [("/address/line1", "line_too_long")],
        ),
        ({"address": address(line1="...", normalise=True)}, [("/address/line1", "emptied")]),
    ],
)
async def test_what_a_letter_would_refuse_is_an_answer_and_no_fault(
    shared: Api, to: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    found = await look(shared, to)

    assert (found["valid"], said(found["errors"])) == (False, errors)
    # As a letter says it, one level below.
    answer = await shared.post("/v1/letters", letter(to={**MARIE, **to}))
    if "last_name" not in to and "title" not in to:
        assert wrong(answer) == [(f"/to{pointer}", code) for pointer, code in errors]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("/address", "missing")),
        ({"address": {}}, None),
        ({"address": address(street="x")}, ("/address/street", "unknown_field")),
        ({"address": address(line1=1)}, ("/address/line1", "wrong_type")),
        ({"address": address(line1="x" * 201)}, ("/address/line1", "too_long")),
        ({"address": address(), "normalise": True}, ("/normalise", "unknown_field")),
    ],
)
async def test_a_body_of_another_shape_is_refused(
    shared: Api, body: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    found = wrong(await shared.post(TOOL, body))

    missing = [(f"/address/{name}", "missing") for name in ("line1", "postal_code", "city")]
    assert found == ([expected] if expected else missing)


async def test_an_address_is_looked_at_with_a_key_that_may_read(shared: Api) -> None:
    answer = await shared.post(TOOL, {"address": address()}, key=shared.sender)

    problem(answer, 403, "scope_missing")


# --- letters ---


async def test_a_letter_is_sent_to_the_address_as_it_is_and_warned_of(api: Api) -> None:
    answer = await api.post("/v1/letters", letter(to={**MARIE, "address": UNTIDY}))

    content = await content_of(api, answer)
    assert (content.line1, content.city) == (UNTIDY["line1"], UNTIDY["city"])
    assert answer.json()["warnings"] == [
        "not_capitals:/to/address/line1",
        "accents:/to/address/line1",
        "punctuation:/to/address/line1",
        "not_capitals:/to/address/city",
        "punctuation:/to/address/city",
    ]


async def test_a_letter_is_sent_to_the_address_in_the_norms_form_on_request(api: Api) -> None:
    to = {**MARIE, "address": {**UNTIDY, "normalise": True}}

    answer = await api.post("/v1/letters", letter(to=to))

    content = await content_of(api, answer)
    assert (content.line1, content.line2) == ("12 RUE DE L EGLISE", "BAT B")
    assert (content.postal_code, content.city) == ("93200", "SAINT DENIS")
    assert (content.title, content.first_name, content.last_name) == ("Mme", "Marie", "Durand")
    assert answer.json()["warnings"] == ["normalised:/to/address"]


async def test_nothing_is_said_of_an_address_that_was_in_the_norms_form(shared: Api) -> None:
    answer = await shared.post(
        "/v1/letters", letter(to={**MARIE, "address": address(normalise=True)})
    )

    assert answer.json()["warnings"] == []


async def test_a_line_that_cannot_be_made_to_fit_is_refused_only_where_it_must_fit(
    shared: Api,
) -> None:
    place = address(line1="12 RUE " + "A" * 40)

    kept = await shared.post("/v1/letters", letter(to={**MARIE, "address": place}))
    place["normalise"] = True
    refused = await shared.post("/v1/letters", letter(to={**MARIE, "address": place}))

    assert kept.json()["warnings"] == ["line_too_long:/to/address/line1"]
    assert wrong(refused) == [("/to/address/line1", "line_too_long")]
    assert "without normalise" in refused.json()["errors"][0]["detail"]


async def test_a_company_keeps_its_name_and_the_names_that_the_provider_demands(
    shared: Api,
) -> None:
    to = {"company": "Dupont & Fils, S.A.", "address": {**UNTIDY, "normalise": True}}

    answer = await shared.post("/v1/letters", letter(to=to))

    content = await content_of(shared, answer)
    assert (content.company, content.last_name) == (to["company"], to["company"])
    assert answer.json()["warnings"] == [
        "normalised:/to/address",
        "filled:/to/last_name",
        "filled:/to/first_name",
    ]
