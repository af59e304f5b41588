"""What an exchange with Efidem means, by how far it got and by its HTTP status."""

from datetime import timedelta

import pytest

from app.domain.outcome import (
    Accepted,
    Blocked,
    Deferred,
    Failure,
    NoAnswer,
    Outcome,
    Refused,
    Report,
    Unclear,
)
from app.domain.status import Status
from app.providers.efidem import judge, statuses
from app.providers.efidem.functions import ENVOYER_EMAIL, STATUT_EMAIL
from app.providers.efidem.statuses import StatusRow
from app.providers.manual import Answer, Function, Meaning
from app.providers.wire import Answered, Broken, Exchange, NotSent
from tests.providers.efidem.envelopes import answered, envelope, result

IDENTIFIER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
HTML = b"<html><body>Sorry</body></html>"


def fault(code: str, text: str = "") -> bytes:
    inside = f"<faultcode>s:{code}</faultcode><faultstring>{text}</faultstring>"
    return envelope(f"<s:Fault>{inside}</s:Fault>")


@pytest.mark.parametrize(
    ("exchange", "outcome"),
    [
        (NotSent("ClientConnectorError"), Deferred("ClientConnectorError")),
        (
            NotSent("Cert", certificate=True),
            Blocked("provider_contract", "the provider's certificate was refused: Cert"),
        ),
        (Broken("ServerDisconnectedError"), Unclear("ServerDisconnectedError")),
    ],
)
def test_a_call_without_an_answer_is_judged_by_how_far_it_got(
    exchange: Exchange, outcome: Outcome
) -> None:
    assert judge.outcome(ENVOYER_EMAIL, exchange) == outcome


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 408, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", HTML, result("-9")[:-9]])
def test_an_http_error_after_the_request_is_unclear(status: int, body: bytes) -> None:
    assert isinstance(judge.outcome(ENVOYER_EMAIL, answered(body, status)), Unclear)


FILE = "<NOM>a.csv</NOM><CONTENU>QTtCCg==</CONTENU>"


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("Erreur inconnue", "the result is neither an identifier nor a code"),
        ("true", "the result is neither an identifier nor a code"),
        ("33601020304", "the result is neither an identifier nor a code"),
        ("LTY=", "the result is neither an identifier nor a code"),
        (FILE, "the result is a document"),
    ],
)
def test_a_text_or_a_document_says_nothing_of_a_message(inside: str, why: str) -> None:
    sending = judge.outcome(ENVOYER_EMAIL, answered(result(inside)))
    asked = judge.finding(STATUT_EMAIL, {}, answered(result(inside)))

    assert sending == Unclear(f"HTTP 200: {why}")
    assert asked == NoAnswer(why)


def test_a_definite_no_is_no_answer_to_a_call_that_sends_or_asks_for_a_status() -> None:
    no = Answer("-99", Meaning.NEGATIVE, "Format de l'adresse email invalide")
    function = Function(name="STATUT_EMAIL", chapter="", parameters=(), answers=(no,))

    sending = judge.outcome(function, answered(result("-99")))
    asked = judge.finding(function, {"STATUT_EMAIL": {}}, answered(result("-99")))

    assert sending == Unclear("negative is no answer to a call that sends", "-99")
    assert asked == NoAnswer("the provider answered -99 (Format de l'adresse email invalide)")


