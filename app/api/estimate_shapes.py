"""What an estimate is asked with, and what it answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from app.api.client_shapes import QuotaOut
from app.api.postal_shapes import FoundOut
from app.api.schemas import EmailIn, FaxIn, LetterIn, SmsIn
from app.api.shapes import CostOut
from app.domain.message import Channel


class ChannelIn(BaseModel):
    """Which channel's message is estimated; the rest is looked at as that channel's."""

    model_config = ConfigDict(extra="ignore")

    channel: Channel


class EmailEstimateIn(EmailIn):
    """What POST /v1/emails takes, and its channel."""

    channel: Literal["email"]


class SmsEstimateIn(SmsIn):
    """What POST /v1/sms takes, and its channel."""

    channel: Literal["sms"]


class LetterEstimateIn(LetterIn):
    """What POST /v1/letters takes, and its channel."""

    channel: Literal["letter"]


class FaxEstimateIn(FaxIn):
    """What POST /v1/faxes takes, and its channel."""

    channel: Literal["fax"]


class EstimateIn(
    RootModel[
        Annotated[
            EmailEstimateIn | SmsEstimateIn | LetterEstimateIn | FaxEstimateIn,
            Field(discriminator="channel"),
        ]
    ]
):
    """A message as it would be sent, and its channel."""


class ForcingOut(BaseModel):
    """A character that the GSM alphabet lacks: one of it makes the whole text UCS-2."""

    character: str
    name: str = Field(description="In Unicode")
    position: int = Field(description="Of the first one, in characters from 0")
    count: int


class SmsEstimateOut(BaseModel):
    """What a text message would take (3GPP TS 23.038)."""

    text: str = Field(description="As it would be sent: transliterated where that was asked for")
    encoding: Literal["gsm7", "ucs2"]
    units: int = Field(description="Septets of GSM-7, UTF-16 units of UCS-2")
    segments: int
    remaining: int = Field(description="Units that the last part still takes")
    characters_forcing_ucs2: list[ForcingOut] = Field(description="The first hundred of them")


class LetterEstimateOut(BaseModel):
    """What a letter would take."""

    pages: int | None = Field(description="Null where its documents were refused")
    address_lines: list[str] = Field(description="As NF Z10-011 lays the address out")


class FaxEstimateOut(BaseModel):
    """What a fax would take."""

    pages: int | None = Field(description="Null where its document was refused")
    size: int | None = Field(description="Bytes of the PDF that the provider would fetch")


class EmailEstimateOut(BaseModel):
    """What an e-mail would take."""

    size: int | None = Field(description="Bytes of its bodies and files; null where it is refused")
    route: Literal["transactional", "relay"]


class EstimateOut(BaseModel):
    """What a message would be: nothing of it was kept, and nothing sent."""

    object: str
    channel: Channel
    valid: bool = Field(
        description="Whether the same body would be taken as a message at this moment"
    )
    errors: list[FoundOut] = Field(
        description="What a send would refuse, and where; with an empty pointer, what the body is"
        " not to blame for, such as a quota that is used up"
    )
    warnings: list[str] = Field(description="What the message would carry as `warnings`")
    provider: str | None = Field(description="Who would carry it; null where a field is wrong")
    recipients: list[str] = Field(description="Numbers and addresses in the form that is kept")
    sms: SmsEstimateOut | None
    letter: LetterEstimateOut | None
    fax: FaxEstimateOut | None
    email: EmailEstimateOut | None
    cost: CostOut
    quota: QuotaOut | None = Field(description="Of this channel today; null where there is none")
