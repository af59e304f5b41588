"""Clients, for operators: who they are, their options, and whom their team keys may send to."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from app.api import bodies
from app.api.administering import (
    client_id_of,
    found_client,
    may_administer,
    may_change_clients,
    modes_of,
)
from app.api.client_shapes import (
    ClientChangeIn,
    ClientIn,
    ClientOut,
    ClientsOut,
    TeamIn,
    TeamOut,
)
from app.api.cursors import opened, sealed
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.fields import SearchText
from app.api.lists import link_of, refuse_repeated
from app.api.openapi import takes
from app.domain.errors import ClientExists
from app.domain.identifiers import CLIENT, shown
from app.domain.message import Mode
from app.domain.moments import moment
from app.store import clients

log = structlog.get_logger()
router = APIRouter(prefix="/v1/admin/clients", tags=["clients"])

_LARGEST: Final = 524_288  # bytes of a body
_SAME: Final = ("name", "unique_references", "idempotency", "rate", "daily_quotas")


class ClientsQuery(BaseModel):
    """Which page of the clients."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[SearchText, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None


@router.get("", response_model=ClientsOut)
async def list_clients(
    request: Request, edge: EdgeDep, caller: CallerDep, query: Annotated[ClientsQuery, Query()]
) -> Response:
    """List clients, newest first, page by page."""
    modes_of(caller)
    refuse_repeated(request)
    after = opened(edge, query.cursor) if query.cursor is not None else None
    async with edge.gateway.database.reading() as connection:
        rows = await clients.page(connection, query.name, limit=query.limit + 1, after=after)
    page = rows[: query.limit]
    following = sealed(edge, page[-1]["id"]) if len(rows) > query.limit else None
    content = {
        "data": [_public(row) for row in page],
        "has_more": following is not None,
        "next_cursor": following,
    }
    return JSONResponse(content, headers=link_of(request, content))


@router.post("", status_code=201, response_model=ClientOut, openapi_extra=takes(ClientIn))
async def create_client(request: Request, edge: EdgeDep, caller: CallerDep) -> Response:
    """Make a client; it has no key yet."""
    may_change_clients(caller)
    body = bodies.validated(ClientIn, await bodies.read_json(request, _LARGEST))
    gateway = edge.gateway
    client_id = gateway.ids.new()
    row = {"id": client_id, "name": body.name, "created_at": gateway.now(), **_options(body)}
    async with gateway.database.transaction() as connection:
        if not await clients.add(connection, row):
            raise ClientExists
        made = await found_client(connection, client_id)
    log.info("client_created", client=shown(CLIENT, client_id), by=caller.key_id)
    return JSONResponse(
        _public(made), 201, {"Location": f"{router.prefix}/{shown(CLIENT, client_id)}"}
    )


@router.get("/{client_id}", response_model=ClientOut)
async def get_client(client_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return a client and its options."""
    modes_of(caller)
    async with edge.gateway.database.reading() as connection:
        return JSONResponse(_public(await found_client(connection, client_id_of(client_id))))


@router.patch("/{client_id}", response_model=ClientOut, openapi_extra=takes(ClientChangeIn))
async def change_client(
    client_id: str, request: Request, edge: EdgeDep, caller: CallerDep
) -> Response:
    """Change a client's options; every process goes by them within five seconds."""
    may_change_clients(caller)
    identifier = client_id_of(client_id)
    body = bodies.validated(ClientChangeIn, await bodies.read_json(request, _LARGEST))
    changes = {
        name: value for name, value in _options(body).items() if name in body.model_fields_set
    }
    async with edge.gateway.database.transaction() as connection:
        await found_client(connection, identifier)
        await clients.change(connection, identifier, changes)
        row = await found_client(connection, identifier)
    log.info("client_changed", client=client_id, options=sorted(changes), by=caller.key_id)
    return JSONResponse(_public(row))


@router.get("/{client_id}/team-recipients", response_model=TeamOut)
async def get_team_recipients(client_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return whom a client's keys of the mode team may send to."""
    may_administer(caller, Mode.TEAM)
    identifier = client_id_of(client_id)
    async with edge.gateway.database.reading() as connection:
        await found_client(connection, identifier)
        return JSONResponse(_team(identifier, await clients.team(connection, identifier)))


@router.put("/{client_id}/team-recipients", response_model=TeamOut, openapi_extra=takes(TeamIn))
async def replace_team_recipients(
    client_id: str, request: Request, edge: EdgeDep, caller: CallerDep
) -> Response:
    """Replace the whole list; addresses are kept as messages are compared with them."""
    may_change_clients(caller)
    identifier = client_id_of(client_id)
    body = bodies.validated(TeamIn, await bodies.read_json(request, _LARGEST))
    return JSONResponse(
        _team(identifier, await _replace(edge, identifier, body.recipients, caller.key_id))
    )


@router.delete("/{client_id}/team-recipients", response_model=TeamOut)
async def remove_team_recipients(client_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Empty the list: the client's keys of the mode team send to nobody."""
    may_change_clients(caller)
    identifier = client_id_of(client_id)
    return JSONResponse(_team(identifier, await _replace(edge, identifier, [], caller.key_id)))


async def _replace(edge: Edge, client_id: UUID, recipients: list[str], by: str) -> list[str]:
    gateway = edge.gateway
    async with gateway.database.transaction() as connection:
        await found_client(connection, client_id)
        await clients.remove_from_team(connection, client_id)
        await clients.add_to_team(connection, client_id, recipients, gateway.now())
        team = await clients.team(connection, client_id)
    log.info("team_replaced", client=shown(CLIENT, client_id), recipients=len(team), by=by)
    return team


def _options(body: ClientChangeIn) -> dict[str, Any]:
    """Return the columns of a client's options."""
    quotas = body.daily_quotas.model_dump(exclude_none=True) if body.daily_quotas else None
    return {
        "unique_references": body.unique_references,
        "idempotency": body.idempotency,
        "rate": body.rate,
        "daily_quotas": quotas or None,
    }


def _public(row: RowMapping) -> Mapping[str, Any]:
    return {
        "id": shown(CLIENT, row["id"]),
        "object": "client",
        **{name: row[name] for name in _SAME},
        "created_at": moment(row["created_at"]),
    }


def _team(client_id: UUID, recipients: list[str]) -> Mapping[str, Any]:
    return {
        "object": "team_recipients",
        "client_id": shown(CLIENT, client_id),
        "recipients": recipients,
    }
