"""What the answers of Efidem's functions come to, typed from its document without our tables.

Source: "Webservice SOAP Multicanal", its "Liste des codes erreurs". That the tables hold what the
document holds is test_document.py's to say.
"""

import re
from dataclasses import dataclass

import pytest

from app.domain.outcome import (
    Accepted,
    Blocked,
    Deferred,
    Failure,
    NoAnswer,
    NoStatus,
    Refused,
    Report,
    Unclear,
)
from app.providers.efidem import judge
from app.providers.efidem.functions import FUNCTIONS
from app.providers.manual import Meaning
from tests.providers.efidem.envelopes import answered, envelope, result


@dataclass(frozen=True)
class Line:
    """One line of a code list, and what we expect to make of it."""

    code: str
    words: str
    kind: type
    reason: str | None = None


BY_NAME = {function.name: function for function in FUNCTIONS}

# fmt: off
SENDS: dict[str, list[Line]] = {
    "ENVOYER_EMAIL": [
        Line("-1", "Nom d'utilisateur vide", Blocked, "provider_credentials"),
        Line("-2", "Mot de passe vide", Blocked, "provider_credentials"),
        Line("-3", "AppID vide", Blocked, "provider_credentials"),
        Line("-4", "", Refused, "recipient_missing"),
        Line("-5", "Adresse émettrice vide", Refused, "sender_missing"),
        Line("-6", "Le champ sujet n'est pas renseigné", Blocked, "provider_contract"),
        Line("-7", "Séquence de caractères non autorisée", Refused, "forbidden_characters"),
        Line("-8", "Les champs TEXTE et/ou HTML ne sont pas renseignés. L'un de ces champs doit être différent de vide", Refused, "content_missing"),
        Line("-9", "Format de l'adresse de destination incorrect", Refused, "invalid_recipient"),
        Line("-10", "Format de l'adresse émettrice incorrect", Refused, "sender_invalid"),
        Line("-11", "Format de l'adresse de réponse (REPLY-TO) incorrect", Refused, "reply_to_invalid"),
    ],
    "ENVOYER_SMS": [
        Line("-1", "Nom d'utilisateur vide", Blocked, "provider_credentials"),
        Line("-2", "Mot de passe vide", Blocked, "provider_credentials"),
        Line("-3", "AppID vide", Blocked, "provider_credentials"),
        Line("-4", "Numéro de destinataire vide", Refused, "recipient_missing"),
        Line("-5", "Texte du SMS vide", Refused, "content_missing"),
        Line("-6", "Informations d'authentification incorrectes", Blocked, "provider_credentials"),
        Line("-7", "Séquence de caractères non autorisée", Refused, "forbidden_characters"),
        Line("-8", "Numéro de destination trop court", Refused, "number_too_short"),
        Line("-9", "Numéro de destination trop long", Refused, "number_too_long"),
        Line("-10", "Numéro de destination de test (suite d'un même chiffre)", Refused, "test_number"),
    ],
    "MULTI_ENVOYER_SMS": [
        Line("-1", "Nom d'utilisateur vide", Blocked, "provider_credentials"),
        Line("-2", "Mot de passe vide", Blocked, "provider_credentials"),
        Line("-3", "AppID vide", Blocked, "provider_credentials"),
        Line("-4", "Numéro de destinataire vide (parmi la liste)", Refused, "recipient_missing"),
        Line("-5", "Texte du SMS vide", Refused, "content_missing"),
        Line("-6", "Informations d'authentification incorrectes", Blocked, "provider_credentials"),
        Line("-7", "Séquence de caractères non autorisée", Refused, "forbidden_characters"),
        Line("-8", "Numéro de destination trop long", Refused, "number_too_long"),
        Line("-9", "Numéro de destination trop court", Refused, "number_too_short"),
        Line("-10", "Numéro de destination de test (suite d'un même chiffre)", Refused, "test_number"),
        Line("-50", "Impossible d'enregistrer la campagne", Deferred, "campaign_not_recorded"),
    ],
    "COURRIER_ENVOYER": [
        Line("-1", "Nom d'utilisateur vide", Blocked, "provider_credentials"),
        Line("-2", "Mot de passe vide", Blocked, "provider_credentials"),
        Line("-3", "AppID vide", Blocked, "provider_credentials"),
        Line("500", "Numéro de destinataire vide", Refused, "recipient_missing"),
        Line("501", "Le champ « Nom » est vide", Refused, "last_name_missing"),
        Line("502", "Le champ « Prénom » est vide", Refused, "first_name_missing"),
        Line("503", "Le champ « Adresse 1 » est vide", Refused, "address_line1_missing"),
        Line("504", "Le champ « Ville » est vide", Refused, "city_missing"),
        Line("505", "Le champ « Code postal » n'a pas la bonne longueur", Refused, "postal_code_length"),
        Line("506", "La liste des fichiers à joindre est vide", Refused, "documents_missing"),
    ],
}

