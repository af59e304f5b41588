"""The OpenAPI document is committed, whole, and what the application says of itself."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import main
from tests.api.client import BODIES, PROBLEM, Api

COMMITTED = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(main.create_app().openapi())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield path, method, operation


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_committed_document_is_the_applications(document: dict[str, Any]) -> None:
    assert json.loads(COMMITTED.read_text()) == json.loads(json.dumps(document)), (
        "run: make openapi"
    )


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert all(names)
    assert len(names) == len(set(names))


def test_every_operation_behind_a_key_says_how_it_refuses(document: dict[str, Any]) -> None:
    secured = [one for one in operations(document) if one[0].startswith("/v1/")]

    assert len(secured) >= 9
    for path, method, operation in secured:
        assert operation["security"] == [{"key": []}], (method, path)
        for status in ("400", "401", "403", "404", "422", "503"):
            content = operation["responses"][status]["content"]
            assert content[PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert any(status.startswith("2") for status in operation["responses"])
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))

    assert found
    for reference in found:
        at: Any = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
        assert isinstance(at, dict)


def test_no_schema_is_left_over(document: dict[str, Any]) -> None:
    used = {reference.rpartition("/")[2] for reference in references(document)}

    assert set(document["components"]["schemas"]) == used


def test_every_body_is_described(document: dict[str, Any]) -> None:
    for path in BODIES:
        schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        name = schema["schema"]["$ref"].rpartition("/")[2]
        model = document["components"]["schemas"][name]
        assert model["additionalProperties"] is False
        assert model["required"]


def test_nothing_of_ours_is_told_to_strangers(document: dict[str, Any]) -> None:
    assert not [path for path in document["paths"] if path.startswith(("/hooks", "/d/"))]


@pytest.mark.anyio
async def test_the_document_is_served(shared: Api, document: dict[str, Any]) -> None:
    answer = await shared.get("/openapi.json", key=None)

    assert (answer.status, answer.json()) == (200, json.loads(json.dumps(document)))


@pytest.mark.anyio
async def test_an_answer_has_the_fields_that_are_described(
    shared: Api, document: dict[str, Any]
) -> None:
    schemas = document["components"]["schemas"]
    for path, body in BODIES.items():
        found = (await shared.post(path, body())).json()
        assert set(found) == set(schemas["MessageOut"]["properties"])
    refused = (await shared.post("/v1/sms", {})).json()
    assert set(refused) == set(schemas["Problem"]["properties"])
    listed = (await shared.get("/v1/messages")).json()
    assert set(listed) == set(schemas["MessagesOut"]["properties"])
    events = (await shared.get(f"/v1/messages/{found['id']}/events")).json()["data"]
    assert set(events[0]) == set(schemas["EventOut"]["properties"])
