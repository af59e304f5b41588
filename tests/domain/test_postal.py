"""Postal addresses by NF Z10-011: how they are laid out, what is wrong with them, and their form."""

from dataclasses import replace

import pytest

from app.domain.conform import conformed
from app.domain.postal import Address, findings, folded, lines_of

PARIS = Address(line1="12 RUE DES LILAS", postal_code="75011", city="PARIS")
MARIE = replace(PARIS, title="Mme", first_name="Marie", last_name="Durand")


def numbered(address: Address) -> dict[int, str]:
    return {line.number: line.text for line in lines_of(address)}


def found(address: Address) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in findings(address)]


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (PARIS, {4: "12 RUE DES LILAS", 6: "75011 PARIS"}),
        (MARIE, {1: "Mme Marie Durand", 4: "12 RUE DES LILAS", 6: "75011 PARIS"}),
        (replace(PARIS, company="ACME"), {1: "ACME", 4: "12 RUE DES LILAS", 6: "75011 PARIS"}),
        (
            replace(MARIE, company="ACME", line2="BAT B"),
            {1: "ACME", 2: "Mme Marie Durand", 3: "BAT B", 4: "12 RUE DES LILAS", 6: "75011 PARIS"},
        ),
        (
            replace(MARIE, line2="2e étage"),
            {1: "Mme Marie Durand", 2: "2e étage", 4: "12 RUE DES LILAS", 6: "75011 PARIS"},
        ),
        (
            replace(MARIE, company="ACME", line2="APT 4"),  # line 2 is hers
            {1: "ACME", 2: "Mme Marie Durand", 3: "APT 4", 4: "12 RUE DES LILAS", 6: "75011 PARIS"},
        ),
        (
            replace(PARIS, line2="B.P. 40012"),
            {4: "12 RUE DES LILAS", 5: "B.P. 40012", 6: "75011 PARIS"},
        ),
        (replace(PARIS, line1="CS 12345"), {5: "CS 12345", 6: "75011 PARIS"}),
        (
            replace(PARIS, line1="LD LES BOIS", line2="BP 4"),
            {4: "LD LES BOIS", 5: "BP 4", 6: "75011 PARIS"},
        ),
        (
            Address(line1="Rue Neuve 1", postal_code="1000", city="Bruxelles", country="BE"),
            {4: "Rue Neuve 1", 6: "1000 Bruxelles", 7: "BELGIQUE"},
        ),
        (
            Address(line1="1 RUE A", postal_code="97400", city="ST DENIS", country="RE"),
            {4: "1 RUE A", 6: "97400 ST DENIS"},  # the post of France
        ),
        (
            Address(line1="1 RUE A", postal_code="98800", city="NOUMEA", country="NC"),
            {4: "1 RUE A", 6: "98800 NOUMEA", 7: "NOUVELLE CALEDONIE"},
        ),
    ],
)
def test_an_address_is_laid_out_by_the_norm(address: Address, lines: dict[int, str]) -> None:
    assert numbered(address) == lines


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"line1": "12 rue des Lilas"}, [("/address/line1", "not_capitals")]),
        ({"line1": "12 ALLÉE A"}, [("/address/line1", "accents")]),
        ({"line1": "12, RUE A"}, [("/address/line1", "punctuation")]),
        ({"line1": "12 RUE DE L'OUEST"}, [("/address/line1", "punctuation")]),
        ({"city": "SAINT-DENIS"}, [("/address/city", "punctuation")]),
        ({"line1": "12  RUE A"}, [("/address/line1", "spaces")]),
        ({"line1": "12\u00a0RUE A"}, [("/address/line1", "spaces")]),
        ({"line1": "12 RUE ЖУКОВ"}, [("/address/line1", "not_latin")]),
        ({"line1": "1" * 38}, []),
        ({"line1": "1" * 39}, [("/address/line1", "line_too_long")]),
        ({"city": "A" * 32}, []),  # with its postal code, 38
        ({"city": "A" * 33}, [("/address/city", "line_too_long")]),
        ({"line2": "Bât. B"}, []),  # line 3
        ({"line2": "B" * 39}, [("/address/line2", "line_too_long")]),
        ({"line2": "B.P. 4"}, [("/address/line2", "punctuation")]),  # line 5
        ({"last_name": "D" * 39}, [("/last_name", "line_too_long")]),
        ({"company": "C" * 39}, [("/company", "line_too_long")]),
        ({"title": "M", "first_name": "J" * 18, "last_name": "D" * 18}, [("/last_name", "line_too_long")]),
        ({"city": "PARIS CEDEX 08"}, []),
        ({"city": "PARIS CEDEX"}, []),
        ({"city": "PARIS CEDEX 123"}, [("/address/city", "cedex_malformed")]),
        ({"city": "CEDEX 08"}, [("/address/city", "cedex_malformed")]),
        ({"city": "PARIS CEDEX 08 FRANCE"}, [("/address/city", "cedex_malformed")]),
        ({"city": "75011 PARIS"}, [("/address/city", "postal_code_repeated")]),
        ({"postal_code": "20000"}, []),
        ({"postal_code": "97400"}, []),
        ({"postal_code": "98713"}, []),
        ({"postal_code": "96000"}, [("/address/postal_code", "postal_code_unknown")]),
        ({"postal_code": "99901"}, [("/address/postal_code", "postal_code_unknown")]),
        ({"country": "RE", "postal_code": "97400"}, []),
        (
            {"country": "RE", "postal_code": "9740"},
            [("/address/postal_code", "postal_code_mismatch")],
        ),
        ({"country": "RE"}, [("/address/postal_code", "postal_code_mismatch")]),
        ({"country": "XX"}, [("/address/country", "country_unknown")]),
        # Abroad, only what an envelope's window shows.
        ({"country": "BE", "line1": "Rue de l'Été, 1", "city": "Bruxelles"}, []),
        ({"country": "BE", "line1": "r" * 39}, [("/address/line1", "line_too_long")]),
    ],
)  # fmt: skip
def test_what_the_norm_has_against_an_address_is_said(
    changes: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert found(replace(PARIS, **changes)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"line1": "12, rue de l'Église"}, {"line1": "12 RUE DE L EGLISE"}),
        ({"line1": "12 bis rue du Cœur-Volant"}, {"line1": "12 BIS RUE DU COEUR VOLANT"}),
        ({"line1": "3 pl. Charles & Max"}, {"line1": "3 PL CHARLES ET MAX"}),
        ({"line1": "1 RUE ß\u00a0ø"}, {"line1": "1 RUE SS O"}),
        ({"city": "Saint-Étienne"}, {"city": "SAINT ETIENNE"}),
        ({"city": "L\u2019Haÿ-les-Roses"}, {"city": "L HAY LES ROSES"}),
        ({"city": "Paris Cédex8"}, {"city": "PARIS CEDEX 8"}),
        ({"city": "75011 Paris"}, {"city": "PARIS"}),
        ({"line2": "Bât. B - 2e étage"}, {"line2": "BAT B 2E ETAGE"}),
        ({"line2": "..."}, {"line2": None}),
        ({"company": " Dupont &  Fils "}, {"company": "Dupont & Fils"}),  # a name is its own
        # Words are shortened where the line is too long, and as few as it takes.
        (
            {"line1": "128 avenue du Président Franklin Roosevelt"},
            {"line1": "128 AV DU PRESIDENT FRANKLIN ROOSEVELT"},
        ),
        (
            {"line1": "128 boulevard du Maréchal de Lattre de Tassigny"},
            {"line1": "128 BD DU MAL DE LATTRE DE TASSIGNY"},
        ),
        (
            {"city": "La Chapelle-Saint-Martin-en-Plaine"},
            {"city": "LA CHAPELLE ST MARTIN EN PLAINE"},
        ),
        (
            {"company": "Société générale des établissements Durand et fils"},
            {"company": "STE GENERALE DES ETS DURAND ET FILS"},
        ),
        (
            {"title": "Madame", "first_name": "Marie-Antoinette", "last_name": "Durand-Desmoulins"},
            {"title": "MME"},
        ),
        (
            {"title": "Madame", "first_name": "Marie-Antoinette", "last_name": "de La Tour du Pin Gouvernet"},
            {"title": "MME", "first_name": "M A"},
        ),
    ],
)  # fmt: skip
def test_an_address_is_brought_into_the_form_of_the_norm(
    given: dict[str, str], expected: dict[str, str | None]
) -> None:
    address = replace(PARIS, **given)  # type: ignore[arg-type]

    made = conformed(address)

    assert made.address == replace(address, **expected)  # type: ignore[arg-type]
    assert made.errors == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"line1": "1 RUE " + "A" * 40}, [("/address/line1", "line_too_long")]),
        (
            {"city": "Saint-Remy-en-Bouzemont-Saint-Genest-et-Isson"},
            [("/address/city", "line_too_long")],
        ),
        ({"line1": "..."}, [("/address/line1", "emptied")]),
        ({"city": "-"}, [("/address/city", "emptied")]),
        ({"last_name": "D" * 39}, [("/last_name", "line_too_long")]),
        ({"company": "C" * 39}, [("/company", "line_too_long")]),
    ],
)
def test_what_cannot_be_brought_into_it_is_said_and_not_cut(
    changes: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    made = conformed(replace(PARIS, **changes))  # type: ignore[arg-type]

    assert [(one.pointer, one.code) for one in made.errors] == expected


def test_an_address_abroad_keeps_its_letters() -> None:
    address = Address(line1=" Straße  1, 2. Stock", postal_code="10115", city="Köln", country="DE")

    assert conformed(address).address == replace(address, line1="Straße 1, 2. Stock")


def test_capitals_are_without_accents_and_punctuation() -> None:
    assert folded("  Œuf-à la  coque, n° 12/14 : «ÿ»  ") == "OEUF A LA COQUE N 12 14 Y"
