"""What an Idempotency-Key came with, as a fingerprint: equal for every way to write the same JSON.

Blanks, the order of names, escapes and `1` or `1.0` do not matter (as in RFC 8785); the order of a
list does, and what stands in a text.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from app.api.lifted import pieces
from app.api.slices import Slices

_LONGEST: Final = 16_384  # characters of a list's members that are written at once
_MOST: Final = 50  # members
_WHOLE: Final = frozenset({str, int, bool, type(None)})


def of(
    secret: bytes,
    address: str,
    content: Any,  # noqa: ANN401 -- any JSON
    texts: Sequence[memoryview] = (),
) -> str:
    """Return the fingerprint of a request: its method and path, and its body.

    `texts` are those of the files for which a mark stands in the body (see `lifted.py`).
    """
    made = _begun(secret, address)
    for piece in pieces(_text(content), texts):
        made.update(piece)
    return made.hexdigest()


async def of_many(
    secret: bytes,
    address: str,
    content: Any,  # noqa: ANN401 -- any JSON
    slices: Slices,
) -> str:
    """Return the same, of a body that is long, piece by piece."""
    made = _begun(secret, address)
    for piece in _pieces(content):
        made.update(piece.encode())
        await slices.pause()
    return made.hexdigest()


def _begun(secret: bytes, address: str) -> hmac.HMAC:
    return _keyed(secret, address).copy()


@lru_cache(maxsize=256)
def _keyed(secret: bytes, address: str) -> hmac.HMAC:
    # Keyed: a plain hash of a telephone number can be turned back.
    return hmac.new(secret, f"{address}\n".encode(), hashlib.sha256)


def _pieces(content: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON
    """Yield a value's text, the members of an object's lists some at a time."""
    if not isinstance(content, dict) or not content:
        yield _text(content)
        return
    before = "{"
    for name in sorted(content):
        yield f"{before}{_text(name)}:"
        yield from _listed(content[name])
        before = ","
    yield "}"


def _listed(value: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON
    if not isinstance(value, list) or not value:
        yield _text(value)
        return
    before, place, many = "[", 0, 1
    while place < len(value):
        some = value[place : place + many]
        text = _text(some)
        yield before + text[1:-1]
        before = ","
        place += many
        many = max(1, min(_MOST, _LONGEST * len(some) // len(text)))
    yield "]"


def _text(value: Any) -> str:  # noqa: ANN401 -- any JSON
    return _ENCODER.encode(_plain(value) if _has_fractions(value) else value)


def _has_fractions(value: Any) -> bool:  # noqa: ANN401 -- any JSON
    kind = type(value)
    if kind is dict or kind is list:
        inner = value.values() if kind is dict else value
        return any(_has_fractions(one) for one in inner if type(one) not in _WHOLE)
    return kind is float


# Made once: json.dumps makes a new one for each value.
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
