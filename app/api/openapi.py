"""The OpenAPI document: what FastAPI knows, and the bodies that we read ourselves."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from app.api.acting_schemas import ResolveBatchIn, ResolveIn
from app.api.batch_schemas import BatchIn
from app.api.schemas import EmailIn, FaxIn, LetterIn, SmsIn
from app.api.tool_shapes import EmailAddressIn, PhoneNumberIn, ProviderUserIn, ReportIn

_REFERENCE: Final = "#/components/schemas/{model}"
_BODIES: Final[tuple[type[BaseModel], ...]] = (
    *(EmailIn, SmsIn, LetterIn, FaxIn, BatchIn, ResolveIn, ResolveBatchIn),
    *(EmailAddressIn, PhoneNumberIn, ReportIn, ProviderUserIn),
)
_PROBLEMS: Final = {
    "400": "The request's form is wrong",
    "401": "No valid API key",
    "403": "The key may not do this",
    "404": "Nothing here, or nothing of yours",
    "409": "The first request with this key is still being answered",
    "413": "The body is too large",
    "415": "The body's type is not taken",
    "422": "Some fields are wrong",
    "429": "Too many of your messages wait; come again after Retry-After",
    "503": "The store or the provider's contract is not available",
}
# Of endpoints that ask a provider while the client waits.
ASKS_PROVIDER: Final[dict[int | str, dict[str, Any]]] = {
    502: {
        "description": "The provider's answer says nothing that we can rely on",
        "content": {
            "application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}
        },
    }
}


class ErrorOut(BaseModel):
    """One wrong field."""

    pointer: str
    code: str
    detail: str


class Problem(BaseModel):
    """A fault (RFC 9457); `code` is stable."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None
    code: str
    request_id: str | None
    retryable: bool = Field(description="Whether the same request may succeed later")
    message_id: str | None
    errors: list[ErrorOut]
    provider: dict[str, Any] | None


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """Describe a JSON body that the endpoint reads itself."""
    schema = {"$ref": _REFERENCE.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document."""
    found = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    models: tuple[type[BaseModel], ...] = (*_BODIES, Problem)
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REFERENCE
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= definitions.get("$defs", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key as `gw_live_...`"}
    }
    for path, operations in found["paths"].items():
        for operation in operations.values():
            _describe(operation, secured=path.startswith("/v1/"))
    return found


def _describe(operation: dict[str, Any], *, secured: bool) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    if not secured:
        return
    operation["security"] = [{"key": []}]
    schema = {"$ref": _REFERENCE.format(model="Problem")}
    for status, words in _PROBLEMS.items():
        answers[status] = {
            "description": words,
            "content": {"application/problem+json": {"schema": schema}},
        }
