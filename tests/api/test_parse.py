"""Two readers read bodies, and say the same of each: the quick one of what is plain, and the other."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.api import bodies
from app.domain.errors import Fault

OFTEN = settings(max_examples=1_000, deadline=None)


def said(read: Callable[[], object]) -> tuple[Any, ...]:
    """Return what a reader says: a value in every detail, or what is wrong."""
    try:
        return ("value", repr(read()))
    except Fault as fault:
        return (type(fault).__name__, fault.detail, fault.errors)


def check(body: bytes) -> None:
    assert said(lambda: bodies.parse(body)) == said(lambda: bodies.writable(bodies.loaded(body)))


TEXTS = st.text(st.sampled_from('ab"\\/é\n\t\x00\x7f\x85\xa0\ud800\ufffe😀{}[]:,'), max_size=5)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**30, -0.0, 1e999, 1e-999])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXTS, one, max_size=3),
    max_leaves=12,
)
SIGNS = ["{", "}", "[", "]", ":", ",", '"', "\\", " ", "\n", "\x00", "\x7f", "\ufeff", "é"]
WORDS = ['"a"', '"b"', '"a":1', '{"a":"b"}', '\\"', "1", "-0", "01", "1.0", "1e5", "1E400", "NaN"]
LONG = ["-Infinity", "null", "true", "9" * 4_301, "[" * 40, "]" * 40]
PIECES = st.lists(st.sampled_from([*SIGNS, *WORDS, *LONG]), max_size=9)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
@OFTEN
def test_whatever_is_written_is_read_alike(value: object, ascii_only: bool, indent: Any) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)

    check(text.encode("utf-8", "surrogatepass"))


@given(st.lists(st.tuples(TEXTS, VALUES), max_size=4))
@example([("a", 1), ("a", "b")])
@example([("a", "a"), ("b", {"a": "a"}), ("a", "a")])
@OFTEN
def test_names_that_stand_twice_are_seen_alike(pairs: list[tuple[str, Any]]) -> None:
    written = [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs]

    check(f"{{{','.join(written)}}}".encode())


@given(PIECES)
@OFTEN
def test_what_is_hardly_json_is_refused_alike(pieces: list[str]) -> None:
    check("".join(pieces).encode())


@given(st.binary(max_size=20), st.binary(max_size=20))
@OFTEN
def test_octets_are_read_alike(some: bytes, others: bytes) -> None:
    check(some)
    check(b'{"a":"' + some + b'","b":["' + others + b'"]}')
