"""What a client sends: one shape per channel. Unknown fields are refused."""

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from app.api.fields import (
    Body,
    EmailAddress,
    Name,
    PhoneNumber,
    Sender,
    Subject,
    fault,
)
from app.api.letter_schema import AddresseeIn, AddressIn, LetterIn
from app.api.message_schema import Common, FileIn, FileName, NotOffered, Strict, none_given
from app.api.retry_schema import RetryIn

__all__ = ["AddressIn", "AddresseeIn", "Common", "FileIn", "FileName", "LetterIn", "Strict"]

MOST_RECIPIENTS: Final = 100  # in `to`, and in `cc`
LONGEST_TEXT: Final = 1530  # characters: ten parts in the GSM alphabet


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
    cc: Annotated[list[RecipientIn], Field(max_length=MOST_RECIPIENTS)] = none_given(list)
    reply_to: EmailAddress | None = None
    subject: Subject
    text: Body | None = Field(None, description="Derived from html where it is missing")
    html: Body | None = Field(None, description="Derived from text where it is missing")
    template: NotOffered = None
    variables: Variables = none_given(list)
    attachments: Annotated[list[FileIn], Field(max_length=20)] = none_given(list)
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
    text: Annotated[Body, Field(max_length=LONGEST_TEXT)]
    sender: Sender | None = Field(None, description="11 alphanumeric characters at most")
    variables: Variables = none_given(list)
    encoding: Literal["auto", "strict_gsm7", "transliterate"] = Field(
        "auto",
        description="How the text is written. auto: as it is, in UCS-2 where a character needs it"
        " (70 characters a part in place of 160). strict_gsm7: refused, with each character that"
        " would need UCS-2. transliterate: in the GSM alphabet (ê is e, œ is oe), refused where a"
        " character has no likeness in it",
    )
    max_segments: Annotated[int, Field(ge=1, le=10)] | None = Field(
        None, description="Refuse a text that takes more parts than this"
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
