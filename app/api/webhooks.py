"""Webhook endpoints: where a client is told of what happens."""

from datetime import timedelta
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import bodies
from app.api.access import Caller
from app.api.bodies import failed
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.openapi import takes
from app.api.webhook_shapes import (
    RotateSecretIn,
    WebhookEndpointChangeIn,
    WebhookEndpointIn,
    WebhookEndpointOut,
    WebhookEndpointSecretOut,
    WebhookEndpointsOut,
)
from app.delivery import sign
from app.delivery.guard import PATIENCE
from app.delivery.post import Webhooks
from app.domain.errors import FieldError, NotFound, WebhookEndpointsExhausted
from app.domain.identifiers import ENDPOINT, read, shown
from app.domain.moments import moment
from app.domain.webhooks import BY_CLIENT
from app.store import webhooks

log = structlog.get_logger()
router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhooks"])

SCOPE: Final = "webhooks:manage"
LARGEST: Final = 65_536  # bytes of a body
MOST: Final = 20  # endpoints of a client in one mode
# What failed before says nothing of an endpoint from now on.
_CLEAN: Final = {"failing_since": None, "failing_told_at": None}
_ADDRESSES: Final = {
    "host_unknown": "This host is not known here; check its spelling.",
    "address_forbidden": "Nothing is ever sent to the address of this host.",
    "own_address": "This is the gateway itself.",
    "address_not_allowed": "The operator's list (MULTICANAL_WEBHOOK_NETWORKS) does not have the"
    " address of this host; ask for it.",
}


@router.post(
    "",
    status_code=201,
    response_model=WebhookEndpointSecretOut,
    openapi_extra=takes(WebhookEndpointIn),
)
async def create_webhook_endpoint(request: Request, edge: EdgeDep, caller: CallerDep) -> Response:
    """Make an endpoint; its signing secret is in this answer and nowhere else."""
    caller.may(SCOPE)
    body = bodies.validated(WebhookEndpointIn, await bodies.read_json(request, LARGEST))
    tools = tools_of(edge)
    await _check(tools, body.url)
    gateway, now = edge.gateway, edge.gateway.now()
    endpoint_id, secret = gateway.ids.new(), sign.new_secret(tools.random_bytes)
    row = {
        "id": endpoint_id,
        "client_id": caller.client_id,
        "mode": caller.mode,
        **body.model_dump(),
        "secret": tools.seal.seal(secret, endpoint_id),
        "enabled": True,
        "created_at": now,
        "changed_at": now,
    }
    async with gateway.database.transaction() as connection:
        if not await webhooks.add(connection, row, MOST):
            raise WebhookEndpointsExhausted
        made = await found(connection, caller, shown(ENDPOINT, endpoint_id))
    log.info("webhook_endpoint_created", endpoint_id=shown(ENDPOINT, endpoint_id))
    return _with_secret(made, secret, 201, {"Location": location(made)})


@router.get("", response_model=WebhookEndpointsOut)
async def list_webhook_endpoints(edge: EdgeDep, caller: CallerDep) -> Response:
    """List the endpoints of the client and the mode of its key."""
    caller.may(SCOPE)
    async with edge.gateway.database.reading() as connection:
        rows = await webhooks.listed(connection, caller.client_id, caller.mode)
    return JSONResponse({"data": [_public(row) for row in rows]})


