"""No client that was generated from the released document breaks: whatever would, is refused."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import main
from tests.contract.promise import COMPARED, INNER, SILENT, breaks

RELEASED = Path(__file__).resolve().parents[2] / "openapi" / "released.json"

Document = dict[str, Any]


def released() -> Document:
    found: Document = json.loads(RELEASED.read_text())
    return found


def test_nothing_that_was_released_is_broken() -> None:
    now = json.loads(json.dumps(main.create_app().openapi()))

    assert breaks(released(), now) == [], "CONTRIBUTING.md says what to do"


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def field(document: Document, name: str, of: str) -> Document:
    found: Document = schema(document, name)["properties"][of]
    return found


def parameter(document: Document, path: str, method: str, name: str) -> Document:
    named = {one["name"]: one for one in document["paths"][path][method]["parameters"]}
    found: Document = named[name]
    return found


# What a careless change would do to it, and words of the sentence that refuses it.
PLANTED: dict[str, tuple[Callable[[Document], object], str]] = {
    "a removed path": (lambda d: d["paths"].pop("/v1/events"), "GET /v1/events: the operation"),
    "a removed operation": (
        lambda d: d["paths"]["/v1/webhook-endpoints/{endpoint_id}"].pop("patch"),
        "PATCH /v1/webhook-endpoints/{endpoint_id}: the operation is gone",
    ),
    "a renamed method of clients": (
        lambda d: d["paths"]["/v1/sms"]["post"].update(operationId="postSms"),
        "operationId sendSms became postSms",
    ),
    "a field that is no longer told": (
        lambda d: schema(d, "MessageOut")["properties"].pop("status_is_final"),
        "GET /v1/messages 200/data/items/status_is_final: the field is gone",
    ),
    "a field that is no longer told of an event": (
        lambda d: schema(d, "ToldDataOut")["properties"].pop("sequence"),
        "webhook event/data/sequence: the field is gone",
    ),
    "a field that is no longer taken": (
        lambda d: schema(d, "AddressIn")["properties"].pop("line2"),
        "POST /v1/letters body/to/address/line2: the field is gone",
    ),
    "a new field that must be sent": (
        lambda d: schema(d, "SmsIn")["required"].append("sender"),
        "POST /v1/sms body/sender: it became required",
    ),
    "another type of a field that is sent": (
        lambda d: field(d, "LetterIn", "color").update(type="string"),
        "POST /v1/letters body/color: the type boolean",
    ),
    "another type of a field that is told": (
        lambda d: field(d, "MessagesOut", "has_more").update(type="string"),
        "GET /v1/messages 200/has_more: the type string",
    ),
    "a value that is no longer taken": (
        lambda d: field(d, "SmsIn", "encoding")["enum"].remove("transliterate"),
        "POST /v1/sms body/encoding: the value transliterate",
    ),
    "shorter texts": (
        lambda d: field(d, "SmsIn", "text").update(maxLength=160),
        "POST /v1/sms body/text: maxLength became narrower",
    ),
    "smaller batches": (
        lambda d: field(d, "SmsBatchIn", "messages").update(maxItems=100),
        "POST /v1/sms/batch body/messages: maxItems became narrower",
    ),
    "smaller pages": (
        lambda d: parameter(d, "/v1/events", "get", "limit")["schema"].update(maximum=10),
        "GET /v1/events parameter limit: maximum became narrower",
    ),
    "a key that is asked for anew": (
        lambda d: parameter(d, "/v1/sms", "post", "Idempotency-Key").update(required=True),
        "POST /v1/sms parameter Idempotency-Key: it became required",
    ),
}


@pytest.mark.parametrize("rule", PLANTED)
def test_a_break_of_the_released_document_is_refused(rule: str) -> None:
    change, words = PLANTED[rule]
    new = released()
    change(new)

    found = breaks(released(), new)

    assert [one for one in found if words in one], found


def keywords(node: Document) -> Iterator[str]:
    """Yield every keyword of a schema and of those within it."""
    yield from node
    for name in ("anyOf", "oneOf"):
        for one in node.get(name, ()):
            yield from keywords(one)
    for inner in (*node.get("properties", {}).values(), *map(node.get, INNER)):
        if isinstance(inner, dict):
            yield from keywords(inner)


def test_no_keyword_of_the_document_is_overlooked() -> None:
    found = {name for one in released()["components"]["schemas"].values() for name in keywords(one)}

    assert found - COMPARED - SILENT == set()
