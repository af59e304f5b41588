"""Read a request's body: bounded while it streams, and as JSON that means one thing only.

Python's reader takes NaN, lone surrogates and repeated names, and every string that our providers'
XML and our store cannot carry; here they are refused before anything looks at them.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import isinf
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from app.api.fields import FORBIDDEN
from app.api.held import Held
from app.api.slices import Slices
from app.api.wrong_fields import field_error, pointer
from app.domain.errors import (
    FieldError,
    MalformedJson,
    MalformedRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)

_DEEPEST: Final = 32
# A message has some hundred names and values; millions would take seconds that all others wait.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[,\[{]', re.DOTALL)
_MOST_TOKENS: Final = 30_000
_MOST_ERRORS: Final = 100  # in one answer: it must not grow with what was sent
MANY_ERRORS: Final = 1_000  # of a batch, in one answer
MOST_FOUND: Final = 10_000  # errors of a batch, after which nothing more of it is looked at
LONG: Final = 65_536  # bytes of a body that is read in a thread
_STEP: Final = 2_000  # tokens

Model = TypeVar("Model", bound=BaseModel)


async def read_bytes(request: Request, limit: int) -> bytes:
    """Return the whole body; raises PayloadTooLarge as soon as it is longer than `limit` bytes.

    Raises TooBusy where the bodies that are being read are too many bytes already.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")
    too_large = PayloadTooLarge(f"The body may have {limit:,} bytes; send less.")
    # Python reads 4,300 digits at most, zeros before a number too.
    announced = request.headers.get("content-length", "").lstrip("0") or "0"
    if not announced.isdecimal() or int(announced) > limit:
        raise too_large
    held: Held = request.app.state.edge.held
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise too_large
            held.take(request.scope, len(part))
            parts.append(part)
    except ClientDisconnect:
        raise MalformedRequest("The connection closed before the body was whole.") from None
    return b"".join(parts)


async def read_json(request: Request, limit: int, tokens: int = _MOST_TOKENS) -> Any:  # noqa: ANN401 -- any JSON
    """Return the body as JSON; `tokens` bounds the names, values and brackets in it."""
    return parse(await read_json_bytes(request, limit), tokens)


async def read_json_bytes(request: Request, limit: int) -> bytes:
    """Return the bytes of a body that says it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/json":
        raise UnsupportedMediaType("Send Content-Type: application/json.")
    return await read_bytes(request, limit)


async def load_long(body: bytes, tokens: int) -> Any:  # noqa: ANN401 -- any JSON
    """Return the value of a document that may be so long that others would wait for it.

    What is in it may still be such that nobody can send it: `refuse_unwritable` looks.
    """
    if len(body) < LONG:
        return _loaded(body, tokens)
    return await asyncio.to_thread(_loaded, body, tokens)


async def refuse_unwritable(value: Any, slices: Slices) -> None:  # noqa: ANN401 -- any JSON
    """Raise what is wrong with a value, wherever it came from."""
    wrong = []
    for found in _unwritable(value):
        if found is not None:
            wrong.append(found)
        if len(wrong) == MOST_FOUND:
            break
        await slices.pause()
    if wrong:
        raise failed(wrong, MANY_ERRORS)


def parse(body: bytes, tokens: int = _MOST_TOKENS) -> Any:  # noqa: ANN401 -- any JSON
    """Return a JSON document's value, or raise what is wrong with it."""
    value = _loaded(body, tokens)
    wrong = [found for found in _unwritable(value) if found is not None]
    if wrong:
        raise failed(wrong)
    return value


def _loaded(body: bytes, tokens: int) -> Any:  # noqa: ANN401 -- any JSON
    if len(body) > tokens and _has_more(body, tokens):
        raise MalformedJson("The body holds too many values.")
    try:
        return json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except UnicodeDecodeError:
        raise MalformedJson("The body is not UTF-8.") from None
    except RecursionError:
        raise MalformedJson("The body is nested too deeply.") from None
    except json.JSONDecodeError as fault:
        if not body.strip():
            raise MalformedJson("The body is empty; send JSON.") from None
        where = f"line {fault.lineno}, column {fault.colno}"
        raise MalformedJson(f"The body is not JSON: {fault.msg} at {where}.") from None
    except ValueError:  # Python reads integers of 4,300 digits at most
        raise MalformedJson("A number of the body is too large.") from None


def _has_more(body: bytes, tokens: int) -> bool:
    """Say whether a body has more than so many tokens.

    In steps: a thread that counts them all at once holds the interpreter's lock meanwhile.
    """
    found = _TOKEN.finditer(body)
    for left in range(tokens, 0, -_STEP):
        if not deque(islice(found, min(left, _STEP)), maxlen=1):
            return False
    return next(found, None) is not None


def validated(model: type[Model], value: object) -> Model:
    """Return a JSON value as a model; raises ValidationFailed with a pointer for each error."""
    try:
        return model.model_validate(value)
    except ValidationError as fault:
        # Never the input: it would echo recipients and contents.
        found = fault.errors(include_url=False, include_input=False, include_context=True)
        raise failed([field_error(error) for error in found]) from None


def failed(errors: list[FieldError], most: int = _MOST_ERRORS) -> ValidationFailed:
    """Return the fault of fields that are wrong; `most` are listed."""
    count = "One field is" if len(errors) == 1 else f"{len(errors):,} fields are"
    if len(errors) == MOST_FOUND:
        count = f"At least {count}"
    rest = f"; the first {most:,} are listed" if len(errors) > most else ""
    return ValidationFailed(f"{count} wrong{rest}.", tuple(errors[:most]))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson("An object of the body names a field twice.")
    return found


def _no_constant(name: str) -> Any:  # noqa: ANN401 -- never returns
    raise MalformedJson(f"JSON has no {name}.")


def _unwritable(value: object) -> Iterator[FieldError | None]:
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
