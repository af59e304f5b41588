"""123-fax's acknowledgements against a second reading of its document, and the callback's query."""

import string
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.acknowledgement import Acknowledgement
from app.domain.outcome import Failure, Report
from app.domain.status import Status
from app.providers.fax123.acknowledgement import CODES, learn, read

# "Les codes retours d'accusé de réception sont les suivants", down the left column, then the right;
# beside them what we expect of a fax of which no page is known to have left.
# fmt: off
RECEPTION: list[tuple[str, str, str, str, bool]] = [
    ("0", "OK reçu", "delivered", "", False),
    ("31068", "pas de réponse", "temporary", "no_answer", True),
    ("25011", "pas de fichier", "technical", "document_invalid", True),
    ("25012", "erreur de conversion de document", "permanent", "document_invalid", False),
    ("25013", "erreur de conversion de document", "permanent", "document_invalid", False),
    ("25002", "erreur de conversion de document", "permanent", "document_invalid", False),
    ("20008", "mauvais format de fichier", "permanent", "document_invalid", False),
    ("31079", "pas de réponse", "temporary", "no_answer", True),
    ("31082", "le fax distant a interrompu la transmission", "temporary", "transmission_error", False),
    ("31083", "mauvais numéro", "permanent", "invalid_recipient", False),
    ("30112", "pas de réponse", "temporary", "no_answer", True),
    ("30113", "pas de réponse", "temporary", "no_answer", True),
    ("30133", "coordonnées incorrectes", "permanent", "invalid_recipient", False),
    ("34000", "déconnexion distance", "temporary", "transmission_error", False),
    ("34012", "occupé", "temporary", "busy", True),
    ("33126", "erreur de transmission", "temporary", "transmission_error", False),
    ("34011", "raccroché distant", "temporary", "transmission_error", False),
    ("304128", "pas de réponse", "temporary", "no_answer", True),
    ("30127", "pas de réponse", "temporary", "no_answer", True),
    ("5313", "pas de réponse", "temporary", "no_answer", True),
    ("5316", "erreur de transmission", "temporary", "transmission_error", False),
    ("31086", "la communication n'a pu s'établir", "temporary", "unreachable", True),
    ("30120", "pas de réponse", "temporary", "no_answer", True),
    ("31064", "occupé", "temporary", "busy", True),
    ("30032", "pas de réponse", "temporary", "no_answer", True),
    ("25300", "erreur lors de la conversion", "permanent", "document_invalid", False),
    ("20007", "pas de réponse", "temporary", "no_answer", True),
    ("33127", "erreur de transmission", "temporary", "transmission_error", False),
    ("30129", "pas de réponse", "temporary", "no_answer", True),
    ("70003", "Numéro en liste rouge ou EcoFAX", "permanent", "blocked_by_recipient", False),
]
# fmt: on
FAILURES = RECEPTION[1:]
BROKEN = [line[0] for line in FAILURES if line[3] == "transmission_error"]

GIVEN = {
    "etat_e": "0",
    "ref_accuse": "A7K2M9Q4X1",
    "numero": "0145678901",
    "nb_page": "3",
    "heure": "14:05",
}


def query(**changed: str | None) -> bytes:
    given_now = {name: value for name, value in {**GIVEN, **changed}.items() if value is not None}
    return urlencode(given_now).encode()


def acknowledged(code: str, pages: int | None = None) -> Acknowledgement:
    return Acknowledgement(
        reference="A7K2M9Q4X1", code=code, number="0145678901", pages=pages, provider_time="14:05"
    )


def test_the_table_has_the_documents_thirty_codes_in_its_order_with_its_words() -> None:
    assert [(row.code, row.words) for row in CODES] == [line[:2] for line in RECEPTION]
    assert len(CODES) == 30


@pytest.mark.parametrize(("code", "words", "kind", "reason", "retryable"), FAILURES)
@pytest.mark.parametrize("pages", [None, 0])
def test_a_documented_code_is_its_failure(
    code: str, words: str, kind: str, reason: str, retryable: bool, pages: int | None
) -> None:
    report = learn(acknowledged(code, pages), 3)

    assert report == Report(
        code=code,
        status=Status.FAILED,
        label=words,
        occurred="14:05",
        failure=Failure(
            type=kind, reason=reason, retryable=retryable, provider_code=code, label=words
        ),
        pages_sent=pages,
    )


