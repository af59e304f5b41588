"""What the answers of the functions that send nothing come to, typed from the document."""

import base64
from datetime import timedelta

import pytest

from app.domain.outcome import Blocked, Consulted, Denied, Told, Unclear, Unreached, Wrong
from app.providers.efidem.consult import KINDS, consulted
from app.providers.efidem.functions import FUNCTIONS
from app.providers.wire import Answered, Broken, Exchange, NotSent
from tests.providers.efidem.envelopes import SOAP_12, answered, envelope, result

BY_NAME = {function.name: function for function in FUNCTIONS}
ADDRESS = "Marie.Durand@exemple.fr"
CREDENTIALS = "provider_credentials"


def judged(function: str, exchange: Exchange | str) -> Consulted:
    if isinstance(exchange, str):
        exchange = answered(result(exchange))
    return consulted(BY_NAME[function], {"DESTINATAIRE": ADDRESS}, exchange)


def says(code: str, words: str) -> str:
    return f"the provider answered {code} ({words or 'no words'})"


TRIO = [
    ("-1", "Nom d'utilisateur vide"),
    ("-2", "Mot de passe vide"),
    ("-3", "AppID vide"),
    ("-6", "Informations d'authentification incorrectes"),
]
FORBIDDEN = ("-7", "Séquence de caractères non autorisée", "forbidden_characters")
# "Liste des codes erreurs": the values that are not taken, by function. RAPPORT and the functions
# of users have no list there: COMPTE_SOUMIS_CODE_FACTURATION's is assumed.
WRONG = {
    "RAPPORT": [FORBIDDEN],
    "COMPTE_SOUMIS_CODE_FACTURATION": [
        ("-4", "Code de facturation vide", "billing_code_missing"),
        FORBIDDEN,
    ],
    "VERIFIER_ADRESSE_EMAIL": [("-4", "Adresse email vide", "recipient_missing"), FORBIDDEN],
    "OBTENIR_CODE_ESMTP": [("-4", "Code de facturation vide", "code_missing"), FORBIDDEN],
    "TRANSFORMER_NUMERO": [("-4", "Numéro vide", "number_missing")],
    "AJOUTER_UTILISATEUR": [FORBIDDEN],
    "ENLEVER_UTILISATEUR": [FORBIDDEN],
}
DENIED = {
    "VERIFIER_ADRESSE_EMAIL": ("-99", "Format de l'adresse email invalide"),
    "OBTENIR_CODE_ESMTP": ("-99", "Aucune donnée pour ce code de facturation"),
}
# Blank in the document.
BLANK = {"VERIFIER_ADRESSE_EMAIL": "-5", "OBTENIR_CODE_ESMTP": "-5"}
TOLD = [
    ("COMPTE_SOUMIS_CODE_FACTURATION", "0", "0"),
    ("COMPTE_SOUMIS_CODE_FACTURATION", "42", "42"),
    ("COMPTE_SOUMIS_CODE_FACTURATION", "12345678", "12345678"),
    ("VERIFIER_ADRESSE_EMAIL", "1", "1"),
    ("VERIFIER_ADRESSE_EMAIL", "true", "true"),
    ("VERIFIER_ADRESSE_EMAIL", "OK", "OK"),
    ("VERIFIER_ADRESSE_EMAIL", "marie.durand@exemple.fr", "marie.durand@exemple.fr"),
    ("OBTENIR_CODE_ESMTP", "Mailbox full", "Mailbox full"),
    ("TRANSFORMER_NUMERO", "33601020304", "33601020304"),
    ("TRANSFORMER_NUMERO", "+33601020304", "33601020304"),
    ("AJOUTER_UTILISATEUR", "1", "1"),
    ("ENLEVER_UTILISATEUR", "1", "1"),
]
UNCLEAR = [
    ("RAPPORT", "-4"),
    ("RAPPORT", "0"),
    ("RAPPORT", "Aucun"),
    ("COMPTE_SOUMIS_CODE_FACTURATION", "-5"),
    ("COMPTE_SOUMIS_CODE_FACTURATION", "-99"),
    ("COMPTE_SOUMIS_CODE_FACTURATION", "beaucoup"),
    ("VERIFIER_ADRESSE_EMAIL", "0"),
    ("VERIFIER_ADRESSE_EMAIL", "false"),
    ("VERIFIER_ADRESSE_EMAIL", "2"),
    ("VERIFIER_ADRESSE_EMAIL", "paul@exemple.fr"),
    ("OBTENIR_CODE_ESMTP", "1"),
    ("OBTENIR_CODE_ESMTP", "x" * 2001),
    ("TRANSFORMER_NUMERO", "-5"),
    ("TRANSFORMER_NUMERO", "-7"),
    ("TRANSFORMER_NUMERO", "500"),
    ("TRANSFORMER_NUMERO", "06 01 02 03 04"),
    ("AJOUTER_UTILISATEUR", "0"),
    ("AJOUTER_UTILISATEUR", "OK"),
    ("AJOUTER_UTILISATEUR", "-99"),
    ("AJOUTER_UTILISATEUR", "a" * 32),
    ("ENLEVER_UTILISATEUR", "true"),
    ("ENLEVER_UTILISATEUR", "-99"),
]
every = pytest.mark.parametrize("function", KINDS)


