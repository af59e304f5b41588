"""Efidem's tables against a second reading of its document, typed without looking at them.

Source: "Webservice SOAP Multicanal", its function chapters and its "Liste des codes erreurs".
"""

import re
from dataclasses import dataclass

import pytest

from app.domain.outcome import (
    Accepted,
    Blocked,
    Failure,
    NoAnswer,
    NoStatus,
    Refused,
    Report,
    Unclear,
)
from app.providers.efidem import judge
from app.providers.efidem.functions import FUNCTIONS, TRIO
from app.providers.manual import Function, Parameter, Shape
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
    # The document gives these two no list.
    "STATUT_COMPLET_SMS": [],
    "COURRIER_STATUT": [],
}
# A function without a list takes over its sibling's, each row marked as assumed.
SIBLINGS = {"STATUT_COMPLET_SMS": "STATUT_SMS", "COURRIER_STATUT": "STATUT_EMAIL"}

BILLING = "Code permettant la ventilation des factures par département, services, BU..."
MESSAGEID = [("MESSAGEID", True, "Numéro de message unique Efidem")]
PARAMETERS: dict[str, list[tuple[str, bool, str]]] = {
    "ENVOYER_EMAIL": [
        ("DESTINATION", True, "Adresse email du destinataire."),
        ("NOM_DESTINATAIRE", False, "Nom du destinataire"),
        ("TEXTE", True, "Texte de votre email"),
        ("HTML", True, "Texte HTML de votre message email"),
        ("EMETTEUR", True, "Adresse email d'émission"),
        ("REPONDRE_A", False, "Adresse email de réponse"),
        ("REFCLIENT", False, "Référence client (si besoin d'identifier un message)"),
        ("LISTE_FICHIERS", False, "Liste des pièces jointes à envoyer"),
        ("CODE_FACTURATION", False, BILLING),
        ("VARIABLEX", False, "Champs variable destiné à la personnalisation du message. Voir chapitre dédié."),
    ],
    "STATUT_EMAIL": MESSAGEID,
    "ENVOYER_SMS": [
        ("DESTINATION", True, "Numéro de destinataire"),
        ("TEXTE", True, "Texte de votre message SMS"),
        ("DA", False, "Nom d'émetteur personnalisé (11 caractères alphanumériques maximum)"),
        ("CODE_FACTURATION", False, BILLING),
    ],
    "STATUT_SMS": MESSAGEID,
    "STATUT_COMPLET_SMS": MESSAGEID,  # "reprend la même structure que la fonction précédente"
    "COURRIER_ENVOYER": [
        ("Destinataires", True, "Objet du bloc nom du destinataire de type COURRIER_DESTINATAIRE_NOM"),
        ("Adresse_postale", True, "Objet adresse postale de type COURRIER_DESTINATAIRE_ADRESSE"),
        ("Liste_Fichier", True, "Est un tableau d'objet fichier. Ces fichiers sont utilisés pour les documents à poster"),
        ("Couleur", True, "Valeur booléenne indiquant si la lettre doit être imprimée en couleur"),
        ("Type_lettre", True, "Objet indiquant le type de pli (C6, C5)"),
        ("Reference_client", False, "Optionnel : votre référence client pour votre suivi"),
        ("Sujet", False, "Optionnel : sujet de votre envoi"),
        ("Facturation", False, "Optionnel : code de facturation pour ventiler les factures"),
    ],
    "COURRIER_STATUT": MESSAGEID,
}
# What no table of the document has, and a code of it asks for.
UNDOCUMENTED_PARAMETERS = {"ENVOYER_EMAIL": ["SUJET"]}

# One thing under several names, all of them in the document.
SPELLINGS = [
    ("COURRIER_STATUT", None, "COURRIER_SUIVRE"),
    ("COURRIER_ENVOYER", None, "ENVOYER_COURRIER"),
    ("ENVOYER_SMS", "DA", "EMETTEUR"),
    ("ENVOYER_EMAIL", "LISTE_FICHIERS", "LISTE_FICHIER"),
    ("COURRIER_ENVOYER", "Liste_Fichier", "LISTE_FICHIERS"),
    ("ENVOYER_EMAIL", "REFCLIENT", "Reference_client"),
    ("COURRIER_ENVOYER", "Reference_client", "REFCLIENT"),
    ("ENVOYER_EMAIL", "CODE_FACTURATION", "Facturation"),
    ("COURRIER_ENVOYER", "Facturation", "CODE_FACTURATION"),
]
# fmt: on

LISTED = SENDS | TELLS
SEND_LINES = [(name, line) for name, lines in SENDS.items() for line in lines]
STATUS_LINES = [(name, line) for name, lines in TELLS.items() for line in lines]
ASSUMED_LINES = [(name, line) for name, other in SIBLINGS.items() for line in TELLS[other]]


def named(value: tuple[str, Line]) -> str:
    return f"{value[0]}:{value[1].code}"


def parameter(function: Function, name: str) -> Parameter:
    return next(one for one in function.parameters if one.name == name)


def test_the_documented_functions_are_all_here_and_no_others() -> None:
    assert [function.name for function in FUNCTIONS] == [
        "ENVOYER_EMAIL",
        "STATUT_EMAIL",
        "ENVOYER_SMS",
        "STATUT_SMS",
        "STATUT_COMPLET_SMS",
        "COURRIER_ENVOYER",
        "COURRIER_STATUT",
    ]


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


