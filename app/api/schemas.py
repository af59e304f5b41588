"""What a client sends: one shape per channel. Unknown fields are refused."""

from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.api.fields import (
    BillingCode,
    Body,
    EmailAddress,
    Line,
    Name,
    PhoneNumber,
    Reference,
    Sender,
    Subject,
    Time,
    fault,
    single_line,
    writable,
)
from app.api.retry_schema import RetryIn


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


class Common(Strict):
    """What every message may carry."""

    reference: Reference | None = Field(None, description="Your own reference; lists filter by it")
    billing_code: BillingCode | None = Field(None, description="Splits the provider's invoice")
    tags: Annotated[list[Name], Field(max_length=20)] = []
    purpose: Literal["transactional", "otp", "marketing", "legal"] = "transactional"
    metadata: Annotated[
        dict[Name, Annotated[str, Field(max_length=500)]], Field(max_length=20)
    ] = {}
    send_at: Time | None = Field(None, description="Not before this time (with its zone)")
    expires_at: Time | None = Field(None, description="Not after this time (with its zone)")
    on_uncertain: Literal["hold", "retry"] | None = Field(
        None,
        description="What is done once a send of unknown outcome is proven not to have happened:"
        " hold waits for a person, retry sends again. Not given: hold, but for a fax whose document"
        " nobody fetched",
    )


MOST_RECIPIENTS: Final = 100  # in `to`, and in `cc`


class RecipientIn(Strict):
    """Who an e-mail goes to."""

    address: EmailAddress
    name: Name | None = None


class SenderIn(Strict):
    """Who an e-mail comes from."""

    address: EmailAddress
    name: Name | None = Field(
        None, description="Kept, and not carried by the provider: its EMETTEUR is an address"
    )


class TrackIn(Strict):
    """What the relay is to notice; the transactional route notices nothing."""

    opens: bool = False
    clicks: bool = False


def _numbered(value: object) -> object:
    """Take `{"1": "a", "2": "b"}` or `{"VARIABLE1": "a", ...}` for `["a", "b"]`."""
    if not isinstance(value, dict):
        return value
    wanted = [str(place) for place in range(1, len(value) + 1)]
    given = {str(name).upper().removeprefix("VARIABLE"): text for name, text in value.items()}
    if sorted(given) != sorted(wanted):
        detail = "The provider's variables are numbered: name them 1, 2, 3, ... or send a list."
        raise fault("variables_not_numbered", detail)
    return [given[place] for place in wanted]


Variables = Annotated[
    list[Annotated[str, Field(max_length=1000)]],
    Field(max_length=99, description="VARIABLE1, VARIABLE2, ... of the provider, in order"),
    BeforeValidator(_numbered),
]


class EmailIn(Common):
    """An e-mail: to one recipient, or by the provider's relay to several."""

    from_: SenderIn = Field(alias="from")
    to: Annotated[list[RecipientIn], Field(min_length=1, max_length=MOST_RECIPIENTS)]
    cc: Annotated[list[RecipientIn], Field(max_length=MOST_RECIPIENTS)] = []
    reply_to: EmailAddress | None = None
    subject: Subject
    text: Body | None = Field(None, description="Derived from html where it is missing")
    html: Body | None = Field(None, description="Derived from text where it is missing")
    template: NotOffered = None
    variables: Variables = []
    attachments: Annotated[list[FileIn], Field(max_length=20)] = []
    route: Literal["auto", "transactional", "relay"] = Field(
        "auto",
        description="auto takes the relay for several `to`, any `cc`, `errors_to` or tracking",
    )
    track: TrackIn = TrackIn()
    errors_to: EmailAddress | None = Field(None, description="Where the relay sends bounces")

    @model_validator(mode="after")
    def _has_a_body(self) -> Self:
        if self.text is None and self.html is None:
            raise fault("content_missing", "Give text, html, or both.")
        return self


class SmsIn(Common):
    """A text message."""

    to: PhoneNumber
    text: Annotated[Body, Field(max_length=1530)]
    sender: Sender | None = Field(None, description="11 alphanumeric characters at most")
    variables: Variables = []
    encoding: Literal["auto"] = "auto"
    max_segments: Annotated[int, Field(ge=1, le=10)] | None = Field(
        None, description="Refuse a text that takes more parts than this"
    )


class AddressIn(Strict):
    """A postal address."""

    line1: Line
    line2: Line | None = None
    postal_code: Annotated[Line, Field(max_length=10)]
    city: Line
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = Field(
        "FR", description="ISO 3166-1, two letters"
    )

    @model_validator(mode="after")
    def _french_code(self) -> Self:
        french = len(self.postal_code) == 5 and self.postal_code.isdecimal()  # noqa: PLR2004
        if self.country == "FR" and not (french and self.postal_code.isascii()):
            raise fault("postal_code_length", "A French postal code has five digits.")
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


class CoverIn(Strict):
    """A cover page, which only Efidem has."""

    text: Body | None = Field(None, description="What stands on it")
    template: Name | None = Field(None, description="The code of a page that Efidem keeps")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.text is None and self.template is None:
            raise fault("cover_empty", "Give text, template, or both.")
        return self


class FaxIn(Common):
    """A fax of one document: a PDF, a picture or a plain text."""

    to: PhoneNumber
    to_name: Name | None = None
    document: FileIn
    provider: Literal["auto", "fax123", "efidem"] = Field(
        "auto", description="auto is what the operator chose"
    )
    cover: CoverIn | None = None
    retry: RetryIn | None = Field(None, description="Left out: the operator's, on a busy line")
