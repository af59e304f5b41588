"""The comparison of two documents sees each way to break a client, and takes nothing else for one."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.promise import breaks

Document = dict[str, Any]


OLD: Document = {
    "paths": {
        "/things": {
            "post": {
                "operationId": "makeThing",
                "security": [{"key": []}],
                "parameters": [
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 9}},
                    {"in": "header", "name": "Prefer", "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/In"}},
                        "text/plain": {},
                    }
                },
                "responses": {
                    "202": {
                        "headers": {"Location": {}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Out"}}
                        },
                    },
                    "404": {"content": {"application/problem+json": {}}},
                },
            },
            "get": {"operationId": "listThings", "responses": {"200": {}}},
        }
    },
    "webhooks": {
        "told": {
            "post": {
                "parameters": [{"in": "header", "name": "signature", "schema": {}}],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Out"}}
                    }
                },
                "responses": {},
            }
        }
    },
    "components": {
        "schemas": {
            "In": {
                "type": "object",
                "additionalProperties": False,
                "required": ["to"],
                "properties": {
                    "to": {"type": "string", "maxLength": 40},
                    "kind": {"enum": ["a", "b"], "type": "string"},
                    "sum": {"type": "number"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/In"}},
                    "names": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                        "propertyNames": {"maxLength": 9},
                    },
                    "way": {"type": "string", "default": "fast"},
                    "any": {"type": "object"},
                },
            },
            "Out": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string"},
                    "state": {"enum": ["new", "done"], "type": "string"},
                    "when": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
                    "next": {"$ref": "#/components/schemas/Out"},
                },
            },
        },
        "examples": {"not_found": {}, "validation_failed": {}},
    },
}


def post(document: Document) -> Document:
    found: Document = document["paths"]["/things"]["post"]
    return found


def field(document: Document, schema: str, name: str) -> Document:
    found: Document = document["components"]["schemas"][schema]["properties"][name]
    return found


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def required_parameter(document: Document) -> None:
    new = {"in": "query", "name": "new", "required": True, "schema": {}}
    post(document)["parameters"].append(new)


# Each rule, and a change that it refuses, with words of the sentence that says so.
BREAKING: dict[str, tuple[Callable[[Document], object], str]] = {
    "a path is removed": (lambda d: d["paths"].pop("/things"), "the operation is gone"),
    "an operation is removed": (lambda d: d["paths"]["/things"].pop("get"), "GET /things: the op"),
    "an operation is renamed": (
        lambda d: post(d).update(operationId="createThing"),
        "operationId makeThing became createThing",
    ),
    "a way to show who calls is removed": (
        lambda d: post(d).update(security=[{"oidc": []}]),
        "cannot show who they are",
    ),
    "an open operation asks for a key": (
        lambda d: d["paths"]["/things"]["get"].update(security=[{"key": []}]),
        "cannot show who they are",
    ),
    "a parameter is removed": (lambda d: post(d)["parameters"].pop(), "parameter Prefer: it is go"),
    "a parameter is required": (required_parameter, "parameter new: it became required"),
    "a parameter became required": (
        lambda d: post(d)["parameters"][1].update(required=True),
        "parameter Prefer: it became required",
    ),
    "a parameter takes less": (
        lambda d: post(d)["parameters"][0]["schema"].update(maximum=5),
        "parameter limit: maximum became narrower (9 to 5)",
    ),
    "a parameter has another type": (
        lambda d: post(d)["parameters"][0]["schema"].update(type="string"),
        "parameter limit: the type integer",
    ),
    "the body became required": (
        lambda d: post(d)["requestBody"].update(required=True),
        "body: it became required",
    ),
    "a type of body is removed": (
        lambda d: post(d)["requestBody"]["content"].pop("text/plain"),
        "body: text/plain is gone",
    ),
    "a field that was sent is removed": (
        lambda d: schema(d, "In")["properties"].pop("note"),
        "body/note: the field is gone",
    ),
    "a new field must be sent": (
        lambda d: schema(d, "In")["required"].append("sum"),
        "body/sum: it became required",
    ),
    "fewer values are taken": (
        lambda d: field(d, "In", "kind").update(enum=["a"]),
        "body/kind: the value b",
    ),
    "only some values are taken": (
        lambda d: field(d, "In", "to").update(enum=["a"]),
        "body/to: the value others",
    ),
    "null is not taken any more": (
        lambda d: field(d, "In", "note").update(anyOf=[{"type": "string"}]),
        "body/note: the type null",
    ),
    "a field that was sent has another type": (
        lambda d: field(d, "In", "sum").update(type="string"),
        "body/sum: the type number",
    ),
    "a number must be whole": (
        lambda d: field(d, "In", "sum").update(type="integer"),
        "body/sum: the type number",
    ),
    "less is taken": (
        lambda d: field(d, "In", "to").update(maxLength=20),
        "body/to: maxLength became narrower (40 to 20)",
    ),
    "more must be sent": (
        lambda d: field(d, "In", "to").update(minLength=2),
        "body/to: minLength became narrower (None to 2)",
    ),
    "a pattern came": (lambda d: field(d, "In", "to").update(pattern="^x"), "body/to: pattern"),
    "values of a map have another type": (
        lambda d: field(d, "In", "names").update(additionalProperties={"type": "integer"}),
        "body/names/additionalProperties: the type string",
    ),
    "a map takes no other names": (
        lambda d: field(d, "In", "names").update(additionalProperties=False),
        "body/names: further fields are refused",
    ),
    "shorter names are taken": (
        lambda d: field(d, "In", "names").update(propertyNames={"maxLength": 5}),
        "body/names/propertyNames: maxLength became narrower (9 to 5)",
    ),
    "only some names are taken": (
        lambda d: field(d, "In", "any").update(propertyNames={"maxLength": 5}),
        "body/any: some names are refused",
    ),
    "what is left out means something else": (
        lambda d: field(d, "In", "way").update(default="slow"),
        "body/way: what is left out",
    ),
    "a success is removed": (lambda d: post(d)["responses"].pop("202"), "202: the answer is gone"),
    "another success may come": (
        lambda d: post(d)["responses"].update({"200": {}}),
        "200: a success that clients do not know",
    ),
    "an answer has another type": (
        lambda d: post(d)["responses"]["202"].update(content={"text/csv": {}}),
        "202: application/json is gone",
    ),
    "a header is removed": (
        lambda d: post(d)["responses"]["202"].pop("headers"),
        "header Location: it is gone",
    ),
    "a field that was told is removed": (
        lambda d: schema(d, "Out")["properties"].pop("id"),
        "202/id: the field is gone",
    ),
    "a field that was told may be missing": (
        lambda d: schema(d, "Out")["required"].remove("id"),
        "202/id: it may be missing",
    ),
    "a field that was told has another type": (
        lambda d: field(d, "Out", "id").update(type="integer"),
        "202/id: the type integer",
    ),
    "a field that was told has any type": (
        lambda d: field(d, "Out", "id").pop("type"),
        "202/id: any type is possible",
    ),
    "a field that was told may be null": (
        lambda d: schema(d, "Out")["properties"].update(
            id={"anyOf": [{"type": "string"}, {"type": "null"}]}
        ),
        "202/id: the type null",
    ),
    "a time is told as a text": (
        lambda d: schema(d, "Out")["properties"].update(when={"type": "string"}),
        "202/when: clients read it as another type",
    ),
    "more values are told": (
        lambda d: field(d, "Out", "state").update(enum=["new", "done", "lost"]),
        "202/state: the value lost",
    ),
    "any value is told": (
        lambda d: field(d, "Out", "state").pop("enum"),
        "202/state: the value others",
    ),
    "a webhook is removed": (lambda d: d.pop("webhooks"), "webhook told: it is gone"),
    "a webhook has a header less": (
        lambda d: d["webhooks"]["told"]["post"].pop("parameters"),
        "webhook told parameter signature: it is gone",
    ),
    "a webhook tells less": (
        lambda d: schema(d, "Out")["properties"].pop("state"),
        "webhook told/state: the field is gone",
    ),
    "an error code is removed": (
        lambda d: d["components"]["examples"].pop("not_found"),
        "error code not_found: it is gone",
    ),
}


@pytest.mark.parametrize("rule", BREAKING)
def test_what_breaks_clients_is_refused(rule: str) -> None:
    change, words = BREAKING[rule]
    new = copy.deepcopy(OLD)
    change(new)

    found = breaks(OLD, new)

    assert [one for one in found if words in one], found


HARMLESS: dict[str, Callable[[Document], object]] = {
    "nothing": lambda d: None,
    "a new operation": lambda d: d["paths"].update({"/new": {"get": {"operationId": "getNew"}}}),
    "a new webhook": lambda d: d["webhooks"].update(new={"post": {}}),
    "a new field may be sent": lambda d: schema(d, "In")["properties"].update(
        more={"type": "null"}
    ),
    "a new parameter may be sent": lambda d: post(d)["parameters"].append(
        {"in": "query", "name": "new", "schema": {"type": "string"}}
    ),
    "a new field is told": lambda d: schema(d, "Out")["properties"].update(more={"type": "string"}),
    "more values are taken": lambda d: field(d, "In", "kind").update(enum=["a", "b", "c"]),
    "any value is taken": lambda d: field(d, "In", "kind").pop("enum"),
    "fewer values are told": lambda d: field(d, "Out", "state").update(enum=["new"]),
    "null is told no more": lambda d: field(d, "Out", "when")["anyOf"].pop(),
    "null may be sent": lambda d: schema(d, "In")["properties"].update(
        sum={"anyOf": [{"type": "number"}, {"type": "null"}]}
    ),
    "a longer text may be sent": lambda d: field(d, "In", "to").update(maxLength=80),
    "a field need not be sent": lambda d: schema(d, "In").update(required=[]),
    "an error that cannot occur any more": lambda d: post(d)["responses"].pop("404"),
    "a further error": lambda d: post(d)["responses"].update({"409": {}}),
    "another way to show who calls": lambda d: post(d)["security"].append({"oidc": []}),
    "no key is needed": lambda d: d["paths"]["/things"]["get"].update(security=[]),
    "a new error code": lambda d: d["components"]["examples"].update(gone={}),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_what_is_added_breaks_nobody(change: str) -> None:
    new = copy.deepcopy(OLD)
    HARMLESS[change](new)

    assert breaks(OLD, new) == []
