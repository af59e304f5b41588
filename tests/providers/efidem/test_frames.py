"""An answer that is like one before is read as if it were read whole."""

import pytest

from app.providers.efidem import answer
from app.providers.efidem.answer import Code, Identifier, Read, Text
from app.providers.efidem.answer.frames import Frames
from tests.providers.efidem.hostile import cases

IDENTIFIER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
WHOLE = cases.result("VALUE").decode()
VALUES = [
    IDENTIFIER, IDENTIFIER.upper(), "{0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9}", "-6", "0", "500",
    "123456", "1234567", "--1", "", " ", " -6 ", "-6\n", "true", "Aucun", "é", "٣",
    "&#45;6", "<!-- -->-6", "-6<!-- -->", "<![CDATA[-6]]>", "<?x?>-6", "<a>-6</a>", "-6</R><R>-7",
    "{" + IDENTIFIER, IDENTIFIER + "0", "0x1", "1e5", "-6\x00", "\ud800",
]  # fmt: skip


def body(value: str, whole: str = WHOLE) -> bytes:
    return whole.replace("VALUE", value).encode(errors="surrogatepass")


class Counted:
    """Reads answers, and counts them."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, given: bytes) -> Read:
        self.times += 1
        return answer._parsed(given)


@pytest.mark.parametrize("value", VALUES)
def test_a_known_frame_changes_no_answer(value: str) -> None:
    frames = Frames(answer._parsed)
    assert frames.read(body(IDENTIFIER)) == Identifier(IDENTIFIER)

    assert frames.read(body(value)) == answer._parsed(body(value))


def test_an_answer_in_a_known_frame_is_not_parsed() -> None:
    parse = Counted()
    frames = Frames(parse)
    frames.read(body("-6"))
    learnt = parse.times

    read = [frames.read(body(one)) for one in (IDENTIFIER, "-1", "500")]

    assert read == [Identifier(IDENTIFIER), Code("-1"), Code("500")]
    assert parse.times == learnt


@pytest.mark.parametrize(
    "whole",
    [
        # What the parser reads stands elsewhere than what looks like it.
        WHOLE.replace("VALUE", "&#45;6<!-->VALUE<-->"),
        WHOLE.replace("VALUE", "&#45;6<?x >VALUE<?>"),
        WHOLE.replace("<s:Body", "<!-- >VALUE< --><s:Body").replace(">VALUE</", ">&#45;6</"),
        WHOLE.replace(">VALUE<", ">-6<") + "<!-- >VALUE< -->",
    ],
)
def test_what_stands_in_no_element_is_no_frame(whole: str) -> None:
    frames = Frames(answer._parsed)
    for value in ("-6", "-7", IDENTIFIER):
        assert frames.read(body(value, whole)) == answer._parsed(body(value, whole))


@pytest.mark.parametrize("case", cases.every(), ids=lambda case: case.name)
def test_a_hostile_answer_is_read_the_same_after_any_other(case: cases.Case) -> None:
    frames = Frames(answer._parsed)
    frames.read(cases.WHOLE)
    pieces = [one for one in _few(case) if isinstance(one, bytes)]
    for given in pieces:
        inside = given.partition(b"\r\n\r\n")[2]
        for _ in range(2):
            assert frames.read(inside) == answer._parsed(inside)


def _few(case: cases.Case) -> list[bytes | float]:
    """The first pieces of an answer; some have no end."""
    return [one for one, _ in zip(case.pieces(), range(4), strict=False)]


def test_only_so_many_frames_are_kept() -> None:
    frames = Frames(answer._parsed)
    for number in range(100):
        frames.read(body("-6", WHOLE.replace("RResult", f"R{number}")))

    assert len(frames._known) <= 16


def test_a_text_is_no_frame() -> None:
    frames = Frames(answer._parsed)

    assert isinstance(frames.read(body("Aucun")), Text)
    assert not frames._known
