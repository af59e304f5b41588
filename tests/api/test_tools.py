"""The tools, through the API and over real sockets to the simulated provider."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.store import migrate
from app.store.database import Database
from tests.api.asking import Asking, answering, asking, calls, described, without
from tests.api.client import problem, wrong

pytestmark = pytest.mark.anyio

ADDRESS = "marie.durand@exemple.fr"
MOBILE = "+33639980001"
BLANK = {"name": "efidem", "number": None, "code": None, "label": None, "problem": None}


@pytest.fixture(scope="module")
async def store(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Database]:
    opened = Database(f"sqlite:///{tmp_path_factory.mktemp('tools') / 'store.db'}")
    await migrate.upgrade(opened)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def asked(store: Database) -> AsyncIterator[Asking]:
    async with asking(store) as found:
        yield found


async def email(asked: Asking, address: str, **more: Any) -> dict[str, Any]:
    answer = await asked.post("/v1/tools/email-address", {"address": address, **more})
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json()
    return found


async def number(asked: Asking, text: str, **more: Any) -> dict[str, Any]:
    answer = await asked.post("/v1/tools/phone-number", {"number": text, **more})
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json()
    return found


# --- addresses ---


async def test_an_address_is_checked_by_our_own_rules(asked: Asking) -> None:
    assert await email(asked, "Marie.Durand@EXEMPLE.fr") == {
        "address": "Marie.Durand@EXEMPLE.fr",
        "normalised": "Marie.Durand@exemple.fr",
        "valid": True,
        "reason": None,
        "provider": None,
    }


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c.fr", "a b@c.fr", "é@", "x" * 320])
async def test_an_address_that_is_none_is_an_answer_and_no_fault(
    asked: Asking, address: str
) -> None:
    found = await email(asked, address)

    assert (found["valid"], found["normalised"]) == (False, None)
    assert found["reason"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, ("/address", "missing")),
        ({"address": "x" * 321}, ("/address", "too_long")),
        ({"address": 1}, ("/address", "wrong_type")),
        ({"address": "a@b.fr", "check": True}, ("/check", "unknown_field")),
        ({"address": "a@b.fr", "provider_check": 1}, ("/provider_check", "wrong_type")),
    ],
)
async def test_a_field_that_is_no_address_is_a_fault(
    asked: Asking, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert wrong(await asked.post("/v1/tools/email-address", body)) == [fault]


async def test_the_provider_may_be_asked_about_an_address_too(asked: Asking) -> None:
    found = await email(asked, ADDRESS, provider_check=True)

    assert found["provider"] == {"name": "efidem", "valid": True, "code": "1", "label": None}


async def test_both_verdicts_stand_beside_each_other_where_they_differ(asked: Asking) -> None:
    found = await email(asked, ".marie@exemple.fr", provider_check=True)

    assert (found["valid"], found["provider"]["valid"]) == (False, True)


async def test_what_the_provider_takes_for_no_address_is_its_verdict(asked: Asking) -> None:
    found = await email(asked, "nobody", provider_check=True)

    assert found["provider"] == {
        "name": "efidem",
        "valid": False,
        "code": "-99",
        "label": "Format de l'adresse email invalide",
    }


@pytest.mark.parametrize(
    ("address", "code", "label"),
    [
        ("", "-4", "Adresse email vide"),
        ("a\u00a4b@exemple.fr", "-7", "Séquence de caractères non autorisée"),
    ],
)
async def test_a_value_that_the_provider_does_not_take_is_a_fault_of_the_request(
    asked: Asking, address: str, code: str, label: str
) -> None:
    answer = await asked.post(
        "/v1/tools/email-address", {"address": address, "provider_check": True}
    )

    assert problem(answer, 422, "provider_rejected")["provider"] == {
        "name": "efidem",
        "function": "VERIFIER_ADRESSE_EMAIL",
        "code": code,
        "label": label,
    }


# --- numbers ---


async def test_a_french_mobile_is_normalised_by_both(asked: Asking) -> None:
    assert await number(asked, "+33(0)6.39.98.00.01") == {
        "number": "+33(0)6.39.98.00.01",
        "normalised": MOBILE,
        "national": "06 39 98 00 01",
        "type": "mobile",
        "region": "FR",
        "valid": True,
        "reason": None,
        "provider": {**BLANK, "number": "33639980001"},
        "agree": True,
    }


async def test_the_documents_own_example_comes_to_its_own_result(asked: Asking) -> None:
    found = await number(asked, "+33(0)6.01.02.03.04")

    assert (found["provider"]["number"], found["agree"]) == ("33601020304", True)


@pytest.mark.parametrize(
    ("text", "region", "normalised", "kind", "home"),
    [
        ("01 99 00 00 01", "FR", "+33199000001", "fixed", "FR"),
        ("020 7946 0018", "GB", "+442079460018", "fixed", "GB"),
        ("+49 1512 3456789", "FR", "+4915123456789", "mobile", "DE"),
    ],
)
async def test_the_provider_is_not_asked_by_itself_about_other_numbers(
    asked: Asking, text: str, region: str, normalised: str, kind: str, home: str
) -> None:
    found = await number(asked, text, region=region)

    assert (found["normalised"], found["type"], found["region"]) == (normalised, kind, home)
    assert (found["valid"], found["provider"], found["agree"]) == (True, None, None)


async def test_the_provider_may_be_asked_about_any_number(asked: Asking) -> None:
    found = await number(asked, "01 99 00 00 01", provider_check=True)

    assert (found["provider"]["number"], found["agree"]) == ("33199000001", True)


async def test_two_results_that_differ_are_both_shown(asked: Asking) -> None:
    found = await number(asked, "020 7946 0018", region="GB", provider_check=True)

    assert found["normalised"] == "+442079460018"
    assert found["provider"]["number"] == "02079460018"
    assert found["agree"] is False


async def test_the_provider_need_not_be_asked(asked: Asking) -> None:
    assert (await number(asked, MOBILE, provider_check=False))["provider"] is None


@pytest.mark.parametrize(
    ("text", "kind", "valid"),
    [
        (MOBILE, "mobile", True),
        (MOBILE, "fax", False),
        ("+33199000001", "fax", True),
        ("+33199000001", "mobile", False),
    ],
)
async def test_a_number_must_fit_what_it_is_for(
    asked: Asking, text: str, kind: str, valid: bool
) -> None:
    found = await number(asked, text, kind=kind, provider_check=False)

    assert (found["valid"], found["reason"] is None) == (valid, valid)


@pytest.mark.parametrize("text", ["", "12", "nobody", "06 39 98 00 01 ext. 4"])
async def test_a_number_that_is_none_is_an_answer_and_no_fault(asked: Asking, text: str) -> None:
    found = await number(asked, text)

    assert (found["valid"], found["normalised"], found["provider"]) == (False, None, None)
    assert found["reason"]


@pytest.mark.parametrize("text", ["12", "nobody", "(0)", "00 123 456", "0"])
async def test_the_provider_is_not_asked_about_what_is_no_number(asked: Asking, text: str) -> None:
    """Its answer would be as short as a code of its own, and say nothing to rely on."""
    found = await number(asked, text, provider_check=True)

    assert (found["valid"], found["provider"]) == (False, None)


async def test_an_empty_number_is_refused_by_the_provider(asked: Asking) -> None:
    answer = await asked.post("/v1/tools/phone-number", {"number": "", "provider_check": True})

    assert problem(answer, 422, "provider_rejected")["provider"]["code"] == "-4"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, ("/number", "missing")),
        ({"number": MOBILE, "region": "XX"}, ("/region", "region_unknown")),
        ({"number": MOBILE, "kind": "pager"}, ("/kind", "not_allowed")),
        ({"number": "0" * 41}, ("/number", "too_long")),
    ],
)
async def test_a_wrong_field_of_a_number_is_a_fault(
    asked: Asking, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert wrong(await asked.post("/v1/tools/phone-number", body)) == [fault]


# --- status codes ---


async def test_a_status_code_is_explained_by_our_own_table(asked: Asking) -> None:
    answer = await asked.get("/v1/tools/esmtp-codes/5.1.2")

    assert answer.json() == {
        "code": "5.1.2",
        "class": {"code": "5", "meaning": "Permanent Failure"},
        "subject": {"code": "1", "meaning": "Addressing Status"},
        "description": "Bad destination system address",
        "temporary": False,
        "source": "local",
        "registered_in": "RFC 3463",
    }


async def test_a_status_code_is_explained_by_the_provider_too(asked: Asking) -> None:
    found = (await asked.get("/v1/tools/esmtp-codes/4.2.2?source=provider")).json()

    assert (found["description"], found["source"]) == ("Mailbox full", "provider")
    assert (found["temporary"], found["registered_in"]) == (True, None)


async def test_a_code_that_stands_in_no_table_is_not_found(asked: Asking) -> None:
    problem(await asked.get("/v1/tools/esmtp-codes/5.9.9"), 404, "not_found")

    theirs = await asked.get("/v1/tools/esmtp-codes/5.9.9?source=provider")
    assert problem(theirs, 404, "not_found")["provider"] == {
        "name": "efidem",
        "function": "OBTENIR_CODE_ESMTP",
        "code": "-99",
        "label": "Aucune donnée pour ce code de facturation",
    }


@pytest.mark.parametrize("code", ["5.1", "X.1.1", "3.1.1", "5.01.1", "%20", "5.1.1%00"])
async def test_what_is_no_status_code_is_a_fault(asked: Asking, code: str) -> None:
    assert wrong(await asked.get(f"/v1/tools/esmtp-codes/{code}")) == [("/code", "code_invalid")]


async def test_a_status_code_has_two_sources(asked: Asking) -> None:
    answer = await asked.get("/v1/tools/esmtp-codes/5.1.1?source=memory")

    assert wrong(answer) == [("/source", "not_allowed")]


# --- who may ---


PATHS = [
    ("/v1/tools/email-address", {"address": ADDRESS, "provider_check": True}),
    ("/v1/tools/phone-number", {"number": MOBILE}),
]


@pytest.mark.parametrize(("path", "body"), PATHS)
async def test_tools_need_a_key_that_may_read(
    asked: Asking, path: str, body: dict[str, Any]
) -> None:
    problem(await asked.post(path, body, key=None), 401, "api_key_invalid")
    problem(await asked.post(path, body, key=asked.api.sender), 403, "scope_missing")
    assert (await asked.post(path, body, key=asked.api.reader)).status == 200
    assert (await asked.post(path, body, key=asked.api.test)).status == 200


async def test_a_test_key_never_reaches_a_provider(store: Database) -> None:
    async with asking(store, environment="production", idempotency="optional") as asked:
        path, body = PATHS[0]
        problem(await asked.post(path, body, key=asked.api.test), 403, "channel_not_allowed")
        implicit = await asked.post(*PATHS[1], key=asked.api.test)
        assert implicit.json()["provider"] == {**BLANK, "problem": "channel_not_allowed"}
        local = await asked.get("/v1/tools/esmtp-codes/5.1.1", key=asked.api.test)
        assert local.status == 200


# --- what goes wrong ---


async def test_wrong_credentials_of_ours_are_no_fault_of_the_caller(store: Database) -> None:
    async with asking(store, account={"password": "wrong"}) as asked:
        answer = await asked.post(*PATHS[0])
        found = problem(answer, 503, "provider_credentials")
        assert found["provider"]["code"] == "-6"
        assert answer.headers["Retry-After"]

        # A check that nobody asked for leaves our own answer as it is.
        ours = await number(asked, MOBILE)
        assert (ours["valid"], ours["agree"]) == (True, None)
        assert ours["provider"]["problem"] == "provider_credentials"


async def test_a_provider_that_cannot_be_reached_is_unavailable(store: Database) -> None:
    efidem = {"address": "http://127.0.0.1:9/soap"}
    async with asking(store, efidem=efidem) as asked:
        answer = await asked.post(*PATHS[0])
        assert problem(answer, 503, "provider_unavailable")["retryable"]
        assert answer.headers["Retry-After"] == "30"
        wanted = {"number": MOBILE, "provider_check": True}
        problem(await asked.post("/v1/tools/phone-number", wanted), 503, "provider_unavailable")
        assert (await number(asked, MOBILE))["provider"]["problem"] == "provider_unavailable"


async def test_a_contract_that_cannot_be_read_is_named(store: Database) -> None:
    async with asking(store, efidem={"wsdl": "http://127.0.0.1:9/efidem.wsdl"}) as asked:
        found = problem(await asked.post(*PATHS[0]), 503, "provider_contract")
        # Where the WSDL lies is the operator's to know.
        assert "127.0.0.1" not in found["detail"]
        assert "multicanal providers check says why" in found["detail"]
    async with asking(store, efidem={"app_id": None}) as asked:
        found = problem(await asked.post(*PATHS[0]), 503, "provider_contract")
        assert "MULTICANAL_EFIDEM_APP_ID" in found["detail"]


async def test_a_function_that_the_wsdl_does_not_offer_blocks_itself_alone(
    store: Database, asked: Asking, tmp_path: Path
) -> None:
    wsdl = await without(asked, "VERIFIER_ADRESSE_EMAIL", tmp_path)
    async with asking(store, efidem={"wsdl": wsdl}) as lacking:
        answer = await lacking.post(*PATHS[0])
        found = problem(answer, 503, "provider_contract")
        assert "VERIFIER_ADRESSE_EMAIL" in found["detail"]
        assert found["provider"]["function"] == "VERIFIER_ADRESSE_EMAIL"
        assert answer.headers["Retry-After"] == "300"
        codes = await lacking.get("/v1/tools/esmtp-codes/5.1.2?source=local")
        assert codes.status == 200


async def test_the_answers_have_the_fields_that_are_described(asked: Asking) -> None:
    address = await email(asked, ADDRESS, provider_check=True)
    telephone = await number(asked, MOBILE)
    code = (await asked.get("/v1/tools/esmtp-codes/5.1.1")).json()

    assert set(address) == described("EmailAddressOut")
    assert set(address["provider"]) == described("VerdictOut")
    assert set(telephone) == described("PhoneNumberOut")
    assert set(telephone["provider"]) == described("TransformedOut")
    assert set(code) == described("EsmtpCodeOut")


@pytest.mark.parametrize("answer", ["0", "false", "", "<x/>", None])
async def test_an_answer_that_says_nothing_sure_is_told_as_such(
    store: Database, answer: str | None
) -> None:
    async with answering(store, answer) as (asked, server):
        problem(await asked.post(*PATHS[0]), 502, "provider_protocol_error")
        assert answer is None or len(calls(server.requests, "VERIFIER_ADRESSE_EMAIL")) == 1


async def test_a_provider_that_does_not_answer_in_time_is_not_asked_again(
    store: Database,
) -> None:
    async with answering(store, "1", silent=5, efidem={"timeout": 2}) as (asked, server):
        server.requests.clear()
        problem(await asked.post(*PATHS[0]), 502, "provider_protocol_error")
        assert len(server.requests) == 1
