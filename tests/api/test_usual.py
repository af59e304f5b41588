"""What is known without the libraries is what they say, and what they refuse is never known."""

import random

import phonenumbers
import pytest
from email_validator import EmailNotValidError
from phonenumbers import PhoneNumberFormat

from app.api import usual
from app.api.fields import e164, email_address
from app.api.usual import HOME

ANY = random.Random(33)
LETTERS = "abcXYZ019!#$%&'*+/=?^_`{|}~-.. @\"(),:;<>[]\\\té漢"
DOMAINS = [
    "exemple.fr", "Exemple.FR", "a.b.c.exemple.museum", "exemple", "exemple.test", "x.TEST",
    "-a.fr", "a-.fr", "a..fr", ".fr", "fr.", "a_b.fr", "localhost", "a.local", "a.invalid",
    "exemple.123", "127.0.0.1", "[127.0.0.1]", "xn--mnchen-3ya.de", "münchen.de", "ab--cd.fr",
    "a" * 63 + ".fr", "a" * 64 + ".fr", ".".join(["a" * 60] * 4) + ".fr", "a.example", "a.onion",
    "1exemple.fr", "exemple.fr ", "a.fr\n",
]  # fmt: skip
LOCALS = [
    "marie", "marie.durand", "Marie", ".marie", "marie.", "a..b", "o'neil", "a+b", "Postmaster",
    "ABUSE", "info", "Info", "a" * 64, "a" * 65, "", '"a b"', "é", "a b", "a@b", "Marie <a",
]  # fmt: skip


def by_library(text: str) -> str | None:
    """Return a French number as the library reads it, without a word of ours."""
    parsed = phonenumbers.parse(text, HOME)
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def numbers(count: int) -> list[str]:
    national = [f"{ANY.randrange(10):01}{ANY.randrange(10**8):08}" for _ in range(count)]
    return [ANY.choice(("+33", "0")) + one for one in national]


def edges() -> list[str]:
    """Return numbers of every beginning of four digits."""
    return [f"+33{begin:04}{end}" for begin in range(10_000) for end in ("12345",)]


def test_a_number_is_known_exactly_where_the_library_takes_it() -> None:
    asked = numbers(10_000) + edges()

    found = {text: usual.number(text, HOME) for text in asked}
    said = {text: by_library(text) for text in asked if text[-9] != "0"}

    assert {text: found[text] for text in said} == said
    assert 5_000 < sum(one is not None for one in found.values()) < len(found) - 2_000
    assert {found[text] for text in asked if text[-9] == "0"} == {None}


@pytest.mark.parametrize(
    "text",
    [
        "+3361234567", "+336123456789", "+33612345678\n", "+33 612345678", "+33٦12345678",
        "0033612345678", "33612345678", "612345678", "+32470123456", "", "+", "+33", "0",
    ],
)  # fmt: skip
def test_what_is_not_written_plainly_is_left_to_the_library(text: str) -> None:
    assert usual.number(text, HOME) is None


def test_a_national_number_is_french_at_home_only() -> None:
    assert usual.number("0612345678", HOME) == "+33612345678"
    assert usual.number("0612345678", "BE") is None
    assert usual.number("+33612345678", "BE") == "+33612345678"
    assert e164("+33612345678", home="BE") == "+33612345678"


def corpus() -> list[str]:
    made = [f"{local}@{domain}" for local in LOCALS for domain in DOMAINS]
    drawn = ["".join(ANY.choices(LETTERS, k=ANY.randrange(1, 12))) for _ in range(8_000)]
    made += [f"{one}@exemple.fr" for one in drawn] + [f"marie@{one}.fr" for one in drawn]
    # Around the longest that an address may be.
    label = "b" * 60
    made += [f"{'a' * size}@{label}.{label}.{label}.fr" for size in range(50, 75)]
    return [*made, "", "@", "a", "a@", "@exemple.fr", "Marie <marie@exemple.fr>"]


def validated(text: str) -> str | None:
    try:
        found = usual.validated(text)
    except EmailNotValidError:
        return None
    return found.ascii_email or found.normalized


def test_an_address_is_known_only_as_the_library_keeps_it() -> None:
    known = {text: one for text in corpus() if (one := usual.address(text)) is not None}

    assert len(known) > 500
    assert {text: validated(text) for text in known} == known


@pytest.mark.parametrize(
    "text", ["marie@exemple.fr", "o'neil+a@Exemple.FR", "a.b@x.test", f"{'a' * 64}@exemple.fr"]
)
def test_a_plain_address_is_known(text: str) -> None:
    assert usual.address(text) == email_address(text) == validated(text)
