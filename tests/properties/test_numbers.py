"""Telephone numbers: however one is written, it is one number, and what is none is refused."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from app.api.fields import FICTION, OVERSEAS, e164
from app.providers.fax123.functions import national

BLANKS = ["", " ", ".", "-", "/", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "  ", " - "]
# Of the French numbering plan: fixed 01 to 05 and 09, mobile 06 and 07, overseas by their region.
FRENCH = st.one_of(
    st.from_regex(r"[1-59][0-9]{8}", fullmatch=True),
    st.from_regex(r"[67][0-9]{8}", fullmatch=True),
    st.sampled_from([one[3:] + "0001" for one in FICTION if len(one) == 8]),
).filter(lambda digits: is_number(f"+33{digits}"))
OVERSEAS_NUMBERS = st.tuples(st.sampled_from(OVERSEAS), st.integers(0, 99_999)).map(
    lambda pair: of_region(*pair)
)
ABROAD = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS - {"FR", *OVERSEAS})).map(
    lambda region: shown(phonenumbers.example_number(region))
)


def is_number(text: str) -> bool:
    return phonenumbers.is_valid_number(phonenumbers.parse(text)) or (
        text.startswith(FICTION) and len(text) == len("+33639980001")
    )


def shown(number: phonenumbers.PhoneNumber | None) -> str:
    assert number is not None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def of_region(region: str, last: int) -> str:
    """Return a region's mobile number with other last digits, where that is one."""
    number = shown(
        phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    )
    other = f"{number[:-5]}{last:05}"
    return other if is_number(other) else number


def refused(text: str) -> bool:
    """Say whether it is refused, and without being quoted; nothing else may be raised."""
    try:
        e164(text)
    except PydanticCustomError as why:
        fault = why
    else:
        return False
    assert fault.type.startswith("gateway:number_")
    # Our sentences show an example of theirs.
    assert len(text) < 4 or text.strip() == "+33601020304" or text not in str(fault)
    return True


@given(st.text(max_size=40) | st.text("+0123456789() ./-\N{NO-BREAK SPACE}x;,#", max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_number_or_refused_and_a_number_is_its_own_normal_form(text: str) -> None:
    if refused(text):
        return

    number = e164(text)

    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdecimal()
    assert 4 <= len(number) <= 16  # E.164: 15 digits
    assert e164(number) == number


def writings(digits: str, blanks: list[str]) -> list[str]:
    """Write a French number, such as 145678901, as people do."""
    pairs = [digits[0], *(digits[at : at + 2] for at in range(1, 9, 2))]
    spaced = "".join(f"{blank}{pair}" for blank, pair in zip(["", *blanks], pairs, strict=True))
    return [
        f"0{spaced}",
        f"+33{spaced}",
        f"+33 {spaced}",
        f"+33(0){spaced}",
        f"+33 (0) {spaced}",
        f"(+33) {spaced}",
        f"0033{spaced}",
        f"00 33 {spaced}",
        f"(0){spaced}",
        f" +33 {spaced}",
    ]


@given(FRENCH, st.lists(st.sampled_from(BLANKS), min_size=4, max_size=4))
@settings(max_examples=150, deadline=None)
def test_every_french_writing_of_a_number_is_one_number(digits: str, blanks: list[str]) -> None:
    assert {e164(one) for one in writings(digits, blanks)} == {f"+33{digits}"}


@given(OVERSEAS_NUMBERS)
@settings(max_examples=150, deadline=None)
def test_an_overseas_number_keeps_its_region_however_it_is_dialled(number: str) -> None:
    national_digits = number[4:]  # +262, +590, +594, +596

    assert e164(number) == number
    assert e164(f"00{number[1:]}") == number
    assert e164(f"0{national_digits}") in {number, f"+33{national_digits}"} | {
        f"+{phonenumbers.country_code_for_region(one)}{national_digits}" for one in OVERSEAS
    }


@given(ABROAD)
@settings(max_examples=250, deadline=None)
def test_a_number_abroad_needs_its_country_and_keeps_it(number: str) -> None:
    assert e164(number) == number
    assert e164(f"00{number[1:]}") == number


@given(FRENCH.map(lambda digits: f"+33{digits}") | OVERSEAS_NUMBERS | ABROAD)
@settings(max_examples=300, deadline=None)
def test_what_123_fax_dials_is_the_number_that_was_meant(number: str) -> None:
    dialled = national(number)

    assert dialled.isdecimal()
    assert dialled.startswith("0")
    assert e164(dialled) == number
    assert len(dialled) == 10 or not number.startswith("+33")


@pytest.mark.parametrize("second", [" 0145678901", ";0145678901", ",1", "x12", " ext. 4", "#3"])
@given(digits=FRENCH)
@settings(max_examples=20, deadline=None)
def test_a_second_number_or_an_extension_is_never_dropped(second: str, digits: str) -> None:
    assert refused(f"0{digits}{second}")


@pytest.mark.parametrize("text", ["63998", "6 39 98", "639980001 1"])
def test_a_number_for_fiction_is_a_whole_one(text: str) -> None:
    assert refused(text)