@every
@pytest.mark.parametrize(("code", "words"), TRIO)
def test_credentials_that_are_not_taken_block(function: str, code: str, words: str) -> None:
    if function == "OBTENIR_CODE_ESMTP" and code == "-6":
        words = "Informations d'authentifications incorrectes"  # the document's own spelling

    assert judged(function, code) == Blocked(CREDENTIALS, says(code, words), code, words)


@pytest.mark.parametrize(
    ("function", "code", "words", "reason"),
    [(function, *row) for function, rows in WRONG.items() for row in rows],
)
def test_a_value_that_is_not_taken_is_wrong(
    function: str, code: str, words: str, reason: str
) -> None:
    assert judged(function, code) == Wrong(code, words, reason)


@pytest.mark.parametrize(("function", "row"), DENIED.items())
def test_a_definite_no_is_told_as_one(function: str, row: tuple[str, str]) -> None:
    assert judged(function, row[0]) == Denied(*row)


@pytest.mark.parametrize(("function", "code"), BLANK.items())
def test_a_code_without_words_is_unclear(function: str, code: str) -> None:
    assert judged(function, code) == Unclear(says(code, ""), code)


def test_the_codes_of_every_table_are_judged_above() -> None:
    expected = {
        function: {code for code, _ in TRIO}
        | {row[0] for row in WRONG[function]}
        | ({DENIED[function][0]} if function in DENIED else set())
        | ({BLANK[function]} if function in BLANK else set())
        | ({"1"} if function.endswith("_UTILISATEUR") else set())
        for function in KINDS
    }

    assert {name: set(BY_NAME[name].table) for name in KINDS} == expected


@pytest.mark.parametrize(("function", "text", "value"), TOLD)
def test_an_answer_of_the_functions_kind_is_told(function: str, text: str, value: str) -> None:
    assert judged(function, text) == Told(value)


@pytest.mark.parametrize(("function", "text"), UNCLEAR)
def test_an_answer_of_another_kind_is_unclear(function: str, text: str) -> None:
    assert isinstance(judged(function, text), Unclear)


@pytest.mark.parametrize(
    "content", [b"date;heure\r\n1;2\r\n", b"a;b\n", "é;à\r\n".encode("iso-8859-1")]
)
def test_a_report_in_base_64_is_told_byte_for_byte(content: bytes) -> None:
    assert judged("RAPPORT", base64.b64encode(content).decode()) == Told(content)


def test_a_report_that_came_as_text_is_told() -> None:
    assert judged("RAPPORT", "date;heure\n1;2\n") == Told(b"date;heure\n1;2\n")


def test_a_code_of_rapport_in_base_64_is_a_code() -> None:
    refused = judged("RAPPORT", base64.b64encode(b"-6").decode())

    assert isinstance(refused, Blocked)
    assert refused.reason == CREDENTIALS


@every
def test_how_far_a_call_got_decides_where_no_answer_came(function: str) -> None:
    assert judged(function, NotSent("refused")) == Unreached("refused")
    assert judged(function, Broken("closed")) == Unclear("closed")
    certificate = judged(function, NotSent("ssl", certificate=True))
    assert isinstance(certificate, Blocked)
    assert certificate.reason == "provider_contract"


@every
def test_http_429_says_that_nothing_was_asked(function: str) -> None:
    busy = Answered(status=429, body=b"", retry_after="7")

    assert busy.wait == timedelta(seconds=7)
    assert isinstance(judged(function, busy), Unreached)


@every
@pytest.mark.parametrize("status", [401, 403, 404, 405, 407, 413, 415])
def test_what_stands_before_the_service_blocks(function: str, status: int) -> None:
    found = judged(function, answered(b"<html>no</html>", status))

    assert found == Blocked("provider_contract", f"the provider answered HTTP {status}")


@every
@pytest.mark.parametrize(
    "exchange",
    [
        answered(b""),
        answered(b"<html><body>Oops</body></html>"),
        answered(b"<html><body>Bad gateway</body></html>", 502),
        answered(result("1"), 500),
        answered(result("33601020304"), 202),
        answered(result("")),
        answered(result("1")[:-20]),
        answered(envelope("<A><x>1</x></A><B/>")),
        answered(
            envelope(
                "<s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring></s:Fault>"
            )
        ),
    ],
)
def test_an_answer_that_says_nothing_sure_is_unclear(function: str, exchange: Answered) -> None:
    assert isinstance(judged(function, exchange), Unclear)


@every
@pytest.mark.parametrize(
    "fault",
    [
        envelope("<s:Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring></s:Fault>"),
        envelope(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>", namespace=SOAP_12
        ),
    ],
)
def test_a_fault_of_the_sender_was_not_processed(function: str, fault: bytes) -> None:
    found = judged(function, answered(fault, 500))

    assert isinstance(found, Blocked)
    assert found.reason == "provider_contract"


def test_no_outcome_repeats_the_address_that_was_asked_about() -> None:
    echo = judged("VERIFIER_ADRESSE_EMAIL", "paul@exemple.fr")

    assert isinstance(echo, Unclear)
    assert "@" not in repr(echo)