@pytest.mark.parametrize(
    ("sent", "pages", "status"),
    [
        (3, 3, Status.DELIVERED),
        (4, 3, Status.DELIVERED),
        (2, 3, Status.PARTIALLY_DELIVERED),
        (0, 3, Status.PARTIALLY_DELIVERED),
        (None, 3, Status.DELIVERED),
        (3, None, Status.DELIVERED),
        (None, None, Status.DELIVERED),
    ],
)
def test_a_received_fax_is_partly_delivered_if_pages_are_missing(
    sent: int | None, pages: int | None, status: Status
) -> None:
    report = learn(acknowledged("0", sent), pages)

    assert report == Report(
        code="0", status=status, label="OK reçu", occurred="14:05", pages_sent=sent
    )


@pytest.mark.parametrize("code", BROKEN)
def test_a_transmission_that_broke_after_a_page_is_partly_delivered(code: str) -> None:
    report = learn(acknowledged(code, 1), 3)

    assert (report.status, report.failure) == (Status.PARTIALLY_DELIVERED, None)


@pytest.mark.parametrize("code", [line[0] for line in FAILURES if line[0] not in BROKEN])
def test_pages_do_not_soften_any_other_failure(code: str) -> None:
    assert learn(acknowledged(code, 1), 3).status is Status.FAILED


def test_the_code_that_was_probably_meant_is_taken_like_the_documented_one() -> None:
    report = learn(acknowledged("30128"), 3)

    assert report.failure is not None
    assert report.failure.reason == "no_answer"


@pytest.mark.parametrize("code", ["1", "113", "101", "99999", "3041280"])
def test_a_code_that_the_document_lacks_is_an_unmapped_failure_kept_raw(code: str) -> None:
    report = learn(acknowledged(code, 2), 3)

    assert report.status is Status.FAILED
    assert report.label is None
    assert report.failure == Failure(
        type="unknown", reason="unmapped", retryable=False, provider_code=code, label=None
    )


def test_the_documents_five_variables_are_read() -> None:
    assert read(query()) == Acknowledgement(
        reference="A7K2M9Q4X1", code="0", number="0145678901", pages=3, provider_time="14:05"
    )


@pytest.mark.parametrize(
    ("given_code", "code"),
    [("0", "0"), ("00", "0"), ("0000000000", "0"), ("031064", "31064"), (" 31064 ", "31064")],
)
def test_a_code_is_read_without_leading_zeros_and_space(given_code: str, code: str) -> None:
    assert read(query(etat_e=given_code)).code == code


@pytest.mark.parametrize(
    ("changed", "pages"),
    [({"nb_page": "007"}, 7), ({"nb_page": ""}, None), ({"nb_page": None}, None)],
)
def test_pages_that_are_not_given_are_not_zero(
    changed: dict[str, str | None], pages: int | None
) -> None:
    assert read(query(**changed)).pages == pages


@pytest.mark.parametrize("hour", [None, "", "  "])
def test_an_hour_may_be_missing(hour: str | None) -> None:
    assert read(query(heure=hour)).provider_time is None


@pytest.mark.parametrize("number", ["0145678901", "+33 1 45 67 89 01", "01.45.67.89.01", "(33)1-2"])
def test_a_number_is_read_however_it_is_written(number: str) -> None:
    assert read(query(numero=number)).number == number


def test_a_variable_of_another_name_is_ignored() -> None:
    assert read(query() + b"&accuse_email=x%40y.fr&%E9=1") == read(query())


def test_the_order_of_the_variables_does_not_matter() -> None:
    assert read(b"&".join(reversed(query().split(b"&")))) == read(query())


