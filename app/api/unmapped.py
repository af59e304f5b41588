"""Codes that nobody has said the meaning of: for operators, with the lines that would say it."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from app.api.edge import CallerDep, EdgeDep
from app.delivery.gateway import Provider
from app.domain.errors import NotFound
from app.domain.moments import moment
from app.store import unmapped
from app.store.unmapped import MOST_COUNTED, OTHER

router = APIRouter(prefix="/v1/providers", tags=["providers"])

_CHOICES: Final = {"true": True, "false": False, "all": None}


class UnmappedOut(BaseModel):
    """A code that nobody has said the meaning of, or had not until `mapped_at`."""

    provider: str
    function: str
    code: str = Field(description=f"`{OTHER}` stands for all beyond the first few hundred")
    label: str | None = Field(description="The provider's words")
    times: int
    first_at: datetime
    last_at: datetime
    mapped_at: datetime | None = Field(description="When all that waited for it was taken up")
    waiting: int = Field(description=f"Messages that stand on it; at most {MOST_COUNTED}")
    remedy: str | None = Field(description="The lines of the operator's file, to be completed")


class UnmappedListOut(BaseModel):
    """A provider's codes, the latest first."""

    data: list[UnmappedOut]


class Which(BaseModel):
    """Which codes."""

    model_config = ConfigDict(extra="forbid")

    mapped: Literal["true", "false", "all"] = "false"


@router.get("/{name}/unmapped-codes", response_model=UnmappedListOut)
async def list_unmapped_codes(
    name: Annotated[str, Path()],
    edge: EdgeDep,
    caller: CallerDep,
    query: Annotated[Which, Query()],
) -> Response:
    """List codes that the provider's document and the operator's file lack."""
    caller.may("admin")
    provider = edge.gateway.providers.get(name)
    if provider is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        rows = await unmapped.listed(connection, name, mapped=_CHOICES[query.mapped])
    return JSONResponse({"data": [_public(row, provider) for row in rows]})


def _public(row: RowMapping, provider: Provider) -> dict[str, Any]:
    same = ("provider", "function", "code", "label", "times")
    waits = row["mapped_at"] is None and row["code"] != OTHER
    return {
        **{name: row[name] for name in same},
        **{name: moment(row[name]) for name in ("first_at", "last_at", "mapped_at")},
        "waiting": min(row["waiting"], MOST_COUNTED),
        "remedy": provider.remedy(row["function"], row["code"]) if waits else None,
    }