@pytest.mark.parametrize("name", SENDS)
@pytest.mark.parametrize("code", ["0", "1", "499", "507", "-12", "-50", "-99", "999999"])
def test_a_code_that_a_sending_function_does_not_list_is_unclear(name: str, code: str) -> None:
    outcome = judge.outcome(BY_NAME[name], answered(result(code)))

    assert outcome == Unclear("a code that the document does not list", code)


@pytest.mark.parametrize("name", ["ENVOYER_EMAIL", "ENVOYER_SMS"])
def test_a_letters_code_is_no_refusal_of_another_function(name: str) -> None:
    outcome = judge.outcome(BY_NAME[name], answered(result("501")))

    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize("code", ["-4", "-5", "-7", "-8", "-9", "-10", "-11"])
def test_a_letter_is_not_judged_by_the_other_functions_negative_codes(code: str) -> None:
    outcome = judge.outcome(BY_NAME["COURRIER_ENVOYER"], answered(result(code)))

    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize("name", TELLS)
@pytest.mark.parametrize("code", ["0", "1", "42", "620", "-100"])
def test_a_status_code_that_nobody_mapped_is_kept_raw(name: str, code: str) -> None:
    finding = judge.finding(BY_NAME[name], {}, answered(result(code)))

    assert finding == Report(code=code, status=None)


@pytest.mark.parametrize(
    ("name", "code"),
    [("STATUT_EMAIL", "-8"), ("STATUT_SMS", "-99"), ("STATUT_COMPLET_SMS", "-99")],
)
def test_no_status_is_another_code_in_another_function(name: str, code: str) -> None:
    finding = judge.finding(BY_NAME[name], {}, answered(result(code)))

    assert finding == Report(code=code, status=None)


def test_a_status_object_keeps_the_providers_words_and_date() -> None:
    inside = (
        "<CODE_STATUT>7</CODE_STATUT><DATE_STATUT>2026-01-02 03:04</DATE_STATUT>"
        "<DESCRIPTION_STATUT>Remis</DESCRIPTION_STATUT><MESSAGEID>x</MESSAGEID>"
    )

    finding = judge.finding(BY_NAME["STATUT_COMPLET_SMS"], {}, answered(result(inside)))

    assert finding == Report(code="7", status=None, label="Remis", occurred="2026-01-02 03:04")


@pytest.mark.parametrize("name", SENDS)
def test_an_identifier_is_kept_as_it_was_written(name: str) -> None:
    identifier = "0A1b2c3d4e5f60718293a4b5c6d7e8f9"

    outcome = judge.outcome(BY_NAME[name], answered(result(identifier)))

    assert outcome == Accepted(identifier)


def test_a_status_instead_of_an_identifier_is_unclear() -> None:
    body = envelope("<R><S><CODE_STATUT>-9</CODE_STATUT><X/></S></R>")

    outcome = judge.outcome(BY_NAME["ENVOYER_EMAIL"], answered(body))

    assert isinstance(outcome, Unclear)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_function_has_the_documents_parameters_in_its_order_with_its_words(name: str) -> None:
    documented = PARAMETERS[name]
    names = {one[0] for one in documented}

    ours = [
        (one.name, one.required, one.note) for one in BY_NAME[name].parameters if one.name in names
    ]

    assert ours == documented


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_function_has_no_other_parameter_but_the_subject_that_a_code_asks_for(name: str) -> None:
    documented = {one[0] for one in PARAMETERS[name]}

    extra = [one.name for one in BY_NAME[name].parameters if one.name not in documented]

    assert extra == UNDOCUMENTED_PARAMETERS.get(name, [])


@pytest.mark.parametrize(("name", "of", "spelling"), SPELLINGS)
def test_the_documents_other_spellings_are_known(name: str, of: str | None, spelling: str) -> None:
    function = BY_NAME[name]

    known = function.spellings if of is None else parameter(function, of).spellings

    assert spelling in known


def test_the_trio_is_demanded_by_every_call() -> None:
    named_so = [(one.name, one.required, one.note) for one in TRIO]

    assert named_so == [
        ("UTILISATEUR", True, "Nom d'utilisateur / Identifiant"),
        ("MOT_DE_PASSE", True, "Mot de passe utilisateur"),
        ("AppID", True, "Identifiant unique d'application"),
    ]
    assert "ApplID" in TRIO[2].spellings


def test_objects_demand_what_the_chapter_objets_demands() -> None:
    function = BY_NAME["COURRIER_ENVOYER"]

    demanded = {
        one.name: [inner.name for inner in one.fields if inner.required]
        for one in function.parameters
        if one.shape in {Shape.OBJECT, Shape.FILES}
    }

    assert demanded == {
        "Destinataires": ["NOM", "PRENOM"],
        "Adresse_postale": ["ADRESSE_1", "CODE_POSTAL", "VILLE", "PAYS"],
        "Liste_Fichier": ["NOM", "CONTENU"],
    }


def test_an_optional_parameter_that_a_request_can_fill_names_its_field() -> None:
    # Without a pointer a request would be sent without what its client asked for.
    ours = {"REFCLIENT", "Reference_client", "VARIABLEX", "SUJET"}

    silent = {
        one.name
        for function in FUNCTIONS
        for one in function.parameters
        if not one.required and one.pointer is None
    }

    assert silent == ours


def test_every_pointer_is_a_json_pointer() -> None:
    pointers = [one.pointer for f in FUNCTIONS for one in f.parameters if one.pointer]

    assert [one for one in pointers if not re.fullmatch(r"(/[a-z0-9_]+)+", one)] == []
