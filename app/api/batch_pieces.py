"""Read a batch as almost all are written: its messages some at a time, by the fastest reader there is.

What is returned is what the general way reads. None says nothing, but that this has to look at it:
whatever is wrong with a body, or not plainly right, has its answer there.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from pydantic_core import from_json

from app.api import bodies
from app.api.slices import Slices
from app.domain.errors import Fault

MOST_TOKENS: Final = 1_000_000  # names, values and brackets of a body: a hundred for each message
MOST_HELD: Final = 3_000  # names and values of one message, of the defaults: no message has as many
_MESSAGES: Final = "messages"
_values: Final = dict.values
_SIMPLE: Final = frozenset({str, int, bool, type(None)})
_PIECE: Final = 32_768  # bytes, at least, that are read at once
_LONGEST: Final = 262_144  # bytes, at most
_TOKENS: Final = (b'"', b",", b"[", b"{")  # each name, value and bracket begins with one of these
_DEEP: Final = 3  # levels below a message, of what is plain
_BEGIN: Final = re.compile(rb'"messages"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*')
_FIRST: Final = re.compile(rb'\{[ \t\r\n]*"[^"\\]*"')  # of a message: its first name
_BLANK: Final = b" \t\r\n"
# How a character can come that `bodies.FORBIDDEN` names: escaped, or as itself. More than those.
_FORBIDDEN: Final = re.compile(
    rb"\\(?:[bf]|u(?:00[01]|[dD][89a-fA-F]|[fF]{3}[efEF]))|\xef\xbf[\xbe\xbf]"
)
_NAME: Final = b'":'  # the end of each name,
_APART: Final = re.compile(rb'"[ \t\r\n]+:')  # where it does not stand apart


class _NotPlain(Exception):
    """The general way has to look at a body."""


async def read(body: bytes, mark: str, slices: Slices) -> dict[str, Any] | None:
    """Return a batch's value; `mark` is a text that nobody who sends a body can know."""
    try:
        return await _read(body, mark, slices)
    except (_NotPlain, Fault, ValueError):
        return None


async def _read(body: bytes, mark: str, slices: Slices) -> dict[str, Any]:
    begin, end = _BEGIN.search(body), body.rfind(b"]")
    if begin is None or end < begin.end():
        raise _NotPlain
    value = _around(body[: begin.end()].rstrip(_BLANK)[:-1], body[end + 1 :], mark)
    messages: list[Any] = []
    left = MOST_TOKENS
    for piece in _pieces(body, begin.end(), end):
        left -= sum(map(piece.count, _TOKENS))
        if left < 0:
            raise _NotPlain
        messages += _members(piece)
        await slices.pause()
    value[_MESSAGES] = messages
    return value


def _around(before: bytes, after: bytes, mark: str) -> dict[str, Any]:
    """Return a batch with a mark in place of its messages."""
    text = before + f'"{mark}"'.encode() + after
    value = bodies.loaded(text)
    if not isinstance(value, dict) or value.get(_MESSAGES) != mark or _may_be_unwritable(text):
        raise _NotPlain
    if _held([value], _DEEP + 1)[0] > MOST_HELD:
        raise _NotPlain
    return value


def _pieces(body: bytes, at: int, end: int) -> Iterator[bytes]:
    """Yield the members of a list that begins and ends somewhere, some whole ones at a time.

    A place that is no end of one makes no JSON of what is before it.
    """
    first = _FIRST.match(body, at, end)
    if first is None:
        raise _NotPlain
    while at < end:
        stop = body.find(first[0], at + _PIECE, end)
        piece = body[at : stop if stop >= 0 else end]
        if len(piece) > _LONGEST:  # others would wait for it
            raise _NotPlain
        if stop >= 0:
            piece = piece.rstrip(_BLANK)
            if not piece.endswith(b","):
                raise _NotPlain
            piece = piece[:-1]
        yield piece
        at = stop if stop >= 0 else end


def _members(piece: bytes) -> list[Any]:
    """Return some members of a list; raises ValueError where they are not JSON."""
    found: list[Any] = from_json(b"[%b]" % piece, allow_inf_nan=False, cache_strings="keys")
    if not found or set(map(type, found)) != {dict}:
        raise _NotPlain
    held, names = _held(found, _DEEP)
    if held > MOST_HELD and any(_held([one], _DEEP)[0] > MOST_HELD for one in found):
        raise _NotPlain
    # Of two fields with one name, the last one would be taken: every name has to be there.
    if piece.count(_NAME) != names or _APART.search(piece) or _may_be_unwritable(piece):
        raise _NotPlain
    return found


def _held(level: list[Any], deep: int) -> tuple[int, int]:
    """Return how many names and values objects hold together, and how many names.

    Raises _NotPlain where there is a fraction in them, or more levels below them than `deep`.
    """
    held = names = 0
    for _ in range(deep + 1):
        objects = [one for one in level if type(one) is dict]
        lists = [one for one in level if type(one) is list]
        if len(objects) + len(lists) < len(level):
            raise _NotPlain
        names += sum(map(len, objects))
        held += sum(map(len, lists))
        inner = [*chain.from_iterable(map(_values, objects)), *chain.from_iterable(lists)]
        level = [one for one in inner if type(one) not in _SIMPLE]
    if level:
        raise _NotPlain
    return held + names, names


def _may_be_unwritable(text: bytes) -> bool:
    if b"\\" not in text and b"\xef\xbf" not in text:
        return False
    return _FORBIDDEN.search(text) is not None
