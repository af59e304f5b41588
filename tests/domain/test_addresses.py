"""Two spellings of one recipient are compared as one, whatever they are made of."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from app.domain.addresses import normalised


@given(st.text(max_size=40) | st.text(st.characters(max_codepoint=127), max_size=40))
def test_plain_letters_are_compared_like_all_others(text: str) -> None:
    assert normalised(text) == unicodedata.normalize("NFC", text.strip()).casefold()


def test_case_and_composition_do_not_tell_recipients_apart() -> None:
    assert normalised(" Marie@Exemple.FR ") == "marie@exemple.fr"
    assert normalised("Zoe\u0301@exemple.fr") == normalised("ZO\u00c9@exemple.fr")
