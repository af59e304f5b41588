import unicodedata

import pytest

from app.domain.segments import Encoding, Outside, encoding_of
from app.domain.transliterate import Transliterated, transliterate


def written(text: str) -> str:
    """Return what is written of a text of which nothing is lost."""
    made = transliterate(text)
    assert made.lost == ()
    assert encoding_of(made.text) is Encoding.GSM7
    return made.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Votre code : 1234 à payer en €", "Votre code : 1234 à payer en €"),
        ("Ça été là où É", "Ça été là où É"),  # the alphabet has them
        (
            "garçon, forêt, Noël, île, août, hôtel, âge",
            "garcon, foret, Noel, ile, aout, hotel, age",
        ),
        ("À CÔTÉ, ÊTRE, OÙ, L'HAŸ", "A COTÉ, ETRE, OU, L'HAY"),
        ("œuf ŒUVRE cœur æ Æ", "oeuf OEUVRE coeur æ Æ"),
        ("l’été «\u00a0oui\u00a0» “non” ‘si’", 'l\'été " oui " "non" \'si\''),
        ("attendez… 10\u202f000\u00a0€ – ici — là", "attendez... 10 000 € - ici - là"),
        ("a\tb\u2028c\u2003d", "a b\nc d"),
        ("soft\u00adhyphen zero\u200bwidth \ufeffbom", "softhyphen zerowidth bom"),
        ("nº 5, n° 6, № 7, 1ᵉʳ, 20 °C", "no 5, no 6, No 7, 1er, 20 oC"),
        ("m², H₂O, ½ pain, ①", "m2, H2O, 1/2 pain, 1"),
        ("étudiant·e·s", "étudiant.e.s"),
        ("• un\n• deux → trois", "- un\n- deux -> trois"),
        ("ﬁn Ⅳ ＡＢＣ Ω", "fin IV ABC Ω"),
        ("1\ufe0f\u20e3 ©\ufe0f ™", "1 (c) TM"),
        ("Łódź, Škoda, Đoković, groß, Þór", "Lodz, Skoda, Dokovic, groß, Thor"),
    ],
)
def test_french_is_written_as_a_reader_expects_it(text: str, expected: str) -> None:
    assert written(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10²", "10^2"),
        ("10⁻³", "10^-3"),
        ("10₂", "10_2"),
        ("2½", "2 1/2"),
        ("½3", "1/2 3"),
        ("1①", "1 1"),
        ("x ≠ y ≤ z", "x != y <= z"),
    ],
)
def test_a_number_stays_the_number_that_it_was(text: str, expected: str) -> None:
    assert written(text) == expected


@pytest.mark.parametrize("text", ["forêt, âgé", "Noël à l'île", "ça ÇA ñ Å"])
def test_accents_written_apart_are_as_those_that_are_not(text: str) -> None:
    assert written(unicodedata.normalize("NFD", text)) == written(text)


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("ok 😀", [("😀", "GRINNING FACE", (3,))]),
        ("αβγ", [(one, f"GREEK SMALL LETTER {name}", (place,)) for place, (one, name) in
                 enumerate([("α", "ALPHA"), ("β", "BETA"), ("γ", "GAMMA")])]),
        ("ê Ж ê Ж", [("Ж", "CYRILLIC CAPITAL LETTER ZHE", (2, 6))]),
        ("e\u0301e\u0301 日", [("日", "CJK UNIFIED IDEOGRAPH-65E5", (5,))]),
        ("a ≮ b", [("≮", "NOT LESS-THAN", (2,))]),  # without its stroke it says the contrary
        ("=\u0336", [("\u0336", "COMBINING LONG STROKE OVERLAY", (0,))]),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_named_and_left(
    text: str, lost: list[tuple[str, str, tuple[int, ...]]]
) -> None:
    assert transliterate(text).lost == tuple(Outside(*one) for one in lost)


def test_what_is_in_the_alphabet_is_not_touched() -> None:
    text = "[1234] {x} ~ | \\ ^ _ @ Ç \r\n Δ"
    assert transliterate(text) == Transliterated(text, ())


def test_the_letters_of_western_and_central_europe_are_written() -> None:
    letters = [chr(code) for code in range(0xA0, 0x180)]
    lost = [one.character for letter in letters for one in transliterate(letter).lost]

    assert lost == list("¢¨¬¯¶¸ĸŊŋ")