TELLS: dict[str, list[Line]] = {
    "STATUT_EMAIL": [
        Line("-1", "Nom d'utilisateur vide", NoAnswer),
        Line("-2", "Mot de passe vide", NoAnswer),
        Line("-3", "AppID vide", NoAnswer),
        Line("-4", "MESSAGEID vide", NoAnswer),
        Line("-5", "", NoAnswer),
        Line("-6", "Informations d'authentification incorrectes", NoAnswer),
        Line("-7", "Séquence de caractères non autorisée", NoAnswer),
        Line("-99", "Aucun statut", NoStatus),
    ],
    "STATUT_SMS": [
        Line("-1", "Nom d'utilisateur vide", NoAnswer),
        Line("-2", "Mot de passe vide", NoAnswer),
        Line("-3", "AppID vide", NoAnswer),
        Line("-4", "MESSAGEID vide", NoAnswer),
        Line("-5", "Aucun statut", NoStatus),
        Line("-6", "Informations d'authentification incorrectes", NoAnswer),
        Line("-7", "Séquence de caractères non autorisée", NoAnswer),
        Line("-8", "Aucun statut", NoStatus),
    ],
    "STATUT_MULTI_EMAIL": [
        Line("-1", "Nom d'utilisateur vide", NoAnswer),
        Line("-2", "Mot de passe vide", NoAnswer),
        Line("-3", "AppID vide", NoAnswer),
        Line("-4", "MESSAGEID vide", NoAnswer),
        Line("-5", "", NoAnswer),
        Line("-6", "Informations d'authentification incorrectes", NoAnswer),
        Line("-7", "Séquence de caractères non autorisée", NoAnswer),
        Line("-8", "Identifiant de destinataire vide", NoAnswer),
        Line("-99", "Aucun statut", NoStatus),
    ],
    # The document gives these no list.
    "STATUT_COMPLET_SMS": [],
    "COURRIER_STATUT": [],
    "SUIVRE_EMAIL_RELAIS": [],
    "STATUT_FAX": [],
}
# What a tool's codes say: of the account, of what it was handed, or of what it was asked.
USUAL = {"-1": Meaning.BLOCKED, "-2": Meaning.BLOCKED, "-3": Meaning.BLOCKED, "-6": Meaning.BLOCKED}
REFUSED, FAULT, NO = Meaning.REFUSED, Meaning.OUR_FAULT, Meaning.NEGATIVE
TOOLS: dict[str, dict[str, Meaning]] = {
    "RAPPORT": USUAL | {"-7": REFUSED},
    "COMPTE_SOUMIS_CODE_FACTURATION": USUAL | {"-4": REFUSED, "-7": REFUSED},
    "VERIFIER_ADRESSE_EMAIL": USUAL | {"-4": REFUSED, "-5": FAULT, "-7": REFUSED, "-99": NO},
    "OBTENIR_CODE_ESMTP": USUAL | {"-4": REFUSED, "-5": FAULT, "-7": REFUSED, "-99": NO},
    "TRANSFORMER_NUMERO": USUAL | {"-4": REFUSED},
    "AJOUTER_UTILISATEUR": USUAL | {"-7": REFUSED, "1": Meaning.ACCEPTED},
    "ENLEVER_UTILISATEUR": USUAL | {"-7": REFUSED, "1": Meaning.ACCEPTED},
}
# A function without a list takes over its sibling's, each row marked as assumed.
SIBLINGS = {
    "STATUT_COMPLET_SMS": "STATUT_SMS",
    "COURRIER_STATUT": "STATUT_EMAIL",
    "SUIVRE_EMAIL_RELAIS": "STATUT_EMAIL",
    "STATUT_FAX": "STATUT_EMAIL",
    "ENVOYER_EMAIL_RELAIS": "ENVOYER_EMAIL",
}
PARTLY = {
    "MULTI_ENVOYER_EMAIL": {"ENVOYER_EMAIL": "-1 -2 -3 -4 -5 -6 -7 -8 -9 -10 -11", "MULTI_ENVOYER_SMS": "-50"},
    "ENVOYER_FAX": {"ENVOYER_SMS": "-1 -2 -3 -4 -6 -7 -8 -9 -10"},
    "RAPPORT": {"COMPTE_SOUMIS_CODE_FACTURATION": "-1 -2 -3 -6 -7"},
}
# fmt: on

