"""What a client sends with every message, and the shapes that several channels share."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.api.fields import BillingCode, Name, Reference, Time, fault, single_line, writable


class Strict(BaseModel):
    """A shape that takes no unknown field and no other type."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _file_name(text: str) -> str:
    single_line(text)
    if text in {".", ".."} or set(text) & set('/\\:*?"<>|\u202e'):
        raise fault("file_name_invalid", "Give a file name without a path or special characters.")
    return text


FileName = Annotated[
    str,
    Field(min_length=1, max_length=150),
    AfterValidator(writable),  # a form's name was not read as JSON
    AfterValidator(_file_name),
]


def _not_offered(value: object) -> object:
    """Take what means "no", and say of anything else that it cannot be had."""
    if value not in (None, []) and value is not False:
        raise fault("not_supported", "This version does not offer it; leave the field out.")
    return value


NotOffered = Annotated[None, BeforeValidator(_not_offered)]


class FileIn(Strict):
    """A file: one that was uploaded, or its bytes here."""

    document_id: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="Id of a document that POST /v1/documents answered"
    )
    filename: FileName | None = Field(None, description="The name that the recipient sees")
    content_base64: str | None = Field(None, description="The bytes, in base 64 (RFC 4648, 4)")

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.document_id is None) == (self.content_base64 is None):
            raise fault("file_ambiguous", "Give either document_id or content_base64.")
        return self


def none_given(kind: Callable[[], Any]) -> Any:  # noqa: ANN401 -- a field, whatever its type
    """Return a field whose default is empty: made for each message, where `= []` is copied deep."""
    return Field(default_factory=kind, json_schema_extra={"default": kind()})


class Common(Strict):
    """What every message may carry."""

    reference: Reference | None = Field(None, description="Your own reference; lists filter by it")
    billing_code: BillingCode | None = Field(None, description="Splits the provider's invoice")
    tags: Annotated[list[Name], Field(max_length=20)] = none_given(list)
    purpose: Literal["transactional", "otp", "marketing", "legal"] = "transactional"
    metadata: Annotated[dict[Name, Annotated[str, Field(max_length=500)]], Field(max_length=20)] = (
        none_given(dict)
    )
    send_at: Time | None = Field(None, description="Not before this time (with its zone)")
    expires_at: Time | None = Field(None, description="Not after this time (with its zone)")
    on_uncertain: Literal["hold", "retry"] | None = Field(
        None,
        description="What is done once a send of unknown outcome is proven not to have happened:"
        " hold waits for a person, retry sends again. Not given: hold, but for a fax whose document"
        " nobody fetched",
    )
