"""Write a text in the GSM alphabet, as a French reader expects it, or say what cannot be written.

What the alphabet has is kept. Accents that it lacks are dropped (ê is e, ç is c: the alphabet has
only Ç, which would shout in the middle of a word), typographic signs become their plain ones, and
nothing changes its meaning in silence: 10² is 10^2, and an emoji or a Greek word is refused.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.domain.segments import GSM7, Encoding, Outside, encoding_of, name_of

# fmt: off
_SIGNS: Final = {
    # Letters that Unicode does not take apart.
    "œ": "oe", "Œ": "OE", "ð": "d", "Ð": "D", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H",
    "ı": "i", "ł": "l", "Ł": "L", "ŧ": "t", "Ŧ": "T", "þ": "th", "Þ": "Th", "ẞ": "SS",
    "µ": "u", "μ": "u",
    # Quotation marks and apostrophes.
    "’": "'", "‘": "'", "‚": "'", "‛": "'", "′": "'", "ʼ": "'", "‹": "'", "›": "'", "`": "'", "´": "'",
    "«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"',
    # Dashes and dots.
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁃": "-",
    "•": "-", "‣": "-", "◦": "-", "▪": "-", "●": "-", "■": "-", "·": ".", "‧": ".", "…": "...",
    # Signs.
    "°": "o", "©": "(c)", "®": "(r)", "×": "x", "÷": "/", "±": "+/-", "⁄": "/", "¦": "|",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "→": "->", "←": "<-", "⇒": "=>", "‰": "0/00",
    # White space.
    "\t": " ", "\v": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n",
}
# fmt: on
_DROPPED: Final = frozenset({"Cf", "Mn"})  # what stands invisibly between letters; lone marks
_MARKS: Final = frozenset({"Mn", "Mc", "Me"})
# Asks for a letter as text or as a picture, and the frame of a key.
_STYLE: Final = re.compile("[\ufe00-\ufe0f\u20e3]")
_DIGITS: Final = (*"0123456789+-",)  # what a digit begins with, and a power
_TAGGED: Final = {"<super>": "^", "<sub>": "_"}  # of a digit after a digit; of others: a space


@dataclass(frozen=True, slots=True)
class Transliterated:
    """A text in the GSM alphabet, but for what was lost."""

    text: str  # what cannot be written stands in it unchanged
    lost: tuple[Outside, ...]  # with its places in the text that was given


def transliterate(text: str) -> Transliterated:
    """Return a text in the GSM alphabet; it is its own transliteration."""
    if encoding_of(text) is Encoding.GSM7:
        return Transliterated(text, ())
    written = ""
    lost: dict[str, list[int]] = {}
    was_changed = False
    for place, cluster in _clusters(text):
        made = _written(cluster)
        if made is None:
            wrong = next(letter for letter in cluster if letter not in GSM7)
            lost.setdefault(wrong, []).append(place)
            made = cluster
        changes = made != cluster
        if changes or was_changed:
            written += _between(written, made, cluster)
        written += made
        was_changed = changes
    found = (Outside(one, name_of(one), tuple(places)) for one, places in lost.items())
    return Transliterated(written, tuple(found))


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Return each character with its combining marks, composed (NFC), and its place."""
    place = 0
    while place < len(text):
        end = place + 1
        while end < len(text) and unicodedata.category(text[end]) in _MARKS:
            end += 1
        yield place, unicodedata.normalize("NFC", text[place:end])
        place = end


def _written(cluster: str) -> str | None:
    """Return what stands for a character and its marks, None where nothing does."""
    plain = _STYLE.sub("", cluster)
    if len(plain) == 1 and (known := _known(plain)) is not None:
        return known
    made = ""
    for letter in unicodedata.normalize("NFKD", plain):
        known = _known(letter)
        if known is None:
            return None
        if unicodedata.category(letter) in _MARKS and made and not made[-1].isalpha():
            return None  # a stroke through a sign is another sign
        made += known
    return made


def _known(letter: str) -> str | None:
    """Return what stands for one character without its accents."""
    if letter in GSM7:
        return letter
    if letter in _SIGNS:
        return _SIGNS[letter]
    category = unicodedata.category(letter)
    if category in _DROPPED:
        return ""
    return " " if category == "Zs" else None


def _between(written: str, made: str, cluster: str) -> str:
    """Keep digits apart that were told apart by their form: 10² is not 102, nor 2½ 21/2."""
    if not written[-1:].isdigit() or not made.startswith(_DIGITS):
        return ""
    tag = _TAGGED.get(unicodedata.decomposition(cluster[0]).partition(" ")[0])
    return tag or (" " if made[0].isdigit() else "")
