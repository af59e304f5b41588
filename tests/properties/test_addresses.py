"""Addresses, electronic and postal: what is taken is taken as it is, and nothing crashes."""

import string
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from app.api.fields import email_address
from app.api.schemas import AddresseeIn, AddressIn

LINE_BREAKS = "\r\n\t\v\f\x1c\x1d\x1e\x85\u2028\u2029"
ATOMS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~", min_size=1)
LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(
    lambda label: "--" not in label
)
DOMAINS = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "fr"]))
LOCAL = st.lists(ATOMS, min_size=1, max_size=3).map(".".join).filter(lambda one: len(one) <= 64)


def taken(text: str) -> str | None:
    """Return the address that is kept, None where it is refused; nothing else may be raised."""
    try:
        return email_address(text)
    except PydanticCustomError as why:
        fault = why
    assert fault.type == "gateway:address_invalid"
    assert len(text) < 6 or "@" not in text or text not in str(fault)
    return None


@given(
    st.text(max_size=80)
    | st.text(string.ascii_letters + '@."() <>,;:\\-éß\u0130\u3002', max_size=40)
)
@settings(max_examples=500, deadline=None)
@example("a@b.test")
@example("@")
@example("a@xn--zca.fr")
@example("a@\u2488com")
@example("a" * 65 + "@exemple.fr")
@example("a@" + "b." * 125 + "fr")
@example("\ud800@exemple.fr")
def test_any_text_is_an_address_or_refused_and_an_address_is_its_own_normal_form(text: str) -> None:
    address = taken(text)

    if address is not None:
        assert address.count("@") == 1
        assert not set(address) & {*LINE_BREAKS, *" <>,;"}
        assert len(address) <= 254
        assert taken(address) == address


@given(LOCAL, DOMAINS, st.sampled_from([str, str.upper, str.title]))
@settings(max_examples=200, deadline=None)
def test_only_the_domain_of_an_address_changes_its_case(
    local: str, domain: str, written: Any
) -> None:
    assert taken(f"{local}@{written(domain)}") == f"{local}@{domain}"


@given(LOCAL, DOMAINS, st.sampled_from(LINE_BREAKS + " \0"), st.integers(0, 100))
@settings(max_examples=200, deadline=None)
def test_an_address_that_would_begin_another_header_is_refused(
    local: str, domain: str, sign: str, at: int
) -> None:
    address = f"{local}@{domain}"
    at %= len(address) + 1

    assert taken(address[:at] + sign + address[at:]) is None


@given(LOCAL, DOMAINS, LOCAL, DOMAINS, st.sampled_from([",", ";", ", ", " "]))
@settings(max_examples=100, deadline=None)
def test_two_addresses_are_never_one(
    local: str, domain: str, second: str, other: str, between: str
) -> None:
    assert taken(f"{local}@{domain}{between}{second}@{other}") is None


# Postal addresses.

LINES = st.text(st.characters(codec="utf-8", exclude_characters=LINE_BREAKS), max_size=120)
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | LINES | st.lists(LINES)
GOOD_LINE = LINES.filter(lambda text: text.strip() and len(text) <= 100)


def built(model: Any, fields: Any) -> Any:
    """Return the fields as they are kept, None where they are refused."""
    try:
        return model.model_validate(fields).model_dump()
    except ValidationError:
        return None


@given(
    st.dictionaries(
        st.sampled_from(["line1", "line2", "postal_code", "city", "country", "street"]), ANYTHING
    )
    | ANYTHING
)
@settings(max_examples=300, deadline=None)
def test_anything_is_a_postal_address_or_refused_and_is_kept_as_it_was_given(fields: Any) -> None:
    kept = built(AddressIn, fields)

    if kept is not None:
        assert kept == {"line2": None, "country": "FR", "normalise": False} | fields
        assert built(AddressIn, kept) == kept
        assert all(kept[name].strip() for name in ("line1", "postal_code", "city"))


@given(GOOD_LINE, st.none() | GOOD_LINE, GOOD_LINE, st.from_regex(r"[0-9]{5}", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_a_french_address_is_kept_to_the_letter(
    line1: str, line2: str | None, city: str, code: str
) -> None:
    fields = {"line1": line1, "line2": line2, "city": city, "postal_code": code}

    assert built(AddressIn, fields) == {**fields, "country": "FR", "normalise": False}


@given(GOOD_LINE, st.text(string.digits + " -ABé٣", max_size=7))
@settings(max_examples=200, deadline=None)
def test_a_french_postal_code_has_five_digits_and_others_what_they_have(
    line: str, code: str
) -> None:
    french = {"line1": line, "city": line, "postal_code": code}
    is_french = len(code) == 5 and all(letter in string.digits for letter in code)

    assert (built(AddressIn, french) is not None) is is_french
    assert (built(AddressIn, french | {"country": "BE"}) is not None) is bool(code.strip())


@given(
    GOOD_LINE, st.sampled_from(LINE_BREAKS), st.integers(0, 99), st.sampled_from(["line1", "city"])
)
@settings(max_examples=200, deadline=None)
def test_a_line_of_an_address_is_a_single_line(line: str, sign: str, at: int, name: str) -> None:
    fields = {"line1": "12 RUE DES LILAS", "city": "PARIS", "postal_code": "75011"}
    at %= len(line) + 1

    assert built(AddressIn, fields | {name: line[:at] + sign + line[at:]}) is None


@given(*[st.none() | GOOD_LINE] * 3)
@settings(max_examples=200, deadline=None)
def test_an_addressee_is_a_person_or_a_company(
    last: str | None, first: str | None, company: str | None
) -> None:
    address = {"line1": "12 RUE DES LILAS", "city": "PARIS", "postal_code": "75011"}
    fields = {"last_name": last, "first_name": first, "company": company, "address": address}

    is_somebody = company is not None or (last is not None and first is not None)
    assert (built(AddresseeIn, fields) is not None) is is_somebody