LISTED = SENDS | TELLS
ALL_SENDING = [*SENDS, "MULTI_ENVOYER_EMAIL", "ENVOYER_EMAIL_RELAIS", "ENVOYER_FAX"]
SEND_LINES = [(name, line) for name, lines in SENDS.items() for line in lines]
STATUS_LINES = [(name, line) for name, lines in TELLS.items() for line in lines]
ASSUMED_LINES = [(name, line) for name, other in SIBLINGS.items() for line in TELLS.get(other, [])]


def named(value: tuple[str, Line]) -> str:
    return f"{value[0]}:{value[1].code}"


def test_every_function_is_looked_at_here() -> None:
    assert {*ALL_SENDING, *TELLS, *TOOLS} == set(BY_NAME)


@pytest.mark.parametrize("name", LISTED)
def test_a_table_has_the_documents_codes_in_its_order_with_its_words(name: str) -> None:
    documented = [(line.code, line.words) for line in LISTED[name]]
    codes = {code for code, _ in documented}

    ours = [(row.code, row.words) for row in BY_NAME[name].answers if row.code in codes]

    assert ours == documented


@pytest.mark.parametrize("name", LISTED)
def test_what_a_table_adds_or_reads_into_a_blank_is_marked_as_assumed(name: str) -> None:
    stated = {line.code for line in LISTED[name] if line.words}

    marked = {row.code: row.assumed for row in BY_NAME[name].answers}

    assert marked == {code: code not in stated for code in marked}


@pytest.mark.parametrize(("name", "sibling"), SIBLINGS.items())
def test_a_function_without_a_list_takes_over_its_siblings(name: str, sibling: str) -> None:
    ours = [(row.code, row.meaning, row.reason) for row in BY_NAME[name].answers]
    theirs = [(row.code, row.meaning, row.reason) for row in BY_NAME[sibling].answers]

    assert ours == theirs


@pytest.mark.parametrize(("name", "siblings"), PARTLY.items())
def test_a_function_may_take_over_a_part_of_a_siblings_list(
    name: str, siblings: dict[str, str]
) -> None:
    ours = [(row.code, row.meaning, row.reason) for row in BY_NAME[name].answers]

    theirs = [
        (row.code, row.meaning, row.reason)
        for sibling, codes in siblings.items()
        for row in BY_NAME[sibling].answers
        if row.code in codes.split()
    ]
    assert ours == theirs
    assert all(row.assumed for row in BY_NAME[name].answers)


@pytest.mark.parametrize("name", TOOLS)
def test_a_tools_codes_mean_this(name: str) -> None:
    assert {row.code: row.meaning for row in BY_NAME[name].answers} == TOOLS[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("VERIFIER_ADRESSE_EMAIL", "address_invalid"), ("OBTENIR_CODE_ESMTP", "code_unknown")],
)
def test_minus_99_of_a_tool_is_a_definite_no_and_not_a_missing_status(
    name: str, reason: str
) -> None:
    assert BY_NAME[name].table["-99"].reason == reason


