"""Every answer that the tests of the API get is compared with what the document says of it."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from app import main

PROBLEM = "application/problem+json"
LARGEST = 100_000  # bytes of an answer that is looked at whole: the validator is slow


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(main.create_app().openapi()))
    return found


@cache
def addresses() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Return the operations by address, those with the fewest parameters first."""
    paths = sorted(document()["paths"], key=lambda one: one.count("{"))
    return [(_pattern(one), document()["paths"][one]) for one in paths]


def _pattern(path: str) -> re.Pattern[str]:
    # A name or a billing code may hold a slash.
    return re.compile(
        re.sub(r"\\\{(\w+)\\\}", lambda found: _places(found[1]), re.escape(path)) + r"\Z"
    )


def _places(name: str) -> str:
    return ".+" if name in {"code", "username"} else "[^/]*"


@cache
def validator(kind: str) -> Draft202012Validator:
    schema = json.loads(kind)
    return Draft202012Validator({**schema, "components": document()["components"]})


def check(method: str, path: str, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Raise where an answer is not as it is described; what is not described is not looked at."""
    bare = path.partition("?")[0]
    item = next((item for pattern, item in addresses() if pattern.match(bare)), None)
    operation = (item or {}).get(method.lower())
    if operation is None:
        return  # no operation: a page, a document, a method that is not taken
    where = f"{operation['operationId']} answered {status}: {content[:500]!r}"
    described = operation["responses"].get(str(status))
    assert described is not None, f"{where}, which is not described"
    if "$ref" in described:
        described = document()["components"]["responses"][described["$ref"].rpartition("/")[2]]
    kinds = described.get("content", {})
    kind = headers.get("Content-Type", "").partition(";")[0]
    assert kind in kinds or (not content and not kinds), f"{where}, as {kind!r}"
    for name in described["headers"]:
        required = document()["components"]["headers"][name].get("required")
        assert name in headers or not required, f"{where}, without {name}"
    if not kind.endswith("json") or len(content) > LARGEST:
        return
    value = json.loads(content)
    faults = [
        one.message for one in validator(json.dumps(kinds[kind]["schema"])).iter_errors(value)
    ]
    assert not faults, f"{where}: {faults}"
    if kind == PROBLEM:
        assert value["code"] in kinds[kind]["examples"], f"{where}, a code that is not described"
