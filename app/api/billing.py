"""Billing codes: how many messages the provider counted, beside how many we did."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator

from app.api.consulting import DESK, consult, may_consult
from app.api.edge import CallerDep, EdgeDep
from app.api.fields import BillingCode, writable
from app.api.openapi import ASKS_PROVIDER
from app.api.tool_shapes import SubmittedCountOut
from app.domain.errors import NotFound
from app.domain.outcome import Denied
from app.store import counts

router = APIRouter(prefix="/v1/billing-codes", tags=["reports"])

SCOPE: Final = "reports:read"
MOST: Final = 100_000  # messages of one code that we count
_FUNCTION: Final = "COMPTE_SOUMIS_CODE_FACTURATION"


# `:path`: a billing code may hold a slash, and a server decodes %2F before it looks for a route.
@router.get(
    "/{code:path}/submitted-count", response_model=SubmittedCountOut, responses=ASKS_PROVIDER
)
async def count_submitted_messages(
    code: Annotated[BillingCode, AfterValidator(writable), Path(examples=["COMPTA"])],
    edge: EdgeDep,
    caller: CallerDep,
) -> Response:
    """Compare the provider's count of a billing code with ours.

    The provider counts for its whole account, and documents no period; we count what it accepted
    of this client, in the key's mode. So a difference is a question, not yet an error.
    """
    desk = may_consult(edge, caller, SCOPE)
    told = await consult(edge, desk, _FUNCTION, {"CODE_FACTURATION": code})
    if isinstance(told, Denied):
        raise NotFound("The provider knows no such billing code.")
    async with edge.gateway.database.reading() as connection:
        ours = await counts.submitted_with(
            connection, caller.client_id, caller.mode, code, provider=desk, most=MOST
        )
    theirs = int(told.value)
    content = {
        "billing_code": code,
        "provider": {"name": DESK, "count": theirs, "scope": "account", "period": None},
        "own": {"count": ours.count, "exact": ours.exact, "scope": "client"},
        "difference": theirs - ours.count if ours.exact else None,
    }
    return JSONResponse(content)
