"""Any text: how many parts it takes, and how it is written in the GSM alphabet."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.segments import CAPACITY, GSM7, Encoding, measure, outside
from app.domain.transliterate import transliterate

WIDE = "\f^{}\\[~]|€"  # two septets
GSM = st.text(st.sampled_from(sorted(GSM7)), max_size=700)
WIDE_GSM = st.text(st.sampled_from("aé" + WIDE), max_size=700)
FRENCH = st.text(st.sampled_from("aéêçœÀ’«»…–\u00a0\u202f1²½-\u0301\u0302"), max_size=80)
EMOJI = st.text(st.sampled_from("aê😀👍🏽\ufe0f\u200d"), max_size=300)
ANY = st.text(max_size=300)


def pairs(text: str) -> list[bytes]:
    """Return a text's characters as they go over the air, a byte for each unit."""
    if all(letter in GSM7 for letter in text):
        return [b"\x1b" * (letter in WIDE) + b"." for letter in text]
    return [b"." * (len(letter.encode("utf-16-le")) // 2) for letter in text]


def split(text: str) -> list[list[bytes]]:
    """Fill part after part with whole characters: slow, and plainly right."""
    encoding = Encoding.GSM7 if all(letter in GSM7 for letter in text) else Encoding.UCS2
    characters = pairs(text)
    if len(b"".join(characters)) <= CAPACITY[encoding].alone:
        return [characters]
    parts: list[list[bytes]] = [[]]
    for character in characters:
        if len(b"".join(parts[-1])) + len(character) > CAPACITY[encoding].concatenated:
            parts.append([])
        parts[-1].append(character)
    return parts


@given(GSM | WIDE_GSM | EMOJI | ANY)
@settings(max_examples=400, deadline=None)
@example("a" * 152 + "€" * 80)
@example("ê" * 66 + "😀" * 40)
def test_a_text_takes_the_parts_that_its_whole_characters_fill(text: str) -> None:
    measured, parts = measure(text), split(text)

    assert measured.parts == len(parts)
    assert measured.units == sum(len(character) for part in parts for character in part)
    capacity = CAPACITY[measured.encoding]
    size = capacity.alone if len(parts) == 1 else capacity.concatenated
    assert measured.remaining == size - len(b"".join(parts[-1]))


@given(GSM | EMOJI | FRENCH | ANY)
@settings(max_examples=300, deadline=None)
def test_what_forces_ucs2_is_exactly_what_is_named(text: str) -> None:
    named = outside(text)

    assert (measure(text).encoding is Encoding.UCS2) is bool(named)
    places = {place: one.character for one in named for place in one.places}
    assert all(text[place] == character for place, character in places.items())
    rest = "".join(letter for place, letter in enumerate(text) if place not in places)
    assert measure(rest).encoding is Encoding.GSM7


@given(GSM | FRENCH | EMOJI | ANY)
@settings(max_examples=500, deadline=None)
@example("2½3²4⁻5")
@example("\u0301e\u0301\u0302")
@example("1\ufe0f\u20e3")
def test_a_transliteration_is_gsm_and_its_own_transliteration_or_says_what_is_lost(
    text: str,
) -> None:
    made = transliterate(text)

    if not made.lost:
        assert measure(made.text).encoding is Encoding.GSM7
        assert transliterate(made.text) == made
    for one in made.lost:
        assert one.character in text or one.character not in GSM7
        assert all(0 <= place < len(text) for place in one.places)


@given(FRENCH)
@settings(max_examples=300, deadline=None)
def test_nothing_of_french_is_lost(text: str) -> None:
    lost = {one.character for one in transliterate(text).lost}

    # A mark on a sign is no French.
    assert lost <= {"\u0301", "\u0302", "«", "»", "’", "…", "–", "²", "½", "\u00a0", "\u202f"}
    plain = "".join(letter for letter in text if letter not in "\u0301\u0302")
    assert transliterate(plain).lost == ()


@given(st.text(st.sampled_from("0123456789²³½¼⁻₂①  "), max_size=12))
@settings(max_examples=300, deadline=None)
def test_digits_that_stood_apart_never_run_together(text: str) -> None:
    runs = "".join(letter if letter in "0123456789" else " " for letter in text).split()
    made = transliterate(text).text

    for run in runs:
        assert run in "".join(letter if letter in "0123456789" else " " for letter in made).split()
