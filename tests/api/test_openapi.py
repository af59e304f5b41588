"""The OpenAPI document is committed, whole, and what the application says of itself."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app import main
from app.api.openapi import faults, headers
from app.api.openapi.examples import OF_OPERATION
from app.api.problems import TABLE
from app.domain.errors import MethodNotAllowed
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


VERBS = {
    *("send", "estimate", "get", "list", "search", "explain", "upload", "check", "create", "count"),
    *("add", "remove", "delete", "change", "replace", "rotate", "enable", "disable", "ping"),
    *("recover", "resend", "cancel", "refresh", "resolve", "revoke", "probe"),
}


def test_every_operation_has_a_name_of_its_own_of_verb_and_noun(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    words = {name: re.findall(r"^[a-z]+|[A-Z][a-z]*", name) for name in names}

    assert len(names) == len(set(names))
    assert [name for name in names if "".join(words[name]) != name] == []
    assert [name for name in names if words[name][0] not in VERBS or not words[name][1:]] == []


def test_clients_call_operations_by_the_names_of_our_endpoints(document: dict[str, Any]) -> None:
    names = {operation["operationId"] for _, _, operation in operations(document)}

    assert {
        *("sendEmail", "sendSms", "sendLetter", "sendFax", "sendEmailBatch", "sendSmsBatch"),
        *("getMessage", "listMessages", "searchMessages", "cancelMessage", "explainMessage"),
        *("listFeed", "createWebhookEndpoint", "createKey", "getMe", "estimateMessage"),
    } <= names


def answers(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    shared = document["components"]["responses"]
    return {
        status: shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }


def test_every_operation_behind_a_key_says_how_it_refuses(document: dict[str, Any]) -> None:
    secured = [one for one in operations(document) if one[0].startswith("/v1/")]

    assert len(secured) >= 60
    for path, method, operation in secured:
        assert operation["security"] == [{"key": []}, {"token": []}], (method, path)
        said = answers(document, operation)
        for status in ("401", "403", "429", "500", "503"):
            content = said[status]["content"]
            assert content[PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert any(status.startswith("2") for status in said)
    for scheme in document["components"]["securitySchemes"].values():
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_every_fault_that_there_is_stands_at_an_operation(document: dict[str, Any]) -> None:
    said = {
        code
        for _, _, operation in operations(document)
        for answer in answers(document, operation).values()
        for code in answer.get("content", {}).get(PROBLEM, {}).get("examples", {})
    }

    # An operation is a method that is taken: another method is none.
    assert {kind.code for kind, *_ in TABLE} - said == {MethodNotAllowed.code}
    assert said <= document["components"]["examples"].keys()


def test_the_table_of_faults_and_of_headers_names_operations_that_there_are(
    document: dict[str, Any],
) -> None:
    names = {operation["operationId"] for _, _, operation in operations(document)}

    assert {*faults.OWN, *faults.UNSCOPED, *headers.BY_OPERATION, *OF_OPERATION} - names == set()


def test_an_operation_says_only_what_can_befall_it(document: dict[str, Any]) -> None:
    paths = document["paths"]

    assert "404" not in paths["/v1/sms"]["post"]["responses"]
    assert "422" not in paths["/v1/messages/{message_id}"]["get"]["responses"]
    assert "409" not in paths["/v1/messages/{message_id}"]["get"]["responses"]
    said = answers(document, paths["/v1/messages/{message_id}/cancel"]["post"])
    assert set(said["409"]["content"][PROBLEM]["examples"]) == {
        "already_final",
        "already_submitted",
    }


def test_every_tag_is_described_and_used(document: dict[str, Any]) -> None:
    used = {tag for _, _, operation in operations(document) for tag in operation["tags"]}

    assert {one["name"] for one in document["tags"]} == used
    assert all(one["description"] for one in document["tags"])


def test_no_parameter_may_be_null(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"]
            assert "null" not in json.dumps(parameter["schema"])


def test_what_is_told_by_itself_is_described(document: dict[str, Any]) -> None:
    operation = document["webhooks"]["event"]["post"]
    named = {one["name"] for one in operation["parameters"]}

    assert named == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    told = operation["requestBody"]["content"]["application/json"]["schema"]
    fed = document["components"]["schemas"]["FeedOut"]["properties"]["data"]["items"]
    assert told == fed


# --- examples ---


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    whole = {**schema, "components": document["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def example_of(document: dict[str, Any], content: dict[str, Any]) -> object:
    if "example" in content:
        return content["example"]
    schema = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    (example,) = schema["examples"]
    return example


def test_every_body_has_an_example_that_the_schema_takes(document: dict[str, Any]) -> None:
    seen = 0
    for _, _, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            validator(document, content["schema"]).validate(example_of(document, content))
            seen += 1

    assert seen >= 20


def test_every_answer_has_an_example_that_the_schema_takes(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, answer in answers(document, operation).items():
            content = answer.get("content", {}).get("application/json")
            if not status.startswith("2") or content is None:
                continue
            validator(document, content["schema"]).validate(example_of(document, content))


def test_every_part_of_an_address_has_an_example(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        parts = [one for one in operation.get("parameters", ()) if one["in"] == "path"]
        assert [one["name"] for one in parts] == re.findall(r"\{(\w+)\}", path)
        for one in parts:
            (example,) = one["schema"]["examples"]
            validator(document, one["schema"]).validate(example)


def test_every_example_of_a_problem_is_one(document: dict[str, Any]) -> None:
    problems = validator(document, {"$ref": "#/components/schemas/Problem"})
    for code, example in document["components"]["examples"].items():
        problems.validate(example["value"])
        assert example["value"]["code"] == code


@pytest.mark.anyio
async def test_the_examples_are_taken_as_they_stand(shared: Api, document: dict[str, Any]) -> None:
    for path in (*BODIES, "/v1/emails/batch", "/v1/sms/batch"):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        answer = await shared.post(path, example_of(document, content))
        assert answer.status == 202, answer.content


# --- shapes ---


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))

    assert found
    for reference in found:
        at: Any = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
        assert isinstance(at, dict)


def test_nothing_is_left_over(document: dict[str, Any]) -> None:
    used = set(references(document))

    for kind in ("schemas", "responses", "headers", "examples"):
        left = {f"#/components/{kind}/{name}" for name in document["components"][kind]} - used
        assert left == set()


def limits(annotation: object) -> Iterator[list[object]]:
    """Yield the limits of each annotated type within a field's."""
    if get_origin(annotation) is Annotated:
        told = [
            one.metadata if isinstance(one, FieldInfo) else [one]
            for one in annotation.__metadata__  # type: ignore[attr-defined]
        ]
        yield [limit for some in told for limit in some]
    for inner in get_args(annotation):
        yield from limits(inner)


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from models(one)


def test_of_several_lengths_of_a_field_the_one_that_is_told_holds() -> None:
    """A type's own length holds beside the field's: only the last of them is told."""
    seen = 0
    for model in {one for one in models(BaseModel) if one.__module__.startswith("app.api.")}:
        for name, field in model.model_fields.items():
            for some in (field.metadata, *limits(field.annotation)):
                longest = [one.max_length for one in some if hasattr(one, "max_length")]
                assert not longest or longest[-1] == min(longest), f"{model.__name__}.{name}"
                seen += len(longest)

    assert seen >= 40


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
