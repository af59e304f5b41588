"""What of a JSON value can be sent: texts that XML and the store carry, numbers, and not too deep."""

from collections.abc import Iterator, Mapping, Sequence
from math import isinf
from typing import Final

from app.api.fields import FORBIDDEN
from app.api.wrong_fields import pointer
from app.domain.errors import FieldError, MalformedJson

_DEEPEST: Final = 32
_STEP: Final = 65_536  # characters that are looked at at once
_TEXT: Final = frozenset({str})


def is_writable(value: object) -> bool:
    """Say that nothing is wrong with a value, without looking at each text; False says nothing."""
    texts = texts_in(value)
    if texts is None:
        return False
    whole = "".join(texts)
    if whole.isprintable():  # whatever cannot be sent is not
        return True
    # In steps: the interpreter's lock is another thread's to have in between.
    steps = range(0, len(whole), _STEP)
    return not any(FORBIDDEN.search(whole, at, at + _STEP) for at in steps)


def texts_in(value: object) -> list[str] | None:
    """Return the texts and names in a value; None where it is deep, or has a fraction."""
    if type(value) is dict and _TEXT.issuperset(map(type, value.values())):
        return [*value, *value.values()]
    texts: list[str] = []
    waiting: list[object] = [value]
    holding = 0
    for one in waiting:  # which grows meanwhile
        kind = type(one)
        if kind is str:
            texts.append(one)  # type: ignore[arg-type]
        elif kind is dict:
            holding += 1
            texts += one  # type: ignore[arg-type] # its names
            waiting += one.values()  # type: ignore[attr-defined]
        elif kind is list:
            holding += 1
            waiting += one  # type: ignore[arg-type]
        elif kind is float:
            return None
    return texts if holding <= _DEEPEST else None


def unwritable(value: object) -> Iterator[FieldError | None]:
    """Yield what is wrong with a value, and None after each object and list in it."""
    waiting: list[tuple[object, tuple[int | str, ...]]] = [(value, ())]
    while waiting:
        one, at = waiting.pop()
        match one:
            case str() if FORBIDDEN.search(one):
                detail = "The text holds a character that cannot be sent; remove it."
                yield FieldError(pointer(at), "forbidden_characters", detail)
            case float() if isinf(one):
                raise MalformedJson("A number of the body is too large.")
            case dict() | list():
                inner = _inner(one)
                if inner and len(at) > _DEEPEST:
                    raise MalformedJson("The body is nested too deeply.")
                waiting += [(value, (*at, name)) for name, value in reversed(inner)]
                yield None
            case _:
                pass


def _inner(value: Mapping[str, object] | Sequence[object]) -> Sequence[tuple[int | str, object]]:
    if not isinstance(value, Mapping):
        return list(enumerate(value))
    if any(FORBIDDEN.search(name) for name in value):
        raise MalformedJson("A field's name holds a character that cannot be sent.")
    return list(value.items())
