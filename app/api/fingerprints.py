"""What an Idempotency-Key came with, as a fingerprint: equal for every way to write the same JSON.

Blanks, the order of names, escapes and `1` or `1.0` do not matter (as in RFC 8785); the order of a
list does, and what stands in a text.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from app.api.slices import Slices
from app.domain.jsons import writer
from app.domain.keyed import keyed

_LONGEST: Final = 16_384  # characters of a list's members that are written at once
_MOST: Final = 50  # members
_WHOLE: Final = frozenset({str, int, bool, type(None)})


def of(
    secret: bytes,
    address: str,
    content: Any,  # noqa: ANN401 -- any JSON
) -> str:
    """Return the fingerprint of a request: its method and path, and its body.

    Of one that has files, see `lifted.Body.signed`.
    """
    made = _begun(secret, address)
    made.update(_text(content).encode())
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


class Coming:
    """The fingerprint of an object, some members of whose one long list are looked at at a time."""

    def __init__(self, secret: bytes, address: str, content: Mapping[str, Any], long: str) -> None:
        names = sorted(content)
        place = names.index(long)
        self._made = _begun(secret, address)
        self._put("{" + "".join(f"{_named(one, content)}," for one in names[:place]))
        self._put(f"{_text(long)}:[")
        self._end = "]" + "".join(f",{_named(one, content)}" for one in names[place + 1 :]) + "}"
        self._before = ""

    def take(self, members: Sequence[Any], *, are_whole: bool = False) -> int:
        """Look at the next members of the long list; return how many characters they have.

        `are_whole`: it is known that no number in them has a fraction.
        """
        text = _WRITTEN(members) if are_whole else _text(members)
        self._put(self._before + text[1:-1])
        self._before = ","
        return len(text)

    def whole(self) -> str:
        """Return the fingerprint of what was looked at."""
        self._put(self._end)
        return self._made.hexdigest()

    def _put(self, text: str) -> None:
        self._made.update(text.encode())


def _named(name: str, content: Mapping[str, Any]) -> str:
    return f"{_text(name)}:{_text(content[name])}"


def _begun(secret: bytes, address: str) -> hmac.HMAC:
    return _keyed(secret, address).copy()


@lru_cache(maxsize=256)
def _keyed(secret: bytes, address: str) -> hmac.HMAC:
    # Keyed: a plain hash of a telephone number can be turned back.
    return keyed(secret, f"{address}\n".encode())


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
    return _WRITTEN(_plain(value) if _has_fractions(value) else value)


def _has_fractions(value: Any) -> bool:  # noqa: ANN401 -- any JSON
    kind = type(value)
    if kind is dict or kind is list:
        inner = value.values() if kind is dict else value
        return not _WHOLE.issuperset(map(type, inner)) and any(map(_has_fractions, inner))
    return kind is float


_WRITTEN: Final = writer(sort_keys=True, separators=(",", ":"))


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
