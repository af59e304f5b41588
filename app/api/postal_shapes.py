"""What the look at a postal address is asked with, and what it answers."""

from typing import Annotated

from pydantic import BaseModel, Field

from app.api.message_schema import Strict

Text = Annotated[str, Field(max_length=200)]


class PostalPlaceIn(Strict):
    """A postal address to look at; what a letter would refuse of it is told in `errors`."""

    line1: Text
    line2: Text | None = None
    postal_code: Text
    city: Text
    country: Text = Field("FR", description="ISO 3166-1, two letters")
    normalise: bool = Field(False, description="Also bring it into the form of NF Z10-011")


class PostalAddressIn(Strict):
    """What a letter takes as `to`; without names, the address alone is looked at."""

    title: Text | None = None
    last_name: Text | None = None
    first_name: Text | None = None
    company: Text | None = None
    address: PostalPlaceIn


class FoundOut(BaseModel):
    """One thing that is wrong with a field."""

    pointer: str = Field(description="JSON pointer (RFC 6901) to the field")
    code: str
    detail: str


class PlaceOut(BaseModel):
    """A postal address."""

    line1: str
    line2: str | None
    postal_code: str
    city: str
    country: str


class NormalisedOut(BaseModel):
    """An address in the form of NF Z10-011."""

    title: str | None
    last_name: str | None
    first_name: str | None
    company: str | None
    address: PlaceOut
    lines: list[str]
    warnings: list[FoundOut] = Field(description="What the norm still has against it")


class PostalAddressOut(BaseModel):
    """An address as NF Z10-011 lays it out, and what the norm has against it."""

    lines: list[str] = Field(description="As on an envelope, empty ones left out")
    valid: bool = Field(description="Whether a letter to it is taken, normalised where asked")
    conforms: bool = Field(description="Whether the norm has nothing against it as it was given")
    errors: list[FoundOut] = Field(description="Why a letter to it would be refused")
    warnings: list[FoundOut] = Field(description="What the norm has against it as it was given")
    normalised: NormalisedOut | None = Field(description="Null unless it was asked for")
