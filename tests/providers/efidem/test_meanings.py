"""What an operator may say of Efidem's codes, and what it then means."""

import tomllib
from pathlib import Path

import pytest

from app.domain.outcome import Accepted, Blocked, Deferred, NoStatus, Refused, Report
from app.domain.status import Status
from app.providers import registry
from app.providers.efidem.functions import FUNCTIONS
from app.providers.efidem.meanings import SENDING, TELLING, meanings_for, remedy
from app.providers.efidem.provider import Efidem
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.statuses import read_bindings
from app.providers.manual import Function, outcome_of


def written(folder: Path, text: str) -> Path:
    path = folder / "bindings.toml"
    path.write_text(text)
    return path


def told(folder: Path, text: str) -> Efidem:
    return registry.build_efidem(EfidemSettings(_env_file=None, bindings=written(folder, text)))


MAP = """
[statuses.STATUT_SMS]
"77" = { status = "failed", type = "temporary", reason = "unreachable", label = "Éteint" }
"78" = { status = "delivered" }

[answers.STATUT_SMS]
"-20" = { meaning = "no_status" }

[answers.ENVOYER_SMS]
"-12" = { meaning = "refused", reason = "forbidden_characters", label = "Refusé" }
"-13" = { meaning = "deferred" }
"-14" = { meaning = "blocked", reason = "provider_credit" }

[answers.AJOUTER_UTILISATEUR]
"0" = { meaning = "accepted" }
"""


def test_a_code_means_what_the_operator_says(tmp_path: Path) -> None:
    efidem = told(tmp_path, MAP)

    failed = efidem.meaning_of("STATUT_SMS", "77")
    assert isinstance(failed, Report)
    assert failed.failure is not None
    assert (failed.status, failed.failure.reason, failed.failure.retryable, failed.label) == (
        Status.FAILED,
        "unreachable",
        True,
        "Éteint",
    )
    assert failed.unmapped_in is None
    assert efidem.meaning_of("STATUT_SMS", "-20") == NoStatus("-20")
    refused = efidem.meaning_of("ENVOYER_SMS", "-12")
    assert isinstance(refused, Refused)
    assert (refused.failure.reason, refused.failure.label) == ("forbidden_characters", "Refusé")
    assert isinstance(efidem.meaning_of("ENVOYER_SMS", "-13"), Deferred)
    blocked = efidem.meaning_of("ENVOYER_SMS", "-14")
    assert isinstance(blocked, Blocked)
    assert blocked.reason == "provider_credit"


@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("STATUT_SMS", "79"),
        ("STATUT_EMAIL", "77"),
        ("ENVOYER_SMS", "-15"),
        ("ENVOYER_EMAIL", "-12"),
        ("NOTHING", "1"),
    ],
)
def test_what_nobody_said_means_nothing(tmp_path: Path, function: str, code: str) -> None:
    assert told(tmp_path, MAP).meaning_of(function, code) is None


def test_what_the_document_says_is_known_without_a_file(tmp_path: Path) -> None:
    assert told(tmp_path, "").meaning_of("STATUT_SMS", "-5") == NoStatus("-5")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[answers.ENVOYER_SMS]\n"-4" = { meaning = "refused" }', "answers.ENVOYER_SMS.-4"),
        ('[answers.ENVOYER_SMS]\n"-12" = { meaning = "accepted" }', "-12.meaning"),
        ('[answers.ENVOYER_SMS]\n"-12" = { meaning = "negative" }', "-12.meaning"),
        ('[answers.STATUT_SMS]\n"-20" = { meaning = "refused" }', "-20.meaning"),
        ('[answers.RAPPORT]\n"-20" = { meaning = "accepted" }', "-20.meaning"),
        ('[answers.ENVOYER_SMS]\n"-12" = { meaning = "?" }', "-12.meaning"),
        ('[answers.ENVOYER_SMS]\n"x" = { meaning = "refused" }', "answers.ENVOYER_SMS.x"),
        ('[answers.ENVOYER]\n"-1" = { meaning = "refused" }', "answers.ENVOYER"),
        ('[statuses.ENVOYER_SMS]\n"7" = { status = "sent" }', "statuses.ENVOYER_SMS"),
        ('[statuses.STATUT_SMS]\n"-5" = { status = "sent" }', "statuses.STATUT_SMS.-5"),
        ('[statuses.STATUT_SMS]\n"7" = { status = "?" }', "statuses.STATUT_SMS.7.status"),
        ('[statuses.STATUT_SMS]\n"7" = { status = "sent", reason = "Not Ours" }', "7.reason"),
        (
            '[statuses.STATUT_SMS]\n"7" = { status = "sent" }\n[answers.STATUT_SMS]\n"7" = { meaning = "no_status" }',
            "also under answers",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ValueError, match="has wrong entries") as caught:
        read_bindings(written(tmp_path, text))

    assert place in str(caught.value)


