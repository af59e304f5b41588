"""The OpenAPI document: what FastAPI knows, and what it cannot know."""

import json
from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.openapi import about, batches, faults, headers, parameters, told
from app.api.openapi.body import REFERENCE, Taken
from app.api.openapi.examples import BODIES, OF_OPERATION, answers
from app.api.openapi.shapes import Problem
from app.api.problems import MEDIA_TYPE

_FORM: Final = "multipart/form-data"


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document."""
    found = get_openapi(title=app.title, version=app.version, routes=app.routes)
    found["info"] |= about.INFO
    found["servers"] = about.SERVERS
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= _described(app)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    tagged: set[str] = set()
    for path, _, operation in operations(found):
        tagged.update(operation.get("tags", ()))
        _describe(operation, schemas, secured=path.startswith("/v1/"))
    found["tags"] = about.tags(tagged)
    found["webhooks"] = told.WEBHOOKS
    schemas.pop("BatchIn", None)  # each channel has its own
    _tidy(schemas)
    for name, example in {**BODIES, **answers()}.items():
        if name in schemas:
            schemas[name]["examples"] = [example]
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = about.SECURITY_SCHEMES
    components["headers"] = headers.HEADERS
    components["examples"] = _used(found, faults.examples())
    components["responses"] = _shared(found)
    return found


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each operation of a document with its path and method."""
    for path, item in found["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def operation_id(route: APIRoute) -> str:
    """Return an endpoint's name as clients call it: `send_sms` is `sendSms`."""
    first, *others = route.name.split("_")
    return first + "".join(one.capitalize() for one in others)


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the schemas of bodies that endpoints read themselves, and of problems."""
    models: dict[str, type[BaseModel]] = {Problem.__name__: Problem}
    for route in iter_route_contexts(app.routes):
        taken = getattr(route, "openapi_extra", None)
        if isinstance(taken, Taken):
            models[taken.model.__name__] = taken.model
    _, definitions = models_json_schema(
        [(model, "validation") for model in models.values()], ref_template=REFERENCE
    )
    found: dict[str, Any] = definitions.get("$defs", {})
    return found


def _describe(operation: dict[str, Any], schemas: dict[str, Any], *, secured: bool) -> None:
    words = operation.get("description", "")
    operation["summary"] = words.partition("\n")[0].rstrip(".")
    for parameter in operation.get("parameters", ()):
        parameters.complete(parameter)
    body = operation.get("requestBody", {}).get("content", {})
    if _FORM in body:
        # Named: generators need a name for it.
        schemas["DocumentForm"] = body[_FORM]["schema"]
        body[_FORM]["schema"] = {"$ref": REFERENCE.format(model="DocumentForm")}
    batches.narrow(operation, schemas)
    example = OF_OPERATION.get(operation["operationId"])
    if example is not None:
        body["application/json"]["example"] = example
    for status, answer in operation["responses"].items():
        for kind in answer.get("content", {}).values():
            kind.setdefault("schema", {"type": "string", "format": "binary"})
        answer["headers"] = headers.of_answer(operation, status, secured=secured)
    faults.describe(operation, secured=secured)
    operation["responses"] = dict(sorted(operation["responses"].items()))
    operation["security"] = about.SECURITY if secured else []


def _used(found: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    """Return the examples of those faults that some operation can have."""
    every = [answer for _, _, one in operations(found) for answer in one["responses"].values()]
    kinds = [kind for answer in every for kind in answer.get("content", {}).values()]
    named = {name for kind in kinds for name in kind.get("examples", ())}
    return {name: example for name, example in examples.items() if name in named}


def _shared(found: dict[str, Any]) -> dict[str, Any]:
    """Take problems out of the operations: most of them answer alike."""
    shared: dict[str, Any] = {}
    names: dict[str, str] = {}
    for _, _, operation in operations(found):
        for status, answer in operation["responses"].items():
            if MEDIA_TYPE in answer.get("content", {}):
                text = json.dumps(answer)
                if text not in names:
                    # Others by who answers so first: a number would move with what comes before.
                    name = f"Problem{status}"
                    taken = name in shared
                    names[text] = f"{name}.{operation['operationId']}" if taken else name
                    shared[names[text]] = answer
                operation["responses"][status] = {"$ref": f"#/components/responses/{names[text]}"}
    return dict(sorted(shared.items()))


def _tidy(node: Any, *, names: bool = False) -> None:  # noqa: ANN401 -- any JSON
    """Take away what says nothing: titles that repeat a field's name, and defaults of nothing.

    Generators would name classes by the titles.
    """
    if isinstance(node, dict):
        if not names:
            if isinstance(node.get("title"), str):
                del node["title"]
            if "default" in node and node["default"] is None:
                del node["default"]
        for name, inner in node.items():
            _tidy(inner, names=name in {"properties", "$defs"} and not names)
    elif isinstance(node, list):
        for inner in node:
            _tidy(inner)
