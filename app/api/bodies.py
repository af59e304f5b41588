"""Read a request's body: bounded while it streams, and as JSON that means one thing only.

Python's reader takes NaN, lone surrogates and repeated names, and every string that our providers'
XML and our store cannot carry; here they are refused before anything looks at them.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import isinf
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from app.api.fields import FORBIDDEN
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
_LONGEST_POINTER: Final = 300

# pydantic's kinds of errors, and our stable codes; its other kinds are `invalid`.
_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "literal_error": "not_allowed",
    "enum": "not_allowed",
    "timezone_aware": "time_without_zone",
}
_DETAILS: Final = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field; check its spelling.",
    "timezone_aware": "Give the time with its zone, such as 2026-11-21T10:00:00+01:00.",
    "model_type": "Send a JSON object here.",
    "string_too_long": "This is too long: send at most {max_length} characters.",
    "string_too_short": "This is too short: send at least {min_length} characters.",
    "too_long": "This is too long: send at most {max_length}.",
    "too_short": "This is too short: send at least {min_length}.",
}

Model = TypeVar("Model", bound=BaseModel)


async def read_bytes(request: Request, limit: int) -> bytes:
    """Return the whole body; raises PayloadTooLarge as soon as it is longer than `limit` bytes."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")
    too_large = PayloadTooLarge(f"The body may have {limit:,} bytes; send less.")
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > limit:
        raise too_large
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise too_large
            parts.append(part)
    except ClientDisconnect:
        raise MalformedRequest("The connection closed before the body was whole.") from None
    return b"".join(parts)


async def read_json(request: Request, limit: int, tokens: int = _MOST_TOKENS) -> Any:  # noqa: ANN401 -- any JSON
    """Return the body as JSON; `tokens` bounds the names, values and brackets in it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/json":
        raise UnsupportedMediaType("Send Content-Type: application/json.")
    return parse(await read_bytes(request, limit), tokens)


def parse(body: bytes, tokens: int = _MOST_TOKENS) -> Any:  # noqa: ANN401 -- any JSON
    """Return a JSON document's value, or raise what is wrong with it."""
    if len(body) > tokens and any(islice(_TOKEN.finditer(body), tokens, None)):
        raise MalformedJson("The body holds too many values.")
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except UnicodeDecodeError:
        raise MalformedJson("The body is not UTF-8.") from None
    except RecursionError:
        raise MalformedJson("The body is nested too deeply.") from None
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise MalformedJson(f"The body is not JSON: {fault.msg} at {where}.") from None
    except ValueError:  # Python reads integers of 4,300 digits at most
        raise MalformedJson("A number of the body is too large.") from None
    wrong = list(_unwritable(value))
    if wrong:
        raise failed(wrong)
    return value


def validated(model: type[Model], value: object) -> Model:
    """Return a JSON value as a model; raises ValidationFailed with a pointer for each error."""
    try:
        return model.model_validate(value)
    except ValidationError as fault:
        # Never the input: it would echo recipients and contents.
        found = fault.errors(include_url=False, include_input=False, include_context=True)
        raise failed([field_error(error) for error in found]) from None


def failed(errors: list[FieldError]) -> ValidationFailed:
    """Return the fault of fields that are wrong."""
    count = "One field is" if len(errors) == 1 else f"{len(errors)} fields are"
    return ValidationFailed(f"{count} wrong.", tuple(errors[:_MOST_ERRORS]))


def pointer(parts: tuple[int | str, ...]) -> str:
    """Return a JSON pointer (RFC 6901); to what holds it, where a name is overlong."""
    # pydantic's mark of an error in a name: the pointer to its value is the nearest there is.
    named = parts[:-1] if parts[-1:] == ("[key]",) else parts
    found = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in named)
    return found if len(found) <= _LONGEST_POINTER else pointer(named[:-1])


def field_error(error: Any) -> FieldError:  # noqa: ANN401 -- pydantic's own
    """Return an error of pydantic as ours, without the value that caused it."""
    kind: str = error["type"]
    ours = kind.startswith("gateway:")
    code = kind.removeprefix("gateway:") if ours else _CODES.get(kind, _type_code(kind))
    return FieldError(pointer(error["loc"]), code, _detail(kind, error))


def _detail(kind: str, error: Any) -> str:  # noqa: ANN401 -- pydantic's own
    limits = error.get("ctx") or {}
    return _DETAILS[kind].format(**limits) if kind in _DETAILS else error["msg"]


def _type_code(kind: str) -> str:
    return "wrong_type" if kind.endswith("_type") else "invalid"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJson("An object of the body names a field twice.")
    return found


def _no_constant(name: str) -> Any:  # noqa: ANN401 -- never returns
    raise MalformedJson(f"JSON has no {name}.")


def _unwritable(value: object) -> Iterator[FieldError]:
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
            case _:
                pass


def _inner(value: Mapping[str, object] | Sequence[object]) -> Sequence[tuple[int | str, object]]:
    if not isinstance(value, Mapping):
        return list(enumerate(value))
    if any(FORBIDDEN.search(name) for name in value):
        raise MalformedJson("A field's name holds a character that cannot be sent.")
    return list(value.items())
