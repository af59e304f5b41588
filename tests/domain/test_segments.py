import pytest

from app.domain.segments import Encoding, Measured, Outside, measure, outside, segments

# 3GPP TS 23.038, 6.2.1: the table a second time, by its codes, row by row; None is the escape.
ALPHABET = [
    *("@", "£", "$", "¥", "è", "é", "ù", "ì", "ò", "Ç", "\n", "Ø", "ø", "\r", "Å", "å"),
    *("Δ", "_", "Φ", "Γ", "Λ", "Ω", "Π", "Ψ", "Σ", "Θ", "Ξ", None, "Æ", "æ", "ß", "É"),
    *(" ", "!", '"', "#", "¤", "%", "&", "'", "(", ")", "*", "+", ",", "-", ".", "/"),
    *("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", ":", ";", "<", "=", ">", "?"),
    *("¡", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O"),
    *("P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "Ä", "Ö", "Ñ", "Ü", "§"),
    *("¿", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"),
    *("p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "ä", "ö", "ñ", "ü", "à"),
]
# 6.2.1.1: the extension, by its codes.
EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\",
    0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert len(ALPHABET) == 128
    for letter in ALPHABET:
        if letter is not None:
            assert measure(letter) == Measured(Encoding.GSM7, 1, 1, 159)
    for letter in EXTENSION.values():
        assert measure(letter) == Measured(Encoding.GSM7, 2, 1, 158)
    known = {*ALPHABET, *EXTENSION.values()}
    others = [chr(code) for code in range(0x10000) if chr(code) not in known]
    assert {measure(letter).encoding for letter in others} == {Encoding.UCS2}


@pytest.mark.parametrize("letter", "àéèùÉÇ")
def test_these_letters_of_french_are_in_the_alphabet(letter: str) -> None:
    assert measure(letter).encoding is Encoding.GSM7


@pytest.mark.parametrize("letter", "âçêëîïôûÿœÀÂÈÊËÎÏÔÙÛŸŒ’«»“”…–—\u00a0\u202f")
def test_these_of_french_are_not(letter: str) -> None:
    assert measure(letter).encoding is Encoding.UCS2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 160, 1),  # in the alphabet of GSM
        ("€" * 80, 1),  # two septets each
        ("€" * 81, 2),
        ("ê" * 70, 1),  # not in it: UCS-2
        ("ê" * 71, 2),
        ("ê" * 134, 2),
        ("ê" * 135, 3),
        ("😀" * 35, 1),  # two UTF-16 units each
        ("😀" * 36, 2),
    ],
)
def test_a_text_takes_as_many_parts_as_the_standard_says(text: str, parts: int) -> None:
    assert segments(text) == parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 152 septets and an escape: its letter would begin the second part.
        ("a" * 152 + "€" + "a" * 152, Measured(Encoding.GSM7, 306, 3, 152)),
        ("a" * 151 + "€" + "a" * 153, Measured(Encoding.GSM7, 306, 2, 0)),
        ("€" * 152, Measured(Encoding.GSM7, 304, 2, 1)),  # 76 and a free septet in each
        ("€" * 153, Measured(Encoding.GSM7, 306, 3, 151)),
        ("a" * 159 + "€", Measured(Encoding.GSM7, 161, 2, 145)),
        ("a" * 158 + "€", Measured(Encoding.GSM7, 160, 1, 0)),
        # 66 units and the first of a pair.
        ("ê" * 66 + "😀" + "ê" * 66, Measured(Encoding.UCS2, 134, 3, 66)),
        ("ê" * 65 + "😀" + "ê" * 67, Measured(Encoding.UCS2, 134, 2, 0)),
        ("😀" * 66, Measured(Encoding.UCS2, 132, 2, 1)),
        ("😀" * 67, Measured(Encoding.UCS2, 134, 3, 65)),
        ("ê" * 70, Measured(Encoding.UCS2, 70, 1, 0)),
        # In UCS-2 what GSM escapes is a unit like any other.
        ("ê" + "€" * 69, Measured(Encoding.UCS2, 70, 1, 0)),
    ],
)
def test_what_takes_two_units_is_not_split_over_two_parts(text: str, expected: Measured) -> None:
    assert measure(text) == expected


def test_what_forces_ucs2_is_named_with_its_places() -> None:
    assert outside("Prêt à fêter Noël 😀 ?\ue000") == [
        Outside("ê", "LATIN SMALL LETTER E WITH CIRCUMFLEX", (2, 8)),
        Outside("ë", "LATIN SMALL LETTER E WITH DIAERESIS", (15,)),
        Outside("😀", "GRINNING FACE", (18,)),
        Outside("\ue000", "U+E000", (21,)),
    ]


def test_an_accent_written_apart_forces_ucs2() -> None:
    assert outside("e\u0301te\u0301") == [Outside("\u0301", "COMBINING ACUTE ACCENT", (1, 4))]
