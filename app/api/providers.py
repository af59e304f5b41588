"""The providers, and what their contracts offer: for operators."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from sqlalchemy import RowMapping

from app.api.access import Caller
from app.api.contract_shapes import ContractOut, FunctionOut, ProvidersOut, ProviderStateOut
from app.api.edge import CallerDep, Edge, EdgeDep
from app.delivery import carry
from app.domain.errors import ModeNotAllowed, NotFound
from app.domain.message import Mode
from app.domain.moments import moment
from app.domain.standing import State
from app.store import channels, contracts

router = APIRouter(prefix="/v1/providers", tags=["providers"])

SCOPE: Final = "admin"


@router.get("", response_model=ProvidersOut)
async def list_providers(edge: EdgeDep, caller: CallerDep) -> Response:
    """Return every provider, its channels and its state."""
    async with edge.gateway.database.reading() as connection:
        rows = await channels.every(connection)
    names = edge.gateway.providers
    return JSONResponse({"data": [_provider(edge, caller, name, rows) for name in names]})


@router.post("/{name}/probe", status_code=202, response_model=ProviderStateOut)
async def probe_provider(
    name: Annotated[str, Path()], edge: EdgeDep, caller: CallerDep
) -> Response:
    """Have a provider's channels looked at now that are out of order; a look sends nothing."""
    caller.may(SCOPE)
    if name not in edge.gateway.providers:
        raise NotFound
    if caller.mode == Mode.TEST and not carry.may_carry(edge.gateway, name, caller.mode):
        raise ModeNotAllowed("A test key never has a provider called, not even to look.")
    async with edge.gateway.database.transaction() as connection:
        await channels.hasten(connection, name, edge.gateway.now())
        rows = await channels.every(connection)
    return JSONResponse(_provider(edge, caller, name, rows), 202)


@router.get("/{name}/contract", response_model=ContractOut)
async def get_provider_contract(
    name: Annotated[str, Path()], edge: EdgeDep, caller: CallerDep
) -> Response:
    """Return how a provider's functions are offered, and what changed meanwhile."""
    caller.may(SCOPE)
    provider = edge.gateway.providers.get(name)
    if provider is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        rows = await contracts.standing(connection, name)
    accepted, waits = rows.get(contracts.ACCEPTED), rows.get(contracts.PENDING)
    health = provider.health()
    # Of a change that another process has found, this one hears within a minute.
    is_doubtful = waits is not None and any(
        one["severity"] == "error" for one in waits["differences"]
    )
    return JSONResponse(
        {
            "provider": name,
            "state": "degraded" if is_doubtful else health["state"],
            "why": health.get("why"),
            "fingerprint": None if accepted is None else accepted["fingerprint"],
            "read_at": None if accepted is None else moment(accepted["read_at"]),
            "functions": [FunctionOut(**one).model_dump() for one in provider.offers()],  # type: ignore[arg-type]
            "pending": None if waits is None else _pending(waits),
        }
    )


def _provider(edge: Edge, caller: Caller, name: str, rows: Sequence[RowMapping]) -> dict[str, Any]:
    provider = edge.gateway.providers[name]
    is_operator = SCOPE in caller.scopes
    known = {row["channel"]: row for row in rows if row["provider"] == name}
    return {
        "name": name,
        "channels": [str(channel) for channel in provider.channels],
        "state": provider.health()["state"],
        "standings": [
            _standing(str(channel), known.get(str(channel)), in_full=is_operator)
            for channel in provider.channels
        ],
    }


def _standing(channel: str, row: RowMapping | None, *, in_full: bool) -> dict[str, Any]:
    if row is None:
        well = dict.fromkeys(("reason", "why", "since", "next_look_at"))
        return {"channel": channel, "state": State.CLOSED.value, **well}
    return {
        "channel": channel,
        "state": row["state"],
        "reason": row["reason"],
        "why": row["why"] if in_full else None,
        "since": moment(row["changed_at"]),
        "next_look_at": moment(row["probe_at"]),
    }


def _pending(row: RowMapping) -> dict[str, Any]:
    return {
        "fingerprint": row["fingerprint"],
        "read_at": moment(row["read_at"]),
        "differences": row["differences"],
    }
