"""Any address: its form by NF Z10-011 is its own form, fits or says what does not, and is clean."""

import re
import string
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.abbreviations import PLACES
from app.domain.conform import conformed
from app.domain.countries import COUNTRIES
from app.domain.postal import LONGEST, Address, findings, folded, lines_of

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
WORDS = st.lists(
    st.sampled_from(
        [
            *PLACES,
            *PLACES.values(),
            "12",
            "bis",
            "de l'Été",
            "Œuvre",
            "CEDEX",
            "75011",
            "é-",
            "B.P.",
        ]
    )
    | st.text(string.ascii_letters + "éÀç ,.'-", min_size=1, max_size=12),
    min_size=1,
    max_size=8,
).map(" ".join)
TEXT = ANYTHING | WORDS
FIELDS: Any = st.fixed_dictionaries(
    {"line1": TEXT, "city": TEXT, "postal_code": st.from_regex(r"[0-9]{5}", fullmatch=True)},
    optional={
        "line2": TEXT,
        "title": st.sampled_from(["Madame", "M.", "Monsieur et Madame"]) | TEXT,
        "first_name": TEXT,
        "last_name": TEXT,
        "company": TEXT,
        "country": st.sampled_from(["FR", "RE", "NC", "BE", "XX", *COUNTRIES]),
    },
)


@given(FIELDS)
@settings(max_examples=500, deadline=None)
@example({"line1": "-", "city": ".", "postal_code": "75011", "first_name": "-"})
@example({"line1": "ŉ ǰ ß ΐ ﬁ ½ ²", "city": "75011 75011 PARIS", "postal_code": "75011"})
def test_the_form_of_an_address_is_its_own_form(fields: dict[str, Any]) -> None:
    made = conformed(Address(**fields))

    again = conformed(made.address)
    assert again.address == made.address
    assert again.errors == made.errors


@given(FIELDS)
@settings(max_examples=500, deadline=None)
def test_each_line_of_it_fits_or_is_told(fields: dict[str, Any]) -> None:
    made = conformed(Address(**fields))

    told = {one.pointer for one in made.errors if one.code == "line_too_long"}
    for line in lines_of(made.address):
        assert len(line.text) <= LONGEST or line.pointer in told


@given(FIELDS)
@settings(max_examples=500, deadline=None)
def test_nothing_but_what_cannot_be_mended_is_left_against_it(fields: dict[str, Any]) -> None:
    made = conformed(Address(**fields))

    mended = {"not_capitals", "accents", "punctuation", "spaces"}
    left = [one for one in findings(made.address) if one.code in mended]
    emptied = {one.pointer for one in made.errors if one.code == "emptied"}
    assert [one for one in left if one.pointer not in emptied] == []
    if made.address.is_french and not emptied:
        for text in (made.address.line1, made.address.city):
            assert re.fullmatch(r"\w+( \w+)*", text)
            assert "_" not in text


@given(FIELDS)
@settings(max_examples=300, deadline=None)
def test_no_letter_and_no_digit_of_a_short_address_is_lost(fields: dict[str, Any]) -> None:
    address = Address(**fields)
    made = conformed(address).address

    if len(folded(address.line1)) <= LONGEST and address.is_french:
        assert made.line1 == folded(address.line1)
    if made.last_name is not None and address.last_name is not None:
        assert made.last_name.split() == address.last_name.split()


@given(TEXT)
@settings(max_examples=500, deadline=None)
def test_capitals_stay_capitals(text: str) -> None:
    made = folded(text)

    assert folded(made) == made
    assert made == made.upper().strip()
