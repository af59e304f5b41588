"""The body of a batch as JSON, of which nothing is taken that no message can hold or carry."""

import re
from collections.abc import Iterable
from typing import Any, Final

from app.api import bodies
from app.api.slices import Slices
from app.domain.errors import FieldError

MOST_TOKENS: Final = 1_000_000  # names, values and brackets of a body: a hundred for each message
MOST_HELD: Final = 3_000  # names and values of one message, of the defaults: no message has as many
_VAST: Final = f"This holds more than {MOST_HELD:,} names and values, and no message has as many."
_TOGETHER: Final = 50  # messages between two looks at the time
_DEEP: Final = 3  # levels below a message, of what is plain
# How a character can come that `bodies.FORBIDDEN` names: escaped, or as itself. More than those.
_FORBIDDEN: Final = re.compile(
    rb"\\(?:[bf]|u(?:00[01]|[dD][89a-fA-F]|[fF]{3}[efEF]))|\xef\xbf[\xbe\xbf]"
)


async def read(body: bytes, slices: Slices) -> Any:  # noqa: ANN401 -- any JSON
    """Return a batch's value; raises what is wrong with it as JSON, or too much for a message."""
    value = await bodies.load_long(body, MOST_TOKENS)
    # Two walks through all of it, which find nothing in what almost everybody sends.
    if _may_be_unwritable(body) or not await _is_plain(value, slices):
        await refuse_vast(value, slices)
        await bodies.refuse_unwritable(value, slices)
    return value


def _may_be_unwritable(body: bytes) -> bool:
    if b"\\" not in body and b"\xef\xbf" not in body:
        return False
    return _FORBIDDEN.search(body) is not None


async def _is_plain(value: object, slices: Slices) -> bool:
    """Say whether there is no fraction in a batch, no deep nesting, and nothing vast."""
    if not isinstance(value, dict) or not isinstance(rows := value.get("messages"), list):
        return False
    rest = {name: one for name, one in value.items() if one is not rows}
    if _weight(rest, _DEEP + 1) > MOST_HELD:
        return False
    for place, one in enumerate(rows):
        if not isinstance(one, dict) or _weight(one, _DEEP) > MOST_HELD:
            return False
        if place % _TOGETHER == 0:
            await slices.pause()
    return True


def _weight(value: dict[str, Any] | list[Any], deep: int) -> int:
    """Return how many names and values there are, or too many where there is anything else."""
    found = len(value)
    if found > MOST_HELD:
        return found
    for one in value.values() if isinstance(value, dict) else value:
        kind = type(one)
        if kind is dict or kind is list:
            found += _weight(one, deep - 1) if deep else MOST_HELD + 1
        elif kind is float:
            found += MOST_HELD + 1
    return found


async def refuse_vast(value: Any, slices: Slices) -> None:  # noqa: ANN401 -- any JSON
    """Raise ValidationFailed where one part of a batch holds more than any message can.

    Whatever else is wrong with it would take long to say, and all others would wait.
    """
    if not isinstance(value, dict):
        return
    given = value.get("messages")
    rows = given if isinstance(given, list) else []
    rest = {name: one for name, one in value.items() if one is not rows}
    wrong = [FieldError("", "too_large", _VAST)] if _is_vast(rest) else []
    if _is_vast(rest.get("defaults")):
        wrong = [FieldError("/defaults", "too_large", _VAST)]
    for place, one in enumerate(rows):
        if _is_vast(one) and len(wrong) < bodies.MANY_ERRORS:
            wrong.append(FieldError(f"/messages/{place}", "too_large", _VAST))
        await slices.pause()
    if wrong:
        raise bodies.failed(wrong, bodies.MANY_ERRORS)


def _is_vast(value: object) -> bool:
    left, waiting = MOST_HELD, [value]
    while waiting and left >= 0:
        one = waiting.pop()
        if isinstance(one, dict):
            left -= len(one)
            inner: Iterable[object] = one.values()
        elif isinstance(one, list):
            left -= len(one)
            inner = one
        else:
            continue
        if left >= 0:
            waiting += [value for value in inner if isinstance(value, dict | list)]
    return left < 0
