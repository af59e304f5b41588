"""Find messages by their recipient, which must not stand in an address: addresses are logged."""

from typing import Annotated, Final, Self

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field, model_validator

from app.api import bodies
from app.api.edge import CallerDep, EdgeDep
from app.api.fields import e164, email_address, fault
from app.api.lists import Narrowing, page_of
from app.api.message_schema import Strict
from app.api.openapi import takes
from app.api.shapes import MessagesOut
from app.domain import identity

router = APIRouter(prefix="/v1/messages", tags=["follow"])

LARGEST: Final = 65_536  # bytes of a body
_HEADERS: Final = {"Cache-Control": "no-store"}


def _address(text: str) -> str:
    """Return an e-mail address or a number as a send would have kept it."""
    return email_address(text) if "@" in text else e164(text)


Address = Annotated[
    str,
    Field(max_length=320, description="An e-mail address, or a number, as a send takes it"),
    AfterValidator(_address),
]


class SoughtAddresseeIn(Strict):
    """Who a letter went to; case, accents, blanks and hyphens do not count."""

    last_name: str = Field(
        min_length=1, max_length=100, description="The company, where the letter names nobody"
    )
    postal_code: str = Field(min_length=1, max_length=20)


class SearchIn(Narrowing):
    """Whose messages are looked for, and what the list is narrowed to besides."""

    recipient: Address | None = None
    addressee: SoughtAddresseeIn | None = None
    limit: Annotated[int, Field(strict=True, ge=1, le=200)] = 50

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.recipient is None) == (self.addressee is None):
            detail = (
                "Give either recipient, for an address or a number, or addressee, for a letter."
            )
            raise fault("recipient_ambiguous", detail)
        return self

    @property
    def identity(self) -> str:
        """By what the recipient is known."""
        if self.addressee is not None:
            return identity.of_addressee(self.addressee.last_name, self.addressee.postal_code)
        return identity.of_address(self.recipient or "")


@router.post("/search", response_model=MessagesOut, openapi_extra=takes(SearchIn))
async def search_messages(request: Request, edge: EdgeDep, caller: CallerDep) -> Response:
    """List the messages to one recipient, newest first, page by page.

    An address or a number is found however it was written, and in `cc` too; a letter, by a name at
    a postal code. Messages from before a change of the gateway's secret are not found.
    """
    caller.may("messages:read")
    asked = bodies.validated(SearchIn, await bodies.read_json(request, LARGEST))
    page = await page_of(edge, caller, asked, digest=edge.recognise(asked.identity))
    return JSONResponse(page, headers=_HEADERS)