@router.get("/{endpoint_id}", response_model=WebhookEndpointOut)
async def get_webhook_endpoint(endpoint_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return an endpoint, without its secret."""
    caller.may(SCOPE)
    async with edge.gateway.database.reading() as connection:
        return JSONResponse(_public(await found(connection, caller, endpoint_id)))


@router.patch(
    "/{endpoint_id}",
    response_model=WebhookEndpointOut,
    openapi_extra=takes(WebhookEndpointChangeIn),
)
async def change_webhook_endpoint(
    endpoint_id: str, request: Request, edge: EdgeDep, caller: CallerDep
) -> Response:
    """Change where an endpoint is and what it is told; what waits goes there too."""
    caller.may(SCOPE)
    body = bodies.validated(WebhookEndpointChangeIn, await bodies.read_json(request, LARGEST))
    changes = body.model_dump(exclude_unset=True)
    if changes.get("url") is None:
        changes.pop("url", None)
    else:
        await _check(tools_of(edge), changes["url"])
        changes |= _CLEAN
    return JSONResponse(_public(await _changed(edge, caller, endpoint_id, **changes)))


@router.delete("/{endpoint_id}", status_code=204)
async def delete_webhook_endpoint(endpoint_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Delete an endpoint: nothing more goes there, and its secret and address are forgotten."""
    caller.may(SCOPE)
    gone = {"deleted_at": edge.gateway.now(), "enabled": False, "url": "", "secret": ""}
    await _changed(edge, caller, endpoint_id, previous_secret=None, previous_until=None, **gone)
    log.info("webhook_endpoint_deleted", endpoint_id=endpoint_id)
    return Response(status_code=204)


@router.post(
    "/{endpoint_id}/rotate-secret",
    response_model=WebhookEndpointSecretOut,
    openapi_extra=takes(RotateSecretIn),
)
async def rotate_webhook_secret(
    endpoint_id: str, request: Request, edge: EdgeDep, caller: CallerDep
) -> Response:
    """Make a new secret; the old one signs beside it for a while. A second rotation ends a first's."""
    caller.may(SCOPE)
    body = bodies.validated(RotateSecretIn, await bodies.read_json(request, LARGEST))
    gateway, tools = edge.gateway, tools_of(edge)
    secret = sign.new_secret(tools.random_bytes)
    until = gateway.now() + timedelta(hours=body.overlap_hours)
    async with gateway.database.transaction() as connection:
        row = await found(connection, caller, endpoint_id, lock=True)
        # One that cannot be opened any more, under another MULTICANAL_KEY_PEPPER, signs nothing.
        overlaps = body.overlap_hours > 0 and tools.seal.opens(row["secret"], row["id"])
        changed = await webhooks.change(
            connection,
            row["id"],
            gateway.now(),
            secret=tools.seal.seal(secret, row["id"]),
            previous_secret=row["secret"] if overlaps else None,
            previous_until=until if overlaps else None,
        )
    log.info("webhook_secret_rotated", endpoint_id=endpoint_id)
    return _with_secret(changed, secret, 200, {})


@router.post("/{endpoint_id}/enable", response_model=WebhookEndpointOut)
async def enable_webhook_endpoint(endpoint_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Enable an endpoint: what waited for it goes on; what it missed is recovered on demand."""
    caller.may(SCOPE)
    on = {"enabled": True, "disabled_reason": None, **_CLEAN}
    return JSONResponse(_public(await _changed(edge, caller, endpoint_id, **on)))


@router.post("/{endpoint_id}/disable", response_model=WebhookEndpointOut)
async def disable_webhook_endpoint(endpoint_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Disable an endpoint: what waits for it stays, and events from now on are not kept for it."""
    caller.may(SCOPE)
    row = await _changed(edge, caller, endpoint_id, enabled=False, disabled_reason=BY_CLIENT)
    return JSONResponse(_public(row))


def tools_of(edge: Edge) -> Webhooks:
    """Return what webhooks need."""
    assert edge.gateway.webhooks is not None
    return edge.gateway.webhooks


async def found(
    connection: AsyncConnection, caller: Caller, text: str, *, lock: bool = False
) -> RowMapping:
    """Return a caller's endpoint; raises NotFound."""
    endpoint_id = read(ENDPOINT, text)
    row = endpoint_id and await webhooks.find(
        connection, endpoint_id, caller.client_id, caller.mode, lock=lock
    )
    if not row:
        raise NotFound
    return row


def location(row: RowMapping) -> str:
    """Return where an endpoint is read."""
    return f"{router.prefix}/{shown(ENDPOINT, row['id'])}"


async def _changed(edge: Edge, caller: Caller, text: str, **columns: Any) -> RowMapping:  # noqa: ANN401
    gateway = edge.gateway
    async with gateway.database.transaction() as connection:
        row = await found(connection, caller, text, lock=True)
        return await webhooks.change(connection, row["id"], gateway.now(), **columns)


async def _check(tools: Webhooks, url: str) -> None:
    """Refuse a URL that nothing would be sent to; each connection is judged again."""
    wrong = tools.guard.wrong_url(url) or await tools.guard.wrong_address(url, PATIENCE)
    if wrong is not None:
        code, detail = wrong if isinstance(wrong, tuple) else (wrong, _ADDRESSES[wrong])
        raise failed([FieldError("/url", code, detail)])


def _public(row: RowMapping) -> dict[str, Any]:
    """Return an endpoint's row as its public object."""
    same = ("mode", "url", "description", "events", "channels", "enabled", "disabled_reason")
    times = ("failing_since", "created_at", "changed_at")
    return {
        "id": shown(ENDPOINT, row["id"]),
        "object": "webhook_endpoint",
        **{name: row[name] for name in same},
        **{name: moment(row[name]) for name in times},
        "previous_secret_until": moment(row["previous_until"]),
        "links": {"self": location(row), "deliveries": f"{location(row)}/deliveries"},
    }


def _with_secret(row: RowMapping, secret: str, status: int, headers: dict[str, str]) -> Response:
    content = _public(row) | {"secret": secret}
    return JSONResponse(content, status, {"Cache-Control": "no-store", **headers})
