"""What an Idempotency-Key came with, as a fingerprint: equal for every way to write the same JSON.

Blanks, the order of names, escapes and `1` or `1.0` do not matter (as in RFC 8785); the order of a
list does, and what stands in a text.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

from app.api.slices import Slices


def of(secret: bytes, address: str, content: Any) -> str:  # noqa: ANN401 -- any JSON
    """Return the fingerprint of a request: its method and path, and its body."""
    made = _begun(secret, address)
    for piece in _pieces(content):
        made.update(piece.encode())
    return made.hexdigest()


async def of_many(
    secret: bytes,
    address: str,
    content: Any,  # noqa: ANN401 -- any JSON
    slices: Slices,
) -> str:
    """Return the same, of a body that is long."""
    made = _begun(secret, address)
    for piece in _pieces(content):
        made.update(piece.encode())
        await slices.pause()
    return made.hexdigest()


def _begun(secret: bytes, address: str) -> hmac.HMAC:
    # Keyed: a plain hash of a telephone number can be turned back.
    return hmac.new(secret, f"{address}\n".encode(), hashlib.sha256)


def _pieces(content: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON
    """Yield a value's text, the members of an object's lists one by one."""
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
    before = "["
    for one in value:
        yield before + _text(one)
        before = ","
    yield "]"


def _text(value: Any) -> str:  # noqa: ANN401 -- any JSON
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


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
