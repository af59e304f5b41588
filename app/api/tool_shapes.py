"""What the tools, reports and console users are asked with, and what they answer."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr

from app.api.fields import FORBIDDEN, fault, filled, single_line
from app.api.schemas import Strict
from app.api.usual import HOME


def _region(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise fault("region_unknown", "Give a region of ISO 3166-1, two letters, such as FR.")
    return text


def _day(value: object) -> object:
    """Take a text only: pydantic would read numbers as seconds since 1970."""
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")  # noqa: PLR2004
    except ValueError:
        raise fault("invalid", "Write a day as 2026-11-21.") from None


def _single(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    single_line(text)
    if FORBIDDEN.search(text):
        raise fault("forbidden_characters", "The value holds a character that cannot be sent.")
    return secret


Day = Annotated[date, BeforeValidator(_day)]
UserName = Annotated[
    str, Field(min_length=1, max_length=100), AfterValidator(single_line), AfterValidator(filled)
]


class EmailAddressIn(Strict):
    """An address to look at."""

    address: Annotated[str, Field(max_length=320)]
    provider_check: bool = Field(False, description="Ask the provider too")


class PhoneNumberIn(Strict):
    """A telephone number to look at."""

    number: Annotated[str, Field(max_length=40)]
    region: Annotated[str, AfterValidator(_region)] = Field(
        HOME, description="Where a number without a country code is dialled (ISO 3166-1)"
    )
    kind: Literal["mobile", "fax", "any"] = Field(
        "any", description="What the number is for: text messages, faxes, or either"
    )
    provider_check: bool | None = Field(
        None, description="Ask the provider too; left out, it is asked about French mobiles"
    )


class ReportIn(Strict):
    """A report to ask a provider for."""

    kind: Literal["provider_efidem"]
    from_: Day = Field(alias="from", description="The first day, as 2026-11-01")
    to: Day = Field(description="The last day, as 2026-11-30")


class ProviderUserIn(Strict):
    """A user of the provider's console."""

    username: UserName
    password: Annotated[SecretStr, Field(min_length=1, max_length=200), AfterValidator(_single)] = (
        Field(description="The new user's; it is passed on, and kept nowhere")
    )


class VerdictOut(BaseModel):
    """What the provider says of an address."""

    name: str
    valid: bool
    code: str | None
    label: str | None


class EmailAddressOut(BaseModel):
    """What is known of an address; nothing is looked up."""

    address: str
    normalised: str | None
    valid: bool = Field(description="By our own rules, which a message to it must pass")
    reason: str | None
    provider: VerdictOut | None


class TransformedOut(BaseModel):
    """What the provider makes of a number."""

    name: str
    number: str | None
    code: str | None
    label: str | None
    problem: str | None = Field(description="Why it could not be asked, as a problem's code")


class PhoneNumberOut(BaseModel):
    """What is known of a number."""

    number: str
    normalised: str | None = Field(description="As E.164, such as +33601020304")
    national: str | None
    type: Literal["mobile", "fixed", "fixed_or_mobile", "other"] | None
    region: str | None
    valid: bool = Field(description="By our own rules, and for the kind that was asked for")
    reason: str | None
    provider: TransformedOut | None = Field(
        description="What the provider makes of it; null where it was not asked: it is not, of"
        " fewer than seven digits"
    )
    agree: bool | None = Field(description="Whether both came to the same digits")


class CodeClassOut(BaseModel):
    """The first of a status code's three numbers."""

    code: str
    meaning: str


class CodeSubjectOut(BaseModel):
    """The second of a status code's three numbers."""

    code: str
    meaning: str | None


class EsmtpCodeOut(BaseModel):
    """An enhanced mail system status code (RFC 3463)."""

    code: str
    class_: CodeClassOut = Field(serialization_alias="class")
    subject: CodeSubjectOut
    description: str
    temporary: bool = Field(description="Whether the same message may arrive later")
    source: Literal["local", "provider"]
    registered_in: str | None


class ProviderCountOut(BaseModel):
    """How many messages the provider counted: of the whole account, since when is not documented."""

    name: str
    count: int
    scope: Literal["account"]
    period: None


class OwnCountOut(BaseModel):
    """How many messages of this client and mode the provider accepted, by our own store."""

    count: int
    exact: bool = Field(description="False where there are more than are counted")
    scope: Literal["client"]


class SubmittedCountOut(BaseModel):
    """Messages submitted with a billing code, as the provider and as we count them."""

    billing_code: str
    provider: ProviderCountOut
    own: OwnCountOut
    difference: int | None = Field(description="The provider's less ours, where ours is exact")


class ReportFailureOut(BaseModel):
    """Why a report failed, or why it still waits."""

    type: str
    reason: str
    retryable: bool
    provider_code: str | None
    label: str | None


class ReportLinksOut(BaseModel):
    """Where to go on."""

    self: str
    file: str
    rows: str


class ReportOut(BaseModel):
    """A report, and how far it is."""

    id: str
    object: str
    kind: str
    mode: str
    from_: date = Field(serialization_alias="from")
    to: date
    status: Literal["queued", "running", "ready", "failed"]
    attempts: int
    failure: ReportFailureOut | None
    size: int | None
    sha256: str | None
    created_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None
    links: ReportLinksOut


class ReportRowsOut(BaseModel):
    """Rows of a report by our names, recipients masked."""

    data: list[dict[str, Any]]
    has_more: bool
    next_cursor: str | None


class ProviderAnswerOut(BaseModel):
    """What the provider answered."""

    name: str
    function: str
    code: str | None
    label: str | None


class ProviderUserOut(BaseModel):
    """A user who was added to the provider's console."""

    username: str
    provider: ProviderAnswerOut
