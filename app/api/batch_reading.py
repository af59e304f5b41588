"""The body of a batch as JSON, of which nothing is taken that no message can hold or carry."""

from collections.abc import Iterable
from typing import Any, Final

from app.api import batch_pieces, bodies
from app.api.batch_pieces import MOST_HELD, MOST_TOKENS
from app.api.slices import Slices
from app.domain.errors import FieldError

_VAST: Final = f"This holds more than {MOST_HELD:,} names and values, and no message has as many."


async def read(body: bytes, mark: str, slices: Slices) -> tuple[Any, bool]:
    """Return a batch's value, and whether it is known that no number in it has a fraction.

    Raises what is wrong with it as JSON, or too much for a message. `mark` is a text that nobody
    who sends a body can know.
    """
    plain = await batch_pieces.read(body, mark, slices)
    if plain is not None:
        return plain, True
    value = await bodies.load_long(body, MOST_TOKENS)
    await refuse_vast(value, slices)
    await bodies.refuse_unwritable(value, slices)
    return value, False


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
