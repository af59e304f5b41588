"""123-fax's callbacks: any query is a well-formed acknowledgement or a ValueError."""

import re
import string
from urllib.parse import parse_qsl, quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.acknowledgement import Acknowledgement
from app.providers.fax123.acknowledgement import _values, learn, read

CODES = st.from_regex(r"[0-9]{1,10}", fullmatch=True)
REFERENCES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=100
)
NUMBERS = st.from_regex(r"[0-9+(). /-]{1,40}", fullmatch=True).filter(lambda text: text.strip())
PAGES = st.integers(0, 99_999)
HOURS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=64)
NAMES = st.sampled_from(["etat_e", "ref_accuse", "numero", "nb_page", "heure", "autre", ""])


def said_of(query: bytes) -> Acknowledgement | None:
    """Return what a query says, None for a ValueError; nothing else may be raised."""
    try:
        return read(query)
    except ValueError:
        return None


def assert_well_formed(said: Acknowledgement) -> None:
    """Check what the store and the lists rely on."""
    assert re.fullmatch(r"0|[1-9][0-9]{0,9}", said.code, re.ASCII)
    assert re.fullmatch(r"[!-~]{1,100}", said.reference)
    assert re.fullmatch(r"[0-9+(). /-]{1,40}", said.number, re.ASCII)
    assert said.pages is None or 0 <= said.pages <= 99_999
    assert said.provider_time is None or re.fullmatch(r"[ -~]{1,64}", said.provider_time)


PIECES = st.sampled_from(
    [
        *(
            b"etat_e=0",
            b"ref_accuse=A7K2M9Q4X1",
            b"numero=0145678901",
            b"nb_page=3",
            b"heure=14:05",
        ),
        *(b"&", b";", b"=", b"%", b"%00", b"%E9", b"%C3%A9", b"+", b"\xe9", b"\0", b"\r\n", b"?"),
    ]
)


@given(
    st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=4), max_size=25).map(b"".join)
)
@settings(max_examples=1000, deadline=None)
def test_any_bytes_are_well_formed_or_a_value_error(query: bytes) -> None:
    said = said_of(query)

    if said is not None:
        assert_well_formed(said)
        # What it means never fails either, whatever is known of the fax.
        for pages in (None, 0, 1, 99_999):
            assert learn(said, pages).code == said.code


@given(st.lists(PIECES | st.binary(max_size=4), max_size=30).map(b"".join))
@settings(max_examples=2000, deadline=None)
def test_the_fields_are_those_that_the_standard_library_finds(query: bytes) -> None:
    found, faults = _values(query)

    try:
        given_ = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        assert (found, len(faults)) == ({}, 1)
        return
    names = [name for name, _ in given_]
    assert found == {name: "" if names.count(name) > 1 else value.strip() for name, value in given_}
    assert len(faults) == len(names) - len(set(names))


@given(st.lists(st.tuples(NAMES, CODES | REFERENCES | NUMBERS | st.text(max_size=30)), max_size=12))
@settings(max_examples=500, deadline=None)
def test_any_fields_are_well_formed_or_a_value_error(fields: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields).encode()

    said = said_of(query)

    names = [name for name, _ in fields if name]
    if said is None:
        return
    assert_well_formed(said)
    assert {"etat_e", "ref_accuse", "numero"} <= set(names)
    assert len(set(names)) == len(names)


@given(
    st.tuples(CODES, REFERENCES, NUMBERS, PAGES, HOURS),
    st.sampled_from([quote, quote_plus, lambda text: quote(text, safe="")]),
    st.permutations(range(5)),
    st.text(string.ascii_letters, max_size=5),
)
@settings(max_examples=500, deadline=None)
def test_an_acknowledgement_is_read_back_however_it_is_written(
    values: tuple[str, str, str, int, str], write: object, order: list[int], other: str
) -> None:
    assert callable(write)
    code, reference, number, pages, hour = values
    names = ("etat_e", "ref_accuse", "numero", "nb_page", "heure")
    fields = [f"{name}={write(str(value))}" for name, value in zip(names, values, strict=True)]
    query = "&".join([*(fields[at] for at in order), f"x{other}=1"]).encode()

    assert read(query) == Acknowledgement(
        reference=reference,
        code=code.lstrip("0") or "0",
        number=number.strip(),
        pages=pages,
        provider_time=hour.strip() or None,
    )
