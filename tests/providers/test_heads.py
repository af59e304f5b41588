"""An answer whose head was read before is read as if it were read whole."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.providers.exchange import Answered
from app.providers.heads import LARGEST, MOST, Heads
from app.providers.reading import Reading, TooLarge, Unfit
from tests.providers.efidem.hostile import cases

MEBIBYTE = 1_048_576
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n"


def whole(data: bytes, largest: int) -> Answered | None:
    """What is read of an answer that came as one piece, whose connection serves another call."""
    reading = Reading(largest)
    try:
        reading.feed(data)
    except (TooLarge, Unfit):
        return None
    return reading.answered if reading.done and reading.leaves_open else None


def learnt(*answers: bytes) -> Heads:
    heads = Heads()
    for one in answers:
        reading = Reading(MEBIBYTE)
        try:
            reading.feed(one)
        except (TooLarge, Unfit):
            continue
        if reading.done:
            heads.learn(one, reading)
    return heads


def test_an_answer_with_a_known_head_is_not_read_again() -> None:
    heads = learnt(HEAD + b"abcd")

    assert heads.answer(HEAD + b"\x00\r\n<", MEBIBYTE) == Answered(200, b"\x00\r\n<")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD,
        HEAD + b"abc",
        HEAD + b"abcde",
        HEAD + b"abcd" + HEAD + b"abcd",
        HEAD[:-2] + b"abcd",
        HEAD.replace(b"4", b"5") + b"abcd",
        HEAD.replace(b"200", b"500") + b"abcd",
        HEAD.replace(b"\r\n\r\n", b"\r\nRetry-After: 1\r\n\r\n") + b"abcd",
        b"\r\n\r\n" + HEAD + b"abcd",
    ],
)
def test_what_is_not_quite_like_it_is_read(data: bytes) -> None:
    assert learnt(HEAD + b"abcd").answer(data, MEBIBYTE) is None


def test_a_body_that_its_caller_does_not_take_is_read() -> None:
    heads = learnt(HEAD + b"abcd")

    assert heads.answer(HEAD + b"abcd", 4) is not None
    assert heads.answer(HEAD + b"abcd", 3) is None


@pytest.mark.parametrize(
    "answer",
    [
        HEAD.replace(b"200", b"202") + b"abcd",
        HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"abcd",
        HEAD.replace(b"1.1", b"1.0") + b"abcd",
        HEAD.replace(b"\r\n\r\n", b"\r\nRetry-After: 1\r\n\r\n") + b"abcd",
        HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: deflate\r\n\r\n") + b"K\x04\x00\x00",
        HEAD.replace(b"4", b"0"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"abcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nabcd",
        HEAD.replace(b"4", b"30") + gzip.compress(b"abcd", mtime=0)[:30],
        HEAD.replace(b"text", b"x" * LARGEST) + b"abcd",
    ],
)
def test_a_head_that_tells_more_than_a_length_is_not_kept(answer: bytes) -> None:
    heads = learnt(answer)

    assert not heads._known


def test_only_so_many_heads_are_kept() -> None:
    answers = [HEAD.replace(b"xml", b"%d" % number) + b"abcd" for number in range(3 * MOST)]

    assert 0 < len(learnt(*answers)._known) <= MOST


NAMES = st.sampled_from(
    [
        *(
            "Content-Length",
            "content-length",
            "Transfer-Encoding",
            "Connection",
            "Content-Encoding",
        ),
        *("Date", "Retry-After", "Upgrade", "Keep-Alive", "Trailer", "X", ""),
    ]
)
VALUES = st.sampled_from(
    [
        *("0", "1", "3", " 3 ", "03", "+3", "3, 3", "-1", "99999999999999999999"),
        *("chunked", "close", "keep-alive", "gzip", "identity", "x\r\n y", "\x00", "\xe9", ""),
    ]
)
ENDS = st.sampled_from(["\r\n", "\n", "\r"])
STATUSES = st.sampled_from(
    ["HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 100 C", "HTTP/1.1 500 x", "x"]
)
BODIES = st.one_of(
    st.binary(max_size=4),
    st.sampled_from([b"abc", b"a\r\n\r\nb", b"\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", HEAD + b"abcd"]),
)


@st.composite
def heads_of_any_kind(draw: st.DrawFn) -> bytes:
    lines = [draw(STATUSES)]
    pairs = draw(st.lists(st.tuples(NAMES, VALUES), max_size=4))
    lines += [f"{name}: {value}" for name, value in pairs]
    written = "".join(line + (draw(ENDS) if draw(st.booleans()) else "\r\n") for line in lines)
    return (written + draw(st.sampled_from(["\r\n", "\n", ""]))).encode("latin-1")


@settings(max_examples=2_000, deadline=None)
@given(heads_of_any_kind(), BODIES, BODIES)
def test_whatever_comes_a_known_head_changes_no_answer(
    head: bytes, first: bytes, then: bytes
) -> None:
    known = learnt(head + first).answer(head + then, MEBIBYTE)

    assert known is None or known == whole(head + then, MEBIBYTE)


@pytest.mark.parametrize("case", cases.every(), ids=lambda case: case.name)
def test_a_hostile_answer_is_read_the_same_after_itself(case: cases.Case) -> None:
    pieces = [one for one, _ in zip(case.pieces(), range(4), strict=False)]
    data = b"".join(one for one in pieces if isinstance(one, bytes))

    known = learnt(data, HEAD + b"abcd").answer(data, MEBIBYTE)

    assert known is None or known == whole(data, MEBIBYTE)