@pytest.mark.parametrize("status", [401, 403, 404, 405, 407, 415])
@pytest.mark.parametrize("body", [b"", HTML, result("Accès refusé"), result(FILE)])
def test_an_answer_of_somebody_before_the_service_blocks(status: int, body: bytes) -> None:
    outcome = judge.outcome(ENVOYER_EMAIL, answered(body, status))

    assert outcome == Blocked("provider_contract", f"the provider answered HTTP {status}")


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        (None, None),
        ("7", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("999999", timedelta(hours=1)),
        ("-1", None),
        ("", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 5000, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_too_many_calls_are_deferred_for_as_long_as_the_provider_asks(
    retry_after: str | None, wait: timedelta | None
) -> None:
    exchange = Answered(429, HTML, retry_after)

    outcome = judge.outcome(ENVOYER_EMAIL, exchange)

    assert outcome == Deferred("the provider answered HTTP 429", wait)


def test_a_request_that_is_too_large_is_refused() -> None:
    outcome = judge.outcome(ENVOYER_EMAIL, answered(HTML, 413))

    assert isinstance(outcome, Refused)
    assert (outcome.failure.reason, outcome.failure.provider_code) == ("document_invalid", "413")


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_of_the_sender_is_a_refusal(status: int) -> None:
    outcome = judge.outcome(ENVOYER_EMAIL, answered(fault("Client", "s3cret"), status))

    assert outcome == Refused(
        Failure(
            type="permanent",
            reason="provider_contract",
            retryable=False,
            provider_code="Client",
            label="the provider refused the request's form",
        )
    )


@pytest.mark.parametrize("status", [200, 500, 503])
def test_a_fault_of_the_server_is_unclear_even_if_it_holds_an_identifier(status: int) -> None:
    outcome = judge.outcome(ENVOYER_EMAIL, answered(fault("Server", IDENTIFIER), status))

    assert outcome == Unclear("a SOAP fault Server, perhaps after the provider had sent")


@pytest.mark.parametrize("status", [201, 202, 400, 500])
def test_an_identifier_under_another_status_is_unclear_and_kept(status: int) -> None:
    outcome = judge.outcome(ENVOYER_EMAIL, answered(result(IDENTIFIER), status))

    assert outcome == Unclear(f"HTTP {status} with an identifier", IDENTIFIER)


def test_an_identifier_under_200_is_accepted() -> None:
    assert judge.outcome(ENVOYER_EMAIL, answered(result(IDENTIFIER))) == Accepted(IDENTIFIER)


@pytest.mark.parametrize("status", [202, 500])
def test_a_listed_code_under_another_status_is_unclear(status: int) -> None:
    assert isinstance(judge.outcome(ENVOYER_EMAIL, answered(result("-9"), status)), Unclear)


@pytest.mark.parametrize(
    "exchange",
    [
        NotSent("DNS"),
        NotSent("Cert", certificate=True),
        Broken("Reset"),
        answered(result("30"), 500),
        answered(result("30"), 302),
        answered(HTML),
        answered(b""),
        answered(fault("Client")),
        answered(fault("Server")),
        answered(result(IDENTIFIER)),
    ],
)
def test_a_status_is_learnt_from_a_whole_answer_only(exchange: Exchange) -> None:
    mapped = {"STATUT_EMAIL": {"30": StatusRow(status="delivered")}}

    assert isinstance(judge.finding(STATUT_EMAIL, mapped, exchange), NoAnswer)


def test_a_mapped_code_is_a_report_of_its_own_function_only() -> None:
    mapped = {"STATUT_EMAIL": {"30": StatusRow(status="delivered", label="Délivré")}}
    other = {"STATUT_SMS": mapped["STATUT_EMAIL"]}

    ours = judge.finding(STATUT_EMAIL, mapped, answered(result("30")))
    theirs = judge.finding(STATUT_EMAIL, other, answered(result("30")))

    assert ours == Report(code="30", status=Status.DELIVERED, label="Délivré")
    assert theirs == Report(code="30", status=None, unmapped_in="STATUT_EMAIL")


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [("permanent", False), ("temporary", True), ("technical", False), ("unknown", False)],
)
def test_a_mapped_failure_says_why_and_whether_to_try_again(kind: str, retryable: bool) -> None:
    row = StatusRow.model_validate({"status": "failed", "type": kind, "reason": "mailbox_full"})
    body = result("<CODE_STATUT>42</CODE_STATUT><DESCRIPTION_STATUT>Pleine</DESCRIPTION_STATUT>")

    finding = judge.finding(STATUT_EMAIL, {"STATUT_EMAIL": {"42": row}}, answered(body))

    assert finding == Report(
        code="42",
        status=Status.FAILED,
        label="Pleine",
        failure=Failure(
            type=kind,
            reason="mailbox_full",
            retryable=retryable,
            provider_code="42",
            label="Pleine",
        ),
    )


def test_the_providers_words_do_not_tell_who_was_written_to() -> None:
    words = "550 5.1.1 &lt;marie@exemple.fr&gt; inconnu"
    body = result(f"<CODE_STATUT>42</CODE_STATUT><DESCRIPTION_STATUT>{words}</DESCRIPTION_STATUT>")

    finding = judge.finding(STATUT_EMAIL, {}, answered(body))

    assert isinstance(finding, Report)
    assert finding.label == "550 5.1.1 <***> inconnu"


def test_no_map_can_turn_an_error_code_into_a_status() -> None:
    mapped = {"STATUT_EMAIL": {"-6": StatusRow(status="delivered")}}

    assert isinstance(judge.finding(STATUT_EMAIL, mapped, answered(result("-6"))), NoAnswer)


def test_the_simulators_own_map_is_one_that_an_operator_could_write() -> None:
    known = statuses.read_bindings(statuses.SIMULATOR).statuses

    assert set(known) >= {"STATUT_EMAIL", "STATUT_SMS", "STATUT_COMPLET_SMS", "COURRIER_STATUT"}
    assert known["COURRIER_STATUT"]["640"].status == "returned"
