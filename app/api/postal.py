"""The tool that looks at a postal address by NF Z10-011; nothing is asked of a provider."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.api import bodies
from app.api.edge import CallerDep
from app.api.openapi import takes
from app.api.postal_shapes import PostalAddressIn, PostalAddressOut
from app.api.schemas import AddresseeIn, AddressIn, Strict
from app.domain.conform import Conformed, conformed
from app.domain.errors import FieldError, ValidationFailed
from app.domain.postal import Address, findings, lines_of

router = APIRouter(prefix="/v1/tools", tags=["tools"])

SCOPE: Final = "messages:read"
LARGEST: Final = 65_536  # bytes of a body
_NAMES: Final = ("title", "last_name", "first_name", "company")


class _Alone(Strict):
    """An address without a name, which a letter does not take and a look at it does."""

    address: AddressIn


@router.post(
    "/postal-address", response_model=PostalAddressOut, openapi_extra=takes(PostalAddressIn)
)
async def check_postal_address(request: Request, caller: CallerDep) -> Response:
    """Lay a postal address out by NF Z10-011, and say what the norm has against it."""
    caller.may(SCOPE)
    body = bodies.validated(PostalAddressIn, await bodies.read_json(request, LARGEST))
    given = body.model_dump(exclude={"address"})
    address = Address(**given, **body.address.model_dump(exclude={"normalise"}))
    warnings = findings(address)
    made = conformed(address) if body.address.normalise else None
    errors = [*_refused(body), *(made.errors if made else ())]
    content = {
        "lines": _lines(address),
        "valid": not errors,
        "conforms": not warnings,
        "errors": _shown(errors),
        "warnings": _shown(warnings),
        "normalised": _normalised(made) if made else None,
    }
    return JSONResponse(content)


def _refused(body: PostalAddressIn) -> Iterable[FieldError]:
    """Return what a letter would refuse; of an address without names, of the address alone."""
    value = body.model_dump()
    try:
        if any(value[name] is not None for name in _NAMES):
            bodies.validated(AddresseeIn, value)
        else:
            bodies.validated(_Alone, {"address": value["address"]})
    except ValidationFailed as fault:
        return fault.errors
    return ()


def _normalised(made: Conformed) -> dict[str, Any]:
    address = made.address
    return {
        **{name: getattr(address, name) for name in _NAMES},
        "address": {
            name: getattr(address, name)
            for name in ("line1", "line2", "postal_code", "city", "country")
        },
        "lines": _lines(address),
        "warnings": _shown(findings(address)),
    }


def _lines(address: Address) -> list[str]:
    return [line.text for line in lines_of(address)]


def _shown(found: Iterable[FieldError]) -> list[dict[str, str]]:
    return [
        {"pointer": one.pointer, "code": one.code, "detail": one.detail}
        for one in dict.fromkeys(found)
    ]
