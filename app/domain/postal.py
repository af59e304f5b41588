"""Postal addresses as NF Z10-011 lays them out: six lines of 38 characters, and a country.

1 the addressee, 2 the person or the door, 3 the building, 4 number and street, 5 locality or post
box, 6 postal code and town, 7 the country. Capitals from line 4 on, and no punctuation. What a
foreign post wants is its own: of an address abroad only the length of the lines is looked at.
"""

import re
import unicodedata
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.countries import COUNTRIES, DOMESTIC, POSTAL_CODES
from app.domain.fault import FieldError

LONGEST: Final = 38  # characters of a line, blanks included
_CAPITALS_FROM: Final = 4  # this line on

# By what a complement begins with: what is inside the house, and what is a place of its own.
_INSIDE: Final = re.compile(
    r"(APPARTEMENT|APPT|APP|APT|ETAGE|ETG|PORTE|ESCALIER|ESC|CHEZ|CHAMBRE|SERVICE|SCE"
    r"|[0-9]+ ?(ER|ERE|E|EME|ND) (ETAGE|ETG))\b"
)
_PLACE: Final = re.compile(
    r"(B ?P|BOITE POSTALE|C ?S|COURSE SPECIALE|T ?S ?A|CIDEX|POSTE RESTANTE|LIEU DIT|LD|HAMEAU|HAM"
    r")\b"
)
_CEDEX: Final = re.compile(r"\S.* CEDEX( [0-9]{1,2})?")
_BEGINS_WITH_CODE: Final = re.compile(r"[0-9]{5}\b ?")
_FIVE_DIGITS: Final = re.compile(r"[0-9]{5}")
_NO_DEPARTMENT: Final = ("96", "99")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Who a letter goes to, and where."""

    line1: str
    postal_code: str
    city: str
    country: str = "FR"  # ISO 3166-1, two letters
    line2: str | None = None
    title: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None

    @property
    def person(self) -> str:
        """The line that names a person; empty where there is none."""
        return " ".join(one for one in (self.title, self.first_name, self.last_name) if one)

    @property
    def is_domestic(self) -> bool:
        """Whether the post of France carries it without a country."""
        return self.country in DOMESTIC

    @property
    def is_french(self) -> bool:
        """Whether it is written by the French norm."""
        return self.is_domestic or self.country in POSTAL_CODES


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an address."""

    number: int  # 1 to 7
    text: str
    pointer: str  # of the field that it is made of, in who a letter goes to


def folded(text: str) -> str:
    """Return a text in capitals without accents and punctuation, single blanks between words."""
    upper = unicodedata.normalize("NFKD", text.replace("&", " ET ")).upper()
    for ligature, letters in (("Œ", "OE"), ("Æ", "AE"), ("Ø", "O"), ("Ł", "L"), ("Đ", "D")):
        upper = upper.replace(ligature, letters)
    kept = []
    for letter in unicodedata.normalize("NFKD", upper):
        category = unicodedata.category(letter)
        if category[0] in "LN" and category != "Lm":
            kept.append(letter)
        elif category[0] != "M":
            kept.append(" ")
    return " ".join("".join(kept).split())


def lines_of(address: Address) -> list[Line]:
    """Return an address line by line; empty ones are left out."""
    found: dict[int, Line] = {}
    who = [("/company", address.company or ""), ("/last_name", address.person)]
    for number, (pointer, text) in enumerate([one for one in who if one[1]], start=1):
        found[number] = Line(number, text, pointer)
    street, complement = address.line1, address.line2
    is_box = _PLACE.match(folded(street)) and not (complement and _PLACE.match(folded(complement)))
    number = 5 if is_box else 4
    found[number] = Line(number, street, "/address/line1")
    if complement:
        number = _number_of(folded(complement), found)
        found[number] = Line(number, complement, "/address/line2")
    found[6] = Line(6, f"{address.postal_code} {address.city}".strip(), "/address/city")
    if not address.is_domestic:
        name = COUNTRIES.get(address.country, address.country)
        found[7] = Line(7, name, "/address/country")
    return [found[number] for number in sorted(found) if found[number].text.strip()]


def _number_of(complement: str, taken: Container[int]) -> int:
    """Return the line of a complement; the second is a person's where a company stands above."""
    if _PLACE.match(complement):
        return 5
    return 2 if _INSIDE.match(complement) and 2 not in taken else 3  # noqa: PLR2004 -- lines


def findings(address: Address) -> list[FieldError]:
    """Return what the norm has against an address; nothing of it keeps a letter from leaving."""
    found = [one for line in lines_of(address) for one in _of_line(line, address)]
    return [*found, *_of_place(address)]


def too_long(address: Address) -> list[FieldError]:
    """Return the lines that are longer than an envelope's window."""
    return [one for line in lines_of(address) for one in _overlong(line)]


def _overlong(line: Line) -> Iterator[FieldError]:
    if len(line.text) > LONGEST:
        detail = f"Line {line.number} has {len(line.text)} characters; {LONGEST} are taken."
        yield FieldError(line.pointer, "line_too_long", detail)


def _of_line(line: Line, address: Address) -> Iterator[FieldError]:
    text, pointer = line.text, line.pointer
    yield from _overlong(line)
    if text != " ".join(text.split()) or any(one.isspace() and one != " " for one in text):
        yield FieldError(pointer, "spaces", "Write one plain space between words, and none around.")
    if line.number < _CAPITALS_FROM or not address.is_french:
        return
    for code, detail, is_wrong in _RULES:
        if is_wrong(text):
            yield FieldError(pointer, code, f"Line {line.number}: {detail}")


def _has_accents(text: str) -> bool:
    return any(unicodedata.category(one)[0] == "M" for one in unicodedata.normalize("NFD", text))


def _has_punctuation(text: str) -> bool:
    return any(unicodedata.category(one)[0] in "PSC" for one in text)


def _is_not_latin(text: str) -> bool:
    return not folded(text).isascii()


_RULES: Final[Sequence[tuple[str, str, Callable[[str], bool]]]] = (
    ("not_capitals", "write it in capitals.", lambda text: text != text.upper()),
    ("accents", "write it without accents.", _has_accents),
    ("punctuation", "write it without punctuation, a blank in its place.", _has_punctuation),
    ("not_latin", "write it in Latin letters and digits.", _is_not_latin),
)


def _of_place(address: Address) -> Iterator[FieldError]:
    code, town = address.postal_code, folded(address.city)
    if address.country not in COUNTRIES:
        yield FieldError("/address/country", "country_unknown", "ISO 3166-1 has no such country.")
    if not address.is_french:
        return
    begins = POSTAL_CODES.get(address.country, ())
    if begins and not (_FIVE_DIGITS.fullmatch(code) and code.startswith(begins)):
        named = COUNTRIES[address.country]
        detail = f"Postal codes of {named} have five digits, first {' or '.join(begins)}."
        yield FieldError("/address/postal_code", "postal_code_mismatch", detail)
    elif code.startswith(_NO_DEPARTMENT):
        detail = "No French department has such a postal code."
        yield FieldError("/address/postal_code", "postal_code_unknown", detail)
    if _BEGINS_WITH_CODE.match(town):
        detail = "The postal code stands before the town already."
        yield FieldError("/address/city", "postal_code_repeated", detail)
    if "CEDEX" in town.split() and not _CEDEX.fullmatch(town):
        detail = "Write the town, CEDEX and at most its number: PARIS CEDEX 08."
        yield FieldError("/address/city", "cedex_malformed", detail)
