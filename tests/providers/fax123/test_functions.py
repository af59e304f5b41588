"""123-fax's call against a second reading of its document, and what its answers mean."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from pydantic import HttpUrl, SecretStr

from app.delivery.inspect import Inspector
from app.domain.message import Fax, File, Submission
from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Outcome, Refused, Unclear
from app.providers.fax123.bindings import followed
from app.providers.fax123.functions import HTTP_PHP, national
from app.providers.fax123.provider import Fax123
from app.providers.fax123.settings import Fax123Settings
from tests.providers.sockets import Server, http_answer, serving

pytestmark = pytest.mark.anyio

# "Les codes retours d'accusé d'émission sont les suivants", down the left column, then the right.
# fmt: off
EMISSION: list[tuple[str, str, str, str | None]] = [
    ("101", "champs email vide", "blocked", "provider_credentials"),
    ("102", "Le champ pass est vide.", "blocked", "provider_credentials"),
    ("103", "Vos identifiants ne sont pas valides.", "blocked", "provider_credentials"),
    ("104", "Le champ url est vide.", "blocked", "document_unreachable"),
    ("105", "Votre url n'est pas valide.", "blocked", "document_unreachable"),
    ("106", "Le champ fax est vide.", "refused", "invalid_recipient"),
    ("107", "Le numéro de Fax n'est pas valide.", "refused", "invalid_recipient"),
    ("108", "Le solde de votre compte est à 0.", "blocked", "provider_credit"),
    ("109", "Le format de votre fichier n'est pas valide.", "refused if fetched", "document_invalid"),
    ("110", "Le poids de votre fichier ne doit pas dépasser 1Mo.", "refused if fetched", "document_too_large"),
    ("111", "Votre fichier est vide.", "refused if fetched", "document_invalid"),
    ("112", "Vous devez créditer votre compte pour effectuer cet envoi.", "blocked", "provider_credit"),
    ("113", "Le document vient d'être transmis à l'opérateur.", "accepted", None),
]
# fmt: on

# http.php?email=&pass=&fax=&ref=&url=&ref_accuse=1, and accuse_email for a copy.
PARAMETERS = ["email", "pass", "fax", "ref", "url", "ref_accuse", "accuse_email"]

REFERENCE = "A7K2M9Q4X1ZZTOP0"
PASSWORD = "pä&ss wörd=+%"  # the hardest to encode


def submission(document_url: str = "http://gw.example/d/token.pdf") -> Submission[Fax]:
    file = File(sha256="00", name="a.pdf", media_type="application/pdf", size=1, pages=1)
    return Submission(
        message_id=UUID(int=1),
        content=Fax(to="+33145678901", file=file),
        reference=REFERENCE,
        billing_code=None,
        files={},
        document_url=document_url,
    )


def provider(url: str | None, **changed: object) -> Fax123:
    values: Mapping[str, object] = {
        "url": HttpUrl(url) if url else None,
        "email": "us+fax@example.com",
        "password": SecretStr(PASSWORD),
        "receipt_email": None,
        "timeout": 5.0,
    }
    settings = Fax123Settings.model_construct(**{**values, "concurrency": 4, **changed})
    return Fax123(settings, Inspector(), followed(None))


async def outcome_of_answer(answer: bytes, **changed: object) -> tuple[Outcome, Server]:
    async with serving(answer) as server:
        fax = provider(server.url("/http.php"), **changed)
        outcome = await fax.submit(submission())
        await fax.close()
    return outcome, server


def expected(code: str, words: str, kind: str, reason: str | None) -> Outcome:
    if kind == "accepted":
        return Accepted(None, code, words)
    if kind == "blocked":
        return Blocked(reason or "", f"the provider answered {code} ({words})", code, words)
    failure = Failure(
        type="permanent", reason=reason or "", retryable=False, provider_code=code, label=words
    )
    return Refused(failure, only_if_fetched=kind == "refused if fetched")


async def test_the_table_has_the_documents_codes_in_its_order_with_its_words() -> None:
    ours = [(row.code, row.words) for row in HTTP_PHP.answers]

    assert ours == [(code, words) for code, words, _, _ in EMISSION]
    assert not [row.code for row in HTTP_PHP.answers if row.assumed]


async def test_the_call_has_the_documents_parameters_in_its_order() -> None:
    assert [one.name for one in HTTP_PHP.parameters] == PARAMETERS
    assert [one.name for one in HTTP_PHP.parameters if not one.required] == ["accuse_email"]


@pytest.mark.parametrize(("code", "words", "kind", "reason"), EMISSION)
async def test_a_documented_code_has_its_meaning(
    code: str, words: str, kind: str, reason: str | None
) -> None:
    outcome, _ = await outcome_of_answer(http_answer(f"{code}-{REFERENCE}".encode()))

    assert outcome == expected(code, words, kind, reason)


@pytest.mark.parametrize(
    ("body", "provider_id"),
    [
        (f"113-{REFERENCE}", None),
        ("113-1", None),  # ref_accuse=1 in the model request
        ("113-", None),
        ("113", None),
        ("\r\n 113-9F2 \n", "9F2"),
        ("113-a-b-c", "a-b-c"),
        ("\N{BYTE ORDER MARK}113-9F2", "9F2"),
        ("<html><body>113-x</body></html>", "x"),
    ],
)
async def test_an_acceptance_keeps_a_reference_that_is_not_ours(
    body: str, provider_id: str | None
) -> None:
    outcome, _ = await outcome_of_answer(http_answer(body.encode()))

    assert outcome == Accepted(provider_id, "113", EMISSION[-1][1])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "114-x",
        "0-x",
        "0",
        "31064-x",
        "13-x",
        "1130-x",
        "-113-x",
        "113 x",
        "113-x y",
        "113/x",
        "113,103",
        "OK",
        "<html>113-x or 103-y</html>",
        "113-x\n103-x",
        "\N{ARABIC-INDIC DIGIT ONE}13-x",
        "113-" + "x" * 101,
        "113-" + "x" * 10_000,
        "113-é",
    ],
)
async def test_an_answer_outside_the_grammar_or_the_table_is_unclear(body: str) -> None:
    outcome, _ = await outcome_of_answer(http_answer(body.encode()))

    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 500, 502, 503, 504])
async def test_a_code_under_another_http_status_is_unclear(status: int) -> None:
    body = b"" if status == 204 else f"113-{REFERENCE}".encode()

    outcome, _ = await outcome_of_answer(http_answer(body, status))

    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 407])
async def test_an_answer_of_somebody_before_the_program_blocks(status: int) -> None:
    outcome, _ = await outcome_of_answer(http_answer(b"<html>", status))

    assert outcome == Blocked("provider_contract", f"the provider answered HTTP {status}")


async def test_too_many_calls_are_deferred() -> None:
    outcome, _ = await outcome_of_answer(http_answer(b"", 429))

    assert outcome == Deferred("the provider answered HTTP 429")


async def test_the_request_is_the_documents_with_every_value_encoded() -> None:
    _, server = await outcome_of_answer(http_answer(b"113-x"), receipt_email="copies@example.com")

    method, target, _ = server.requests[0].split("\r\n")[0].split(" ")
    parts = urlsplit(target)
    assert (method, parts.path) == ("GET", "/http.php")
    assert parse_qsl(parts.query, keep_blank_values=True) == [
        ("email", "us+fax@example.com"),
        ("pass", PASSWORD),
        ("fax", "0145678901"),
        ("ref", REFERENCE),
        ("url", "http://gw.example/d/token.pdf"),
        ("ref_accuse", "1"),
        ("accuse_email", "copies@example.com"),
    ]
    assert "url=http%3A%2F%2Fgw.example%2Fd%2Ftoken.pdf&" in parts.query


async def test_no_copy_is_asked_for_where_no_mailbox_is_set() -> None:
    _, server = await outcome_of_answer(http_answer(b"113-x"))

    assert "accuse_email" not in server.requests[0]


async def test_one_submission_is_one_request_though_its_connection_breaks() -> None:
    outcome, server = await outcome_of_answer(b"")

    assert isinstance(outcome, Unclear)
    assert len(server.requests) == 1


async def test_a_fax_without_an_account_waits_and_says_what_is_missing() -> None:
    fax = provider(None, email=None)

    outcome = await fax.submit(submission())

    assert outcome == Blocked(
        "provider_settings", "set MULTICANAL_FAX123_URL, MULTICANAL_FAX123_EMAIL"
    )


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        ("+33145678901", "0145678901"),
        ("+33199000001", "0199000001"),
        ("+3222222222", "003222222222"),
        ("+14155550100", "0014155550100"),
        ("+262262123456", "00262262123456"),
    ],
)
async def test_a_number_is_written_as_it_is_dialled_in_france(number: str, dialled: str) -> None:
    assert national(number) == dialled
