"""How a text message is written and split (3GPP TS 23.038, 6.2; TS 23.040, 9.2.3.24).

Of French, the GSM alphabet has à é è ù É Ç and the capitals of no other letter with an accent; it
lacks â ç ê ë î ï ô û ÿ œ, À Â È Ê Ë Î Ï Ô Ù Û Ÿ Œ, the typographic apostrophe, quotation marks,
dashes, dots and every space but the plain one. One of them makes the whole text UCS-2.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = "\f^{}\\[~]|€"  # two septets each: the escape, and its letter
GSM7: Final = frozenset(_BASIC + _EXTENDED)
_ALL_BASIC: Final = re.compile(f"[{re.escape(_BASIC)}]*+")
_ALL_GSM7: Final = re.compile(f"[{re.escape(_BASIC + _EXTENDED)}]*+")
_TWO_SEPTETS: Final = re.compile(f"[{re.escape(_EXTENDED)}]")
_TWO_UNITS: Final = re.compile("[\U00010000-\U0010ffff]")  # a surrogate pair in UTF-16


class Encoding(StrEnum):
    """How a text message is written on the air."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many units a part takes: septets, or UTF-16 units."""

    alone: int
    concatenated: int  # what the header of 6 octets leaves


CAPACITY: Final = {Encoding.GSM7: Capacity(160, 153), Encoding.UCS2: Capacity(70, 67)}
# Looked up once: each time, that takes as long as looking through a text.
_GSM7: Final = Encoding.GSM7
_OF_GSM7: Final = CAPACITY[Encoding.GSM7]
_OF_UCS2: Final = CAPACITY[Encoding.UCS2]


class Measured(NamedTuple):
    """What a text takes."""

    encoding: Encoding
    units: int  # septets, or UTF-16 units, of the text itself
    parts: int
    remaining: int  # units that the last part still takes


@dataclass(frozen=True, slots=True)
class Outside:
    """A character that the GSM alphabet lacks."""

    character: str
    name: str  # in Unicode
    places: tuple[int, ...]  # in characters from the beginning, which is 0


def encoding_of(text: str) -> Encoding:
    """Return how a text must be written."""
    return Encoding.GSM7 if _ALL_GSM7.fullmatch(text) else Encoding.UCS2


def segments(text: str) -> int:
    """Return the number of parts."""
    return measure(text).parts


def measure(text: str) -> Measured:
    """Return what a text takes; neither an escape and its letter nor a surrogate pair is split."""
    if _ALL_BASIC.fullmatch(text):
        return _evenly(_GSM7, len(text))
    encoding = encoding_of(text)
    wide = _TWO_SEPTETS if encoding is Encoding.GSM7 else _TWO_UNITS
    places = [found.start() for found in wide.finditer(text)]
    units = len(text) + len(places)
    if not places or units <= CAPACITY[encoding].alone:
        return _evenly(encoding, units)
    return _filled(encoding, units, places)


def _evenly(encoding: Encoding, units: int) -> Measured:
    """Split a text whose characters take one unit each, or that needs no splitting."""
    capacity = _OF_GSM7 if encoding is _GSM7 else _OF_UCS2
    if units <= capacity.alone:
        return Measured(encoding, units, 1, capacity.alone - units)
    parts = -(-units // capacity.concatenated)
    return Measured(encoding, units, parts, parts * capacity.concatenated - units)


def _filled(encoding: Encoding, units: int, places: Iterable[int]) -> Measured:
    """Split a text with characters of two units: one that does not fit begins the next part."""
    size = CAPACITY[encoding].concatenated
    padding = 0  # units that stay empty at the end of parts
    for before, place in enumerate(places):
        if (place + before + padding) % size == size - 1:
            padding += 1
    parts = -(-(units + padding) // size)
    return Measured(encoding, units, parts, parts * size - units - padding)


def outside(text: str) -> list[Outside]:
    """Return the characters that force UCS-2, in the order of their first places."""
    found: dict[str, list[int]] = {}
    for place, character in enumerate(text):
        if character not in GSM7:
            found.setdefault(character, []).append(place)
    return [Outside(one, name_of(one), tuple(places)) for one, places in found.items()]


def name_of(character: str) -> str:
    """Return a character's name in Unicode, or its number where it has none."""
    return unicodedata.name(character, f"U+{ord(character):04X}")