@pytest.mark.parametrize("name", ["etat_e", "ref_accuse", "numero"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_cannot_be_done_without_is_named(name: str, value: str | None) -> None:
    with pytest.raises(ValueError, match=f"^{name} is (missing|wrong)$"):
        read(query(**{name: value}))


@pytest.mark.parametrize("name", list(GIVEN))
@pytest.mark.parametrize("second", ["same", "other", "empty"])
def test_a_variable_that_is_given_twice_is_never_chosen_from(name: str, second: str) -> None:
    value = {"same": GIVEN[name], "other": "1", "empty": ""}[second]

    with pytest.raises(ValueError, match=f"^{name} is given twice$"):
        read(query() + f"&{name}={quote(value)}".encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("etat_e", "-1"),
        ("etat_e", "+0"),
        ("etat_e", "0x0"),
        ("etat_e", "0.0"),
        ("etat_e", "OK"),
        ("etat_e", "0 0"),
        ("etat_e", "0\n0"),
        ("etat_e", "1" * 11),
        ("etat_e", "\N{ARABIC-INDIC DIGIT ZERO}"),
        ("etat_e", "\N{FULLWIDTH DIGIT ZERO}"),
        ("etat_e", "\N{SUPERSCRIPT TWO}"),
        ("ref_accuse", "a b"),
        ("ref_accuse", "é"),
        ("ref_accuse", "a\x00"),
        ("ref_accuse", "x" * 101),
        ("ref_accuse", "x" * 10_000),
        ("numero", "0145678901'--"),
        ("numero", "\N{ARABIC-INDIC DIGIT ONE}" * 10),
        ("numero", "1" * 41),
    ],
)
def test_a_value_of_another_form_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is wrong$"):
        read(query(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value", "pages", "hour"),
    [
        ("nb_page", "-1", None, GIVEN["heure"]),
        ("nb_page", "1.5", None, GIVEN["heure"]),
        ("nb_page", "100000", None, GIVEN["heure"]),
        ("nb_page", "\N{ARABIC-INDIC DIGIT ONE}", None, GIVEN["heure"]),
        ("heure", "x" * 65, int(GIVEN["nb_page"]), "x" * 64),
        ("heure", "14h05\x1b[31m", int(GIVEN["nb_page"]), "14h05?[31m"),
        ("heure", "à 14h", int(GIVEN["nb_page"]), "? 14h"),
    ],
)
def test_an_acknowledgement_is_not_refused_for_its_pages_or_hour(
    name: str, value: str, pages: int | None, hour: str
) -> None:
    found = read(query(**{name: value}))

    assert (found.pages, found.provider_time) == (pages, hour)


@pytest.mark.parametrize("name", ["etat_e", "ref_accuse", "numero"])
def test_a_byte_that_is_not_utf_8_is_wrong_and_no_crash(name: str) -> None:
    raw = "&".join(f"{one}={'%E9' if one == name else GIVEN[one]}" for one in GIVEN)

    with pytest.raises(ValueError, match=f"^{name} is wrong$"):
        read(raw.encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"&&&",
        b"=",
        b"etat_e",
        b"etat_e=0;ref_accuse=A;numero=0145678901",
        b"\xff\xfe\x00",
        b"%",
        b"etat_e=%",
        b"&a=1" * 5000,
        b"a=" + b"1" * 10_240,
        b"etat_e[]=0&ref_accuse=A&numero=0145678901",
        b"ETAT_E=0&ref_accuse=A&numero=0145678901",
    ],
)
def test_a_query_of_another_kind_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"^(Max number of fields exceeded|etat_e is \w+)$"):
        read(raw)


NAMES = st.sampled_from([*GIVEN, "autre", "%E9", ""])
VALUES = st.one_of(
    st.sampled_from(list(GIVEN.values())),
    st.text(string.digits, max_size=12),
    st.text(max_size=30),
)
# All that a fault may say: whatever was given, no part of a value is in it.
OUR_SENTENCES = {
    "Max number of fields exceeded",
    "a field is given twice",
    *(f"{name} is {what}" for name in GIVEN for what in ("wrong", "missing", "given twice")),
}


def said_of(raw: bytes) -> Acknowledgement | str:
    """Return what a query says, or the text of its ValueError; nothing else may be raised."""
    try:
        return read(raw)
    except ValueError as fault:
        return str(fault)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=25))
@settings(max_examples=400)
def test_a_query_is_an_acknowledgement_or_a_fault_without_its_values(
    pairs: list[tuple[str, str]],
) -> None:
    raw = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs).encode()

    said = said_of(raw)

    if isinstance(said, Acknowledgement):
        values = {name: value.strip() for name, value in pairs}
        assert said.code == (values["etat_e"].lstrip("0") or "0")
        assert (said.reference, said.number) == (values["ref_accuse"], values["numero"])
    else:
        assert said in OUR_SENTENCES


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_raise_anything_else(raw: bytes) -> None:
    said = said_of(raw)

    assert isinstance(said, Acknowledgement) or said in OUR_SENTENCES