@pytest.mark.parametrize("name", ["AJOUTER_UTILISATEUR", "ENLEVER_UTILISATEUR"])
@pytest.mark.parametrize("code", ["0", "2", "-4", "-5", "-99"])
def test_another_code_of_a_console_users_function_is_unclear(name: str, code: str) -> None:
    assert isinstance(judge.outcome(BY_NAME[name], answered(result(code))), Unclear)


def test_the_success_of_a_console_users_function_is_assumed() -> None:
    assert judge.outcome(BY_NAME["AJOUTER_UTILISATEUR"], answered(result("1"))) == Accepted(
        None, "1", ""
    )
    assert BY_NAME["AJOUTER_UTILISATEUR"].table["1"].assumed


def test_too_short_and_too_long_are_exchanged_between_one_sms_and_many() -> None:
    one, many = BY_NAME["ENVOYER_SMS"].table, BY_NAME["MULTI_ENVOYER_SMS"].table

    assert (one["-8"].reason, one["-9"].reason) == (many["-9"].reason, many["-8"].reason)
    assert one["-8"].reason == "number_too_short"


def test_letters_assume_one_code_and_it_is_bad_credentials() -> None:
    assumed = [row for row in BY_NAME["COURRIER_ENVOYER"].answers if row.assumed]

    assert [(row.code, row.reason) for row in assumed] == [("-6", "provider_credentials")]


@pytest.mark.parametrize("value", SEND_LINES, ids=named)
def test_a_listed_code_of_a_sending_function_is_judged_by_its_own_table(
    value: tuple[str, Line],
) -> None:
    name, line = value

    outcome = judge.outcome(BY_NAME[name], answered(result(line.code)))

    if line.kind is Refused:
        assert outcome == Refused(
            Failure(
                type="permanent",
                reason=line.reason or "",
                retryable=False,
                provider_code=line.code,
                label=line.words,
            )
        )
    elif line.kind is Deferred:
        assert outcome == Deferred(line.reason or "", code=line.code, words=line.words)
    else:
        assert isinstance(outcome, Blocked)
        assert (outcome.reason, outcome.code, outcome.words) == (
            line.reason,
            line.code,
            line.words,
        )


@pytest.mark.parametrize("value", STATUS_LINES + ASSUMED_LINES, ids=named)
@pytest.mark.parametrize("shape", ["number", "object"])
def test_a_listed_code_of_a_status_function_says_nothing_of_the_message(
    value: tuple[str, Line], shape: str
) -> None:
    name, line = value
    inside = line.code if shape == "number" else f"<CODE_STATUT>{line.code}</CODE_STATUT>"

    finding = judge.finding(BY_NAME[name], {}, answered(result(inside)))

    if line.kind is NoStatus:
        assert finding == NoStatus(line.code)
    else:
        assert isinstance(finding, NoAnswer)
        assert f"answered {line.code} " in finding.why


@pytest.mark.parametrize("name", ALL_SENDING)
@pytest.mark.parametrize("code", ["0", "1", "499", "507", "-12", "-51", "-99", "999999"])
def test_a_code_that_a_sending_function_does_not_list_is_unclear(name: str, code: str) -> None:
    outcome = judge.outcome(BY_NAME[name], answered(result(code)))

    assert outcome == Unclear("a code that the document does not list", code, name)


@pytest.mark.parametrize("name", ["ENVOYER_EMAIL", "ENVOYER_SMS", "ENVOYER_FAX"])
@pytest.mark.parametrize("code", ["501", "-50"])
def test_a_letters_or_a_campaigns_code_is_no_refusal_of_another_function(
    name: str, code: str
) -> None:
    outcome = judge.outcome(BY_NAME[name], answered(result(code)))

    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize("code", ["-4", "-5", "-7", "-8", "-9", "-10", "-11"])
def test_a_letter_is_not_judged_by_the_other_functions_negative_codes(code: str) -> None:
    outcome = judge.outcome(BY_NAME["COURRIER_ENVOYER"], answered(result(code)))

    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize("name", TELLS)
