"""Our tables against a transcription of Efidem's document, and the transcription against the document.

The documents are not ours to hand on: where a folder has them, PROVIDER_DOCUMENTS names it.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.domain import esmtp
from app.providers.efidem.functions import FUNCTIONS, TRIO
from app.providers.fax123.acknowledgement import CODES
from app.providers.fax123.functions import HTTP_PHP
from app.providers.manual import Function

DOCUMENT: Mapping[str, Any] = tomllib.loads(
    Path(__file__).with_name("document.toml").read_text(encoding="utf-8")
)
DOCUMENTED: Mapping[str, Mapping[str, Any]] = DOCUMENT["functions"]
BY_NAME = {function.name: function for function in FUNCTIONS}
# What no table of the document has: ENVOYER_EMAIL's answer -6 asks for it.
SUBJECT = {name: ["SUJET"] for name in ("ENVOYER_EMAIL", "MULTI_ENVOYER_EMAIL", "ENVOYER_EMAIL_RELAIS")}  # fmt: skip
# One parameter under two names, in chapters that do not know of each other.
PAIRS = (("REFCLIENT", "Reference_client"), ("CODE_FACTURATION", "Facturation"))
FILES = {"LISTE_FICHIERS", "LISTE_FICHIERS_RELAY", "Liste_Fichier"}

each_function = pytest.mark.parametrize("name", DOCUMENTED)


def squeezed(text: str) -> str:
    """A name without what a page's layout puts into it."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


# Our tables and the transcription.


def test_every_documented_function_stands_in_our_tables_and_no_other() -> None:
    assert [function.name for function in FUNCTIONS] == list(DOCUMENTED)
    assert len(FUNCTIONS) == 21


@each_function
def test_a_functions_other_spellings_are_the_documents(name: str) -> None:
    assert list(BY_NAME[name].spellings) == DOCUMENTED[name].get("spellings", [])


@each_function
def test_a_functions_parameters_are_the_documents_in_order_and_obligation(name: str) -> None:
    extra = SUBJECT.get(name, [])

    ours = [(one.name, one.required, one.note) for one in BY_NAME[name].parameters]

    # Where no type is given, nothing says that it may be left out.
    assert [one for one in ours if one[0] not in extra] == [
        (parameter, obligation in {"Obligatoire", ""}, words)
        for parameter, obligation, words in DOCUMENTED[name]["parameters"]
    ]
    assert [one for one, required, _ in ours if one in extra and not required] == extra


@each_function
def test_a_parameters_other_names_in_the_document_are_its_spellings(name: str) -> None:
    spellings = {one.name: {*one.spellings, one.name} for one in BY_NAME[name].parameters}
    others = {one: set(more) for one, more in DOCUMENTED[name].get("other_names", {}).items()}
    for one in spellings:
        others.setdefault(one, set()).update(*(pair for pair in PAIRS if one in pair))
        if one in FILES:
            others[one] |= {"LISTE_FICHIERS"}

    lacking = {one: more - spellings[one] for one, more in others.items()}

    assert {one: more for one, more in lacking.items() if more} == {}


@each_function
def test_a_functions_codes_are_the_documents_and_what_is_added_is_assumed(name: str) -> None:
    documented = [tuple(one) for one in DOCUMENTED[name].get("codes", [])]
    stated = {code for code, words in documented if words}

    answers = BY_NAME[name].answers

    listed = {code for code, _ in documented}
    assert [(row.code, row.words) for row in answers if row.code in listed] == documented
    assert {row.code for row in answers if not row.assumed} == stated


def test_the_trio_is_the_documents() -> None:
    assert {one.name: one.note for one in TRIO} == DOCUMENT["trio"]
    assert TRIO[2].spellings == ("ApplID",)


# The transcription and the document itself.


def text_of(name: str) -> list[str]:
    """Return a provider's document line by line, or skip."""
    folder = os.environ.get("PROVIDER_DOCUMENTS")
    if not folder:
        pytest.skip("PROVIDER_DOCUMENTS names no folder with the providers' documents")
    return (Path(folder) / name).read_text(encoding="utf-8").splitlines()


ROW = re.compile(r"([A-Z][A-Za-z_]+)\t(.+)\t(Obligatoire|Facultatif)")
LETTER_ROW = re.compile(r"([A-Z][a-z]+(?:_[A-Za-z]+)?)\t((?!Correspondance).+)")
CODE = re.compile(r"(-?[0-9]+)\t(.*)")
ANNEX = re.compile(r"([A-Z_]+(?: [A-Z_]+)?)\tUTILISATEUR MOT_DE_PASSE AppID (\S+(?: [A-Z_]+)?)\t.+")
LISTS = {"Courrier postal": "COURRIER_ENVOYER", "Fax": "ENVOYER_FAX"}
HEADINGS = {squeezed(one): one for one in DOCUMENTED}
SPELLED = {
    squeezed(spelling): name
    for name, one in DOCUMENTED.items()
    for spelling in (name, *one.get("spellings", []))
}


