"""API keys, for operators: make, list, rotate, revoke. A secret is shown once, when it is made."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import RowMapping

from app.api import bodies
from app.api.access import SCOPES
from app.api.administering import (
    client_id_of,
    found_client,
    key_id_of,
    may_administer,
    modes_of,
)
from app.api.client_shapes import KeyIn, KeyMadeOut, KeyOut, KeysOut, RotateIn
from app.api.edge import CallerDep, EdgeDep
from app.api.issue import issue, rotate
from app.api.openapi import takes
from app.domain.errors import FieldError, NotFound
from app.domain.identifiers import CLIENT, shown
from app.domain.moments import moment
from app.store import keys

log = structlog.get_logger()
router = APIRouter(prefix="/v1/admin", tags=["clients"])

_LARGEST: Final = 65_536  # bytes of a body
_ONCE: Final = {"Cache-Control": "no-store"}


@router.get("/clients/{client_id}/keys", response_model=KeysOut)
async def list_keys(client_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """List a client's keys of the modes that you administer, newest first, 500 at most."""
    modes, identifier = modes_of(caller), client_id_of(client_id)
    async with edge.gateway.database.reading() as connection:
        await found_client(connection, identifier)
        rows = await keys.listed(connection, modes, identifier)
    now = edge.gateway.now()
    return JSONResponse({"data": [public(row, now) for row in rows]})


@router.post(
    "/clients/{client_id}/keys",
    status_code=201,
    response_model=KeyMadeOut,
    openapi_extra=takes(KeyIn),
)
async def create_key(
    client_id: str, request: Request, edge: EdgeDep, caller: CallerDep
) -> Response:
    """Make a key for a client. The answer holds it whole, this once."""
    modes_of(caller)
    identifier = client_id_of(client_id)
    body = bodies.validated(KeyIn, await bodies.read_json(request, _LARGEST))
    may_administer(caller, body.mode)
    gateway, now = edge.gateway, edge.gateway.now()
    if body.expires_at is not None and body.expires_at <= now:
        raise bodies.failed([FieldError("/expires_at", "in_past", "Give a time to come.")])
    columns = {
        "client_id": identifier,
        "mode": body.mode,
        "scopes": [one for one in SCOPES if one in body.scopes],
        "label": body.label,
        "networks": list(dict.fromkeys(body.networks)) if body.networks else None,
        "expires_at": body.expires_at,
    }
    async with gateway.database.transaction() as connection:
        await found_client(connection, identifier)
        row, key = await issue(connection, gateway, edge.access.digest, columns)
    log.info("key_created", key=row["id"], client=client_id, mode=body.mode, by=caller.key_id)
    return JSONResponse(public(row, now) | {"key": key}, 201, _ONCE)


@router.post(
    "/keys/{key_id}/rotate",
    status_code=201,
    response_model=KeyMadeOut,
    openapi_extra=takes(RotateIn),
)
async def rotate_key(key_id: str, request: Request, edge: EdgeDep, caller: CallerDep) -> Response:
    """Make a key like another, which is taken for a while yet."""
    modes, identifier = modes_of(caller), key_id_of(key_id)
    body = bodies.validated(RotateIn, await bodies.read_json(request, _LARGEST))
    gateway = edge.gateway
    async with gateway.database.transaction() as connection:
        old = await keys.lock(connection, identifier, modes)
        if old is None:
            raise NotFound
        overlap = timedelta(seconds=body.overlap_seconds)
        row, key = await rotate(connection, gateway, edge.access.digest, old, overlap)
    log.info("key_rotated", key=identifier, new=row["id"], by=caller.key_id)
    return JSONResponse(public(row, gateway.now()) | {"key": key}, 201, _ONCE)


@router.post("/keys/{key_id}/revoke", response_model=KeyOut)
async def revoke_key(key_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Take a key no more, within five seconds, anywhere; a second time changes nothing."""
    modes, identifier = modes_of(caller), key_id_of(key_id)
    now = edge.gateway.now()
    async with edge.gateway.database.transaction() as connection:
        row = await keys.lock(connection, identifier, modes)
        if row is None:
            raise NotFound
        if row["revoked_at"] is None:
            await keys.change(connection, identifier, revoked_at=now)
    log.info("key_revoked", key=identifier, by=caller.key_id)
    return JSONResponse(public({**row, "revoked_at": row["revoked_at"] or now}, now))


def public(row: RowMapping | Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return a key as operators are told of it: never its secret, which the store has not."""
    client_id: UUID = row["client_id"]
    expires_at = row["expires_at"]
    state = "revoked" if row["revoked_at"] else "active"
    if state == "active" and expires_at is not None and expires_at <= now:
        state = "expired"
    times = ("created_at", "expires_at", "revoked_at", "last_used_at")
    return {
        "id": f"gw_{row['mode']}_{row['id']}",
        "object": "key",
        "client_id": shown(CLIENT, client_id),
        **{name: row[name] for name in ("mode", "scopes", "label", "networks")},
        "state": state,
        **{name: moment(row[name]) for name in times},
    }