@pytest.mark.parametrize("code", ["0", "1", "42", "620", "-100"])
def test_a_status_code_that_nobody_mapped_is_kept_raw(name: str, code: str) -> None:
    finding = judge.finding(BY_NAME[name], {}, answered(result(code)))

    assert finding == Report(code=code, status=None, unmapped_in=name)


@pytest.mark.parametrize(
    ("name", "code"),
    [("STATUT_EMAIL", "-8"), ("STATUT_SMS", "-99"), ("STATUT_COMPLET_SMS", "-99")],
)
def test_no_status_is_another_code_in_another_function(name: str, code: str) -> None:
    finding = judge.finding(BY_NAME[name], {}, answered(result(code)))

    assert finding == Report(code=code, status=None, unmapped_in=name)


def test_a_status_object_keeps_the_providers_words_and_date() -> None:
    inside = (
        "<CODE_STATUT>7</CODE_STATUT><DATE_STATUT>2026-01-02 03:04</DATE_STATUT>"
        "<DESCRIPTION_STATUT>Remis</DESCRIPTION_STATUT><MESSAGEID>x</MESSAGEID>"
    )

    finding = judge.finding(BY_NAME["STATUT_COMPLET_SMS"], {}, answered(result(inside)))

    assert finding == Report(
        code="7",
        status=None,
        label="Remis",
        occurred="2026-01-02 03:04",
        unmapped_in="STATUT_COMPLET_SMS",
    )


@pytest.mark.parametrize("name", ALL_SENDING)
def test_an_identifier_is_kept_as_it_was_written(name: str) -> None:
    identifier = "0A1b2c3d4e5f60718293a4b5c6d7e8f9"

    outcome = judge.outcome(BY_NAME[name], answered(result(identifier)))

    assert outcome == Accepted(identifier)


def test_a_status_instead_of_an_identifier_is_unclear() -> None:
    body = envelope("<R><S><CODE_STATUT>-9</CODE_STATUT><X/></S></R>")

    outcome = judge.outcome(BY_NAME["ENVOYER_EMAIL"], answered(body))

    assert isinstance(outcome, Unclear)


def test_objects_demand_what_the_chapter_objets_demands() -> None:
    demanded = {
        one.name: [inner.name for inner in one.fields if inner.required]
        for function in FUNCTIONS
        for one in function.parameters
        if one.fields
    }

    assert demanded == {
        "LISTE_FICHIERS": ["NOM", "CONTENU"],
        "LISTE_FICHIERS_RELAY": ["NOM", "CONTENU"],
        "DESTINATION": ["DESTINATION"],
        "DESTINATAIRE": ["DESTINATION"],
        "DESTINATIONS_A": ["DESTINATION"],
        "DESTINATIONS_CC": ["DESTINATION"],
        "Destinataires": ["NOM", "PRENOM"],
        "Adresse_postale": ["ADRESSE_1", "CODE_POSTAL", "VILLE", "PAYS"],
        "Liste_Fichier": ["NOM", "CONTENU"],
    }


def test_an_optional_parameter_that_a_request_can_fill_names_its_field() -> None:
    # Without a pointer a request would be sent without what its client asked for.
    # A campaign's NOM_DESTINATAIRE and VARIABLEX stand in its objects.
    ours = {"REFCLIENT", "Reference_client", "SUJET", "NOM_DESTINATAIRE", "VARIABLEX"}

    silent = {
        one.name
        for function in FUNCTIONS
        for one in function.parameters
        if not one.required and one.pointer is None
    }
    lacking = {
        (function.name, one.name)
        for function in FUNCTIONS
        for one in function.parameters
        if one.name in {"NOM_DESTINATAIRE", "VARIABLEX"} and one.pointer is None
    }

    assert silent == ours
    assert {name for name, _ in lacking} == {"MULTI_ENVOYER_EMAIL"}


def test_every_pointer_is_a_json_pointer() -> None:
    pointers = [one.pointer for f in FUNCTIONS for one in f.parameters if one.pointer]

    assert [one for one in pointers if not re.fullmatch(r"(/[a-z0-9_]+)+", one)] == []