def chapters(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each line below a function's heading with the function's name."""
    # The table of contents has dots and page numbers behind its headings, and so is none.
    under = ""
    for line in lines:
        heading = LISTS.get(line.strip()) or HEADINGS.get(squeezed(line))
        if "\t" not in line and heading:
            under = heading
        elif under:
            yield under, line


def split_at_the_codes(lines: list[str]) -> tuple[list[str], list[str]]:
    start = max(at for at, line in enumerate(lines) if line == "Liste des codes erreurs")
    end = max(at for at, line in enumerate(lines) if line == "Codes ESMTP")
    return lines[:start], lines[start:end]


def gathered(rows: Iterator[tuple[str, tuple[str, ...]]]) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, row in rows:
        found.setdefault(name, []).append(row)
    return found


def test_every_parameter_row_of_the_document_is_transcribed() -> None:
    before, _ = split_at_the_codes(text_of("efidem-soap.txt"))

    found = gathered(
        (name, (row[1], row[3], row[2]))
        for name, line in chapters(before)
        if (row := ROW.fullmatch(line))
    )

    transcribed = {
        name: [tuple(row) for row in one["parameters"]]
        for name, one in DOCUMENTED.items()
        if one["parameters"][0][1] and name != "STATUT_COMPLET_SMS"  # it has no table
    }
    assert found == transcribed
    assert sum(len(rows) for rows in found.values()) == sum(
        line.endswith(("\tObligatoire", "\tFacultatif")) for line in before
    )


def test_the_letters_parameters_in_the_document_are_transcribed() -> None:
    before, _ = split_at_the_codes(text_of("efidem-soap.txt"))

    found = [
        (row[1], "Optionnel" if row[2].startswith("Optionnel") else "", row[2])
        for name, line in chapters(before)
        if name == "COURRIER_ENVOYER" and (row := LETTER_ROW.fullmatch(line))
        if row[1] not in {"Champ", "Fonction"} and not row[0].startswith("Paramètre")
    ]

    transcribed = DOCUMENTED["COURRIER_ENVOYER"]["parameters"]
    assert [(name, optional) for name, optional, _ in found] == [
        (name, optional) for name, optional, _ in transcribed
    ]
    # The objects' rows go on: "Ce bloc inclut ...".
    assert all(row[2].startswith(ours[2]) for row, ours in zip(found, transcribed, strict=True))


def test_the_annexes_of_the_document_are_transcribed() -> None:
    before, _ = split_at_the_codes(text_of("efidem-soap.txt"))

    rows = [row for line in before if (row := ANNEX.fullmatch(line))]

    annexes = list(DOCUMENTED)[list(DOCUMENTED).index("RAPPORT") :]
    assert {SPELLED[squeezed(row[1])]: row[2].split() for row in rows} == {
        name: [parameter for parameter, *_ in DOCUMENTED[name]["parameters"]] for name in annexes
    }
    assert len(rows) == sum("\tUTILISATEUR MOT_DE_PASSE AppID" in line for line in before)


def test_every_code_of_the_document_is_transcribed_with_its_words() -> None:
    _, lists = split_at_the_codes(text_of("efidem-soap.txt"))

    found = gathered(
        (name, (row[1], row[2].strip()))
        for name, line in chapters(lists)
        if (row := CODE.fullmatch(line))
    )

    assert found == {
        name: [tuple(row) for row in one["codes"]]
        for name, one in DOCUMENTED.items()
        if "codes" in one
    }
    assert sum(len(rows) for rows in found.values()) == sum(
        CODE.fullmatch(line) is not None for line in lists
    )


def test_every_function_that_the_document_names_is_transcribed() -> None:
    lines = text_of("efidem-soap.txt")
    verbs = "ENVOYER|STATUT|SUIVRE|COURRIER|MULTI|AJOUTER|ENLEVER|VERIFIER|OBTENIR|TRANSFORMER"
    objects = {"COURRIER_DESTINATAIRE_NOM", "COURRIER_DESTINATAIRE_ADRESSE"}
    fields = {"STATUT", "STATUTS", "CODE_STATUT", "DATE_STATUT", "DESCRIPTION_STATUT"}

    named = {
        word
        for line in lines
        for word in re.findall(rf"\b(?:{verbs})_[A-Z_]+\b", line)
        if word not in objects | fields
    }

    assert {word for word in named if squeezed(word) not in SPELLED} == set()
    assert named >= set(DOCUMENTED) - {"RAPPORT", "COMPTE_SOUMIS_CODE_FACTURATION"}


def test_every_esmtp_code_of_the_document_stands_in_our_table() -> None:
    lines = text_of("efidem-soap.txt")

    found = [
        (row[1], row[2])
        for line in lines
        if (row := re.fullmatch(r"X\.([0-9]+\.[0-9]+)\t(.+)", line))
    ]

    # The first of two X.2.0 is X.1.2.
    codes = [code for code, _ in found]
    codes[codes.index("2.0")] = "1.2"
    assert len(set(codes)) == len(codes) == 47
    assert len(found) == sum(line.startswith("X.") for line in lines)
    known = {code: esmtp.read(f"5.{code}") for code in codes}
    assert [code for code, one in known.items() if one is None or not one.description] == []


def fax(name: str) -> str:
    return "\n".join(text_of(name)).replace("“", '"').replace("”", '"')


def test_every_return_code_of_the_fax_document_stands_in_our_table() -> None:
    text = fax("123-fax-http.txt")

    found = re.findall(r'\b(1[0-9]{2})=\s*"?([^\t\n"]+)', text)

    assert sorted((code, words.strip()) for code, words in found) == [
        (row.code, row.words) for row in HTTP_PHP.answers
    ]
    assert len(HTTP_PHP.answers) == 13


def test_every_acknowledgement_of_the_fax_document_stands_in_our_table() -> None:
    text = fax("123-fax-http.txt")

    found = re.findall(
        r'\b([0-9]+)\s*=\s*"([^"]+)"', text[text.index("accusé de réception sont") :]
    )

    assert sorted(found) == sorted((row.code, row.words) for row in CODES)
    assert len(CODES) == 30


def test_every_parameter_of_the_fax_request_stands_in_our_table() -> None:
    text = fax("123-fax-http.txt")

    (query,) = re.findall(r"http\.php\?(\S+)", text)
    named = [one.partition("=")[0] for one in query.split("&")]

    function: Function = HTTP_PHP
    assert {*named, "accuse_email"} == {one.name for one in function.parameters}
