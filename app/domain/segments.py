"""How many parts a text message takes (3GPP TS 23.038, 6.2; TS 23.040, 9.2.3.24)."""

from typing import Final

_GSM7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")  # two septets each
_ONE: Final = {True: 160, False: 70}  # units in a message of one part: septets, or UTF-16 units
_MANY: Final = {True: 153, False: 67}  # in each part of a longer one


def segments(text: str) -> int:
    """Return the number of parts."""
    fits = all(letter in _GSM7 or letter in _EXTENDED for letter in text)
    if fits:
        units = sum(2 if letter in _EXTENDED else 1 for letter in text)
    else:
        units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= _ONE[fits] else -(-units // _MANY[fits])
