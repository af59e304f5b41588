"""A batch that is read some messages at a time is what the general way reads, or left to it."""

import json
import random
from typing import Any

import pytest

from app.api import batch_pieces, bodies
from app.api.slices import Slices
from app.domain.errors import Fault

pytestmark = pytest.mark.anyio

MARK = "a mark"
ANY = random.Random(11)
MESSAGE: dict[str, Any] = {
    "to": "+33612345678",
    "text": "Bonjour",
    "tags": ["a"],
    "metadata": {"b": "c"},
}
MAIL: dict[str, Any] = {
    "from": {"address": "a@b.fr"},
    "to": [{"address": "c@d.fr"}, {"address": "e@f.fr"}],
}
VALUES: list[Any] = [
    "", "é", "漢😀", 'a"},{"to": "b', '"messages":[', ":", '":', '" :', "\\", "\n\t", "x" * 500, "]", "}",
    None, True, False, 0, -1, 10**30, [], {}, ["a", ["b"]], {"a": {"b": []}}, [{"to": "x"}, {"to": "y"}],
]  # fmt: skip
# Bodies, most of them wrong or odd, in which a piece may go astray.
ODD = [
    b"", b"[]", b"{}", b"null", b'{"messages": 1}', b'{"messages": []}', b'{"messages": [}',
    b'{"messages": [{}]}', b'{"messages": [1]}', b'{"messages": [{"a": 1}', b'{"messages": [{"a": 1},]}',
    b'{"messages": [{"a": 1}]} x', b'{"messages": [{"a": 1, "a": 2}]}',
    b'{"messages": [{"a": 1, "\\u0061": 2}]}', b'{"messages": [{"a": 1, "a" : 2}]}',
    b'{"messages": [{"a": {"b": 1, "b": 2}}]}', b'{"messages": [{"a": ":"}]}',
    b'{"messages": [{"a": "\\":", "a": 2}]}', b'{"messages": [{"a" : 1, "b": "\\":"}]}',
    b'{"messages": [{"a": 1}], "messages": [{"a": 2}]}', b'{"messages": [], "messages": [{"a": 2}]}',
    b'{"\\u006dessages": [], "x": {"messages": [{"a": 1}]}}', b'{"messages": "a mark"}',
    b'{"x": {"messages": [{"a": 1}]}, "messages": [{"a": 2}]}',
    b'{"messages": [{"a": 1}], "x": {"messages": [{"a": 2}]}}',
    b'{"defaults": {"tags": ["]"]}, "messages": [{"a": 1}], "mode": "individual"}',
    b'{"messages": [{"a": 1}], "defaults": {"tags": ["]"]}}', b'{"messages": [{"a": NaN}]}',
    b'{"messages": [{"a": 1.0}]}', b'{"messages": [{"a": 1e999}]}', b'{"messages": [{"a": -0}]}',
    b'{"messages": [{"a": 01}]}', b'{"messages": [{"a": "\xff"}]}', b'{"messages": [{"a": "\x01"}]}',
    b'{"messages": [{"a": "\\ud800"}]}', b'{"messages": [{"a": "\\u0000"}]}',
    b'{"messages": [{"a": "\xef\xbf\xbf"}]}', b'{"messages": [{"a": ' + b"9" * 4300 + b"}]}",
    b'{"messages": [{"a": ' + b"9" * 4301 + b"}]}", b'{"x": NaN, "messages": [{"a": 1}]}',
    b'{"messages": [{"a": ' + b"[" * 5 + b"]" * 5 + b"}]}", b'{"x": 1, "x": 2, "messages": [{"a": 1}]}',
    b'\xef\xbb\xbf{"messages": [{"a": 1}]}', b'{"messages":\n [\t{"a": 1}\r\n, {"a": 2} ] }',
    b'{"messages": [{"a": 1} {"a": 2}]}', b'{"messages": [{"a": 1}, , {"a": 2}]}',
    b'{"messages": [{"a": 1}, 2, {"a": 2}]}', b'{"messages": [{"a": 1}, {"a": 1, "a": 2}]}',
]  # fmt: skip


def generally(body: bytes) -> Any:
    """Return what the general way reads, None where it refuses it."""
    try:
        return bodies.parse(body, batch_pieces.MOST_TOKENS)
    except Fault:
        return None


def written(value: Any) -> bytes:
    """Return JSON as one client or another writes it."""
    indent = ANY.choice([None, None, None, 1])
    separators = ANY.choice([None, (",", ":"), (" , ", ":"), (",", " : ")])
    return json.dumps(
        value, ensure_ascii=ANY.random() < 0.5, indent=indent, separators=separators
    ).encode()


def drawn() -> dict[str, Any]:
    def message() -> dict[str, Any]:
        one: dict[str, Any] = {**ANY.choice([MESSAGE, MESSAGE, MAIL])}
        if not ANY.randrange(3):
            one[ANY.choice(["to", "text", "x"])] = ANY.choice(VALUES)
        return one

    batch: dict[str, Any] = {"messages": [message() for _ in range(ANY.choice([1, 2, 300, 700]))]}
    if ANY.randrange(2):
        batch["mode"] = ANY.choice(VALUES)
    return {"defaults": {"a": ANY.choice(VALUES)}, **batch} if ANY.randrange(2) else batch


@pytest.mark.parametrize("body", ODD, ids=[str(place) for place in range(len(ODD))])
async def test_what_is_odd_is_read_as_ever_or_left_alone(body: bytes) -> None:
    found = await batch_pieces.read(body, MARK, Slices())
    if found is not None:
        assert repr(found) == repr(generally(body))


async def test_what_is_drawn_is_read_as_ever_or_left_alone() -> None:
    read = 0
    for _ in range(150):
        body = written(drawn())
        found = await batch_pieces.read(body, MARK, Slices())
        if found is not None:
            read += 1
            assert found == generally(body)
    assert read > 30


async def test_a_body_that_was_cut_or_changed_anywhere_is_read_as_ever_or_left_alone() -> None:
    body = json.dumps({"messages": [MESSAGE] * 3, "mode": "individual"}).encode()
    for place in range(len(body)):
        for one in (
            body[:place],
            body[:place] + body[place + 1 :],
            body[:place] + b'"' + body[place:],
        ):
            found = await batch_pieces.read(one, MARK, Slices())
            if found is not None:
                assert repr(found) == repr(generally(one)), one


@pytest.mark.parametrize("message", [MESSAGE, MAIL], ids=["sms", "email"])
async def test_what_almost_all_send_is_read_here_in_pieces(message: dict[str, Any]) -> None:
    batch = {"defaults": {"tags": ["é"]}, "messages": [message | {"n": n} for n in range(2_000)]}
    for separators in ((",", ":"), (", ", ": ")):
        body = json.dumps(batch, separators=separators).encode()
        assert await batch_pieces.read(body, MARK, Slices()) == batch


@pytest.mark.parametrize(
    "message",
    [
        {"a": ["x"] * 3_001},
        {"a": {str(n): "" for n in range(3_001)}},
        {"a": "x" * 300_000},
        {"a": [[[["x"]]]]},
    ],
    ids=["long", "wide", "large", "deep"],
)
async def test_what_no_message_holds_is_left_to_the_general_way(message: dict[str, Any]) -> None:
    for batch in ({"messages": [MESSAGE, message]}, {"defaults": message, "messages": [MESSAGE]}):
        body = json.dumps(batch).encode()
        found = await batch_pieces.read(body, MARK, Slices())
        assert found is None or (found == batch and "x" * 300_000 in str(batch))
