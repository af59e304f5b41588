"""What a client sends to have a letter posted."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.api.fields import Line, Name, Subject, fault, fault_at
from app.api.message_schema import Common, FileIn, Strict


class AddressIn(Strict):
    """A postal address."""

    line1: Line
    line2: Line | None = None
    postal_code: Annotated[Line, Field(max_length=10)]
    city: Line
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = Field(
        "FR", description="ISO 3166-1, two letters"
    )
    normalise: bool = Field(
        False,
        description="Send and keep it in the form of NF Z10-011: capitals without accents and"
        " punctuation, words shortened where a line has more than 38 characters; refused where one"
        " still has more. Left out, it is sent as it is, and `warnings` say what the norm has"
        " against it",
    )

    @model_validator(mode="after")
    def _french_code(self) -> Self:
        french = len(self.postal_code) == 5 and self.postal_code.isdecimal()  # noqa: PLR2004
        if self.country == "FR" and not (french and self.postal_code.isascii()):
            raise fault_at(
                "postal_code", "postal_code_length", "A French postal code has five digits."
            )
        return self


class AddresseeIn(Strict):
    """Who a letter goes to: a person, a company, or a person in a company."""

    title: Annotated[Name, Field(max_length=20)] | None = None
    last_name: Line | None = None
    first_name: Line | None = None
    company: Line | None = None
    address: AddressIn

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if self.last_name is None and self.company is None:
            raise fault("last_name_missing", "Give last_name and first_name, or company.")
        if self.last_name is not None and self.first_name is None and self.company is None:
            raise fault("first_name_missing", "The provider refuses a person without first_name.")
        return self


class LetterIn(Common):
    """A postal letter."""

    to: AddresseeIn
    documents: Annotated[list[FileIn], Field(min_length=1, max_length=20)]
    color: bool = False
    envelope: Literal["C5", "C6"] = "C5"
    subject: Subject | None = None
    cancel_window_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        0, description="How long the letter waits before it leaves"
    )
