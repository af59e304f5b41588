"""Read a request's body: bounded while it streams, and as JSON that means one thing only.

Python's reader takes NaN, lone surrogates and repeated names, and every string that our providers'
XML and our store cannot carry; here they are refused before anything looks at them.
"""

import asyncio
import json
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from app.api.given import first
from app.api.held import Held
from app.api.slices import Slices
from app.api.values import has_more
from app.api.writable import is_writable, texts_in, unwritable
from app.api.wrong_fields import field_error
from app.domain.errors import (
    FieldError,
    MalformedJson,
    MalformedRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
)

# A message has some hundred names and values; millions would take seconds that all others wait.
_MOST_TOKENS: Final = 30_000
_MOST_ERRORS: Final = 100  # in one answer: it must not grow with what was sent
MANY_ERRORS: Final = 1_000  # of a batch, in one answer
MOST_FOUND: Final = 10_000  # errors of a batch, after which nothing more of it is looked at
LONG: Final = 65_536  # bytes of a body that is read in a thread
AT_ONCE: Final = 2_097_152  # bytes of files that are copied, decoded or hashed on the event loop

Model = TypeVar("Model", bound=BaseModel)


async def read_bytes(request: Request, limit: int) -> bytes:
    """Return the whole body; raises PayloadTooLarge as soon as it is longer than `limit` bytes.

    Raises TooBusy where the bodies that are being read are too many bytes already.
    """
    scope, receive = request.scope, request.receive
    if first(scope, b"content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")
    # Python reads 4,300 digits at most, zeros before a number too.
    announced = first(scope, b"content-length", "").lstrip("0") or "0"
    if not announced.isdecimal() or int(announced) > limit:
        raise _too_large(limit)
    held: Held = scope["app"].state.edge.held
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise MalformedRequest("The connection closed before the body was whole.")
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        held.take(scope, len(part))
        parts.append(part)
    if size <= AT_ONCE:
        return b"".join(parts)
    return await asyncio.to_thread(b"".join, parts)  # which lets go of the interpreter's lock


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body may have {limit:,} bytes; send less.")


async def read_json(request: Request, limit: int, tokens: int = _MOST_TOKENS) -> Any:  # noqa: ANN401 -- any JSON
    """Return the body as JSON; `tokens` bounds the names, values and brackets in it."""
    body = await read_json_bytes(request, limit)
    if len(body) < LONG:
        return parse(body, tokens)
    return await asyncio.to_thread(parse, body, tokens)


async def read_json_bytes(request: Request, limit: int) -> bytes:
    """Return the bytes of a body that says it is JSON."""
    kind = first(request.scope, b"content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/json":
        raise UnsupportedMediaType("Send Content-Type: application/json.")
    return await read_bytes(request, limit)


async def load_long(body: bytes, tokens: int) -> Any:  # noqa: ANN401 -- any JSON
    """Return the value of a document that may be so long that others would wait for it.

    What is in it may still be such that nobody can send it: `refuse_unwritable` looks.
    """
    if len(body) < LONG:
        return loaded(body, tokens)
    return await asyncio.to_thread(loaded, body, tokens)


async def refuse_unwritable(value: Any, slices: Slices) -> None:  # noqa: ANN401 -- any JSON
    """Raise what is wrong with a value, wherever it came from."""
    wrong = []
    for found in unwritable(value):
        if found is not None:
            wrong.append(found)
        if len(wrong) == MOST_FOUND:
            break
        await slices.pause()
    if wrong:
        raise failed(wrong, MANY_ERRORS)


def parse(body: bytes, tokens: int = _MOST_TOKENS) -> Any:  # noqa: ANN401 -- any JSON
    """Return a JSON document's value, or raise what is wrong with it."""
    plain = _plain(body) if len(body) <= tokens else None
    return plain if plain is not None else writable(loaded(body, tokens))


def _plain(body: bytes) -> Any:  # noqa: ANN401 -- any JSON
    """Return the value of a body without escapes; None where it has to be looked at more closely.

    The reader takes names twice, and keeps the last: then there are more quotes than texts.
    """
    if b"\\" in body:
        return None
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError:
        return None
    texts = texts_in(value)
    if texts is None or 2 * len(texts) != body.count(b'"'):
        return None
    return value if "".join(texts).isprintable() else None


def writable(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return a value, or raise what nobody can send of it."""
    if is_writable(value):
        return value
    wrong = [found for found in unwritable(value) if found is not None]
    if wrong:
        raise failed(wrong)
    return value


def loaded(body: bytes, tokens: int = _MOST_TOKENS) -> Any:  # noqa: ANN401 -- any JSON
    """Return a JSON document's value, whatever may be in it."""
    if len(body) > tokens and has_more(body, tokens):
        raise MalformedJson("The body holds too many values.")
    try:
        text = body.decode("utf-8")
        # A text that begins with a byte order mark has its own error there.
        return json.loads(text) if text.startswith("\ufeff") else _DECODER.decode(text)
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


def validated(model: type[Model], value: object) -> Model:
    """Return a JSON value as a model; raises ValidationFailed with a pointer for each error."""
    try:
        # What model_validate calls, after a look at arguments that are not given.
        made: Model = model.__pydantic_validator__.validate_python(value)
    except ValidationError as fault:
        # Never the input: it would echo recipients and contents.
        found = fault.errors(include_url=False, include_input=False, include_context=True)
        raise failed([field_error(error) for error in found]) from None
    return made


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


# Made once: json.loads makes a new one for each text.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
