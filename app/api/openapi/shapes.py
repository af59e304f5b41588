"""Shapes that no endpoint returns by itself: problems, and what a form holds."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ErrorOut(BaseModel):
    """One wrong field."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body, or the parameter")
    code: str = Field(description="Stable")
    detail: str


class Problem(BaseModel):
    """A fault (RFC 9457); `code` is stable."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    type: str
    title: str
    status: int
    detail: str
    instance: str | None
    code: str = Field(description="Stable; others may come")
    request_id: str | None
    retryable: bool = Field(description="Whether the same request may succeed later")
    message_id: str | None
    errors: list[ErrorOut]
    provider: dict[str, Any] | None