def test_a_wrong_status_or_meaning_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    text = (
        '[statuses.STATUT_SMS]\n"7" = { status = "arrived", labl = "x" }\n'
        '[answers.ENVOYER_SMS]\n"-77" = { reason = "refused" }\n'
    )

    with pytest.raises(ValueError, match="has wrong entries") as caught:
        read_bindings(written(tmp_path, text))

    told = str(caught.value).partition("has wrong entries: ")[2]
    only = "only submitted, sent, delivered, failed or returned"
    assert told == (
        f"statuses.STATUT_SMS.7.status ({only}), statuses.STATUT_SMS.7.labl (no such entry),"
        " answers.ENVOYER_SMS.-77.meaning (missing)"
    )


def test_every_wrong_place_is_named_at_once(tmp_path: Path) -> None:
    text = (
        '[answers.ENVOYER_SMS]\n"-4" = { meaning = "refused" }\n'
        '[answers.OTHER]\n"1" = { meaning = "refused" }\n'
        '[statuses.STATUT_FAX]\n"x" = { status = "sent" }\n'
        '[functions.OTHER]\noperation = "o"\n'
    )

    with pytest.raises(ValueError, match="has wrong entries") as caught:
        read_bindings(written(tmp_path, text))

    places = ("ENVOYER_SMS.-4", "answers.OTHER", "STATUT_FAX.x", "functions.OTHER")
    assert [place for place in places if place not in str(caught.value)] == []


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.name)
def test_only_what_is_assumed_or_blank_may_be_said_otherwise(
    tmp_path: Path, function: Function
) -> None:
    for row in function.answers:
        meaning = meanings_for(function)[0]
        text = f'[answers.{function.name}]\n"{row.code}" = {{ meaning = "{meaning}" }}\n'
        path = written(tmp_path, text)
        if row.assumed or not row.words:
            completed = read_bindings(path).completed(function)
            assert completed.table[row.code].meaning == meaning
            assert len(completed.answers) == len(function.answers)
        else:
            with pytest.raises(ValueError, match=f"{function.name}.{row.code}"):
                read_bindings(path)


def test_a_status_may_stand_in_place_of_an_assumed_answer(tmp_path: Path) -> None:
    efidem = told(tmp_path, '[statuses.STATUT_COMPLET_SMS]\n"-8" = { status = "sent" }\n')

    report = efidem.meaning_of("STATUT_COMPLET_SMS", "-8")

    assert isinstance(report, Report)
    assert report.status is Status.SENT


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.name)
def test_the_remedys_lines_are_refused_until_they_are_completed(
    tmp_path: Path, function: Function
) -> None:
    lines = remedy(function.name, "-77")
    assert tomllib.loads(lines)

    with pytest.raises(ValueError, match=f"{function.name}.-77"):
        read_bindings(written(tmp_path, lines))

    said = "sent" if function.name in TELLING else meanings_for(function)[0]
    completed = lines.replace('"?"', f'"{said}"')
    assert read_bindings(written(tmp_path, completed))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.name)
def test_no_code_can_stand_for_the_identifier_of_a_sent_message(function: Function) -> None:
    meanings = meanings_for(function)

    assert ("accepted" in meanings) == (
        function.name in {"AJOUTER_UTILISATEUR", "ENLEVER_UTILISATEUR"}
    )
    if function.name in SENDING:
        answers = [row for row in function.answers if row.meaning in meanings]
        assert not [row for row in answers if isinstance(outcome_of(row), Accepted)]
