"""What an endpoint was told, and what it is told again: pings, deliveries, resending, recovering."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import bodies
from app.api.bodies import failed
from app.api.cursors import opened, sealed
from app.api.edge import CallerDep, EdgeDep
from app.api.lists import refuse_repeated
from app.api.openapi import takes
from app.api.webhook_shapes import (
    RecoveredOut,
    RecoverIn,
    WebhookDeliveriesOut,
    WebhookDeliveryDetailOut,
)
from app.api.webhooks import LARGEST, SCOPE, found, location
from app.delivery import notify
from app.delivery.recover import recover
from app.domain.errors import FieldError, NotFound, WebhookEndpointDisabled
from app.domain.identifiers import DELIVERY, ENDPOINT, EVENT, MESSAGE, read, shown
from app.domain.moments import moment
from app.domain.webhooks import PENDING, TEST_EVENT
from app.store import deliveries

router = APIRouter(prefix="/v1/webhook-endpoints/{endpoint_id}", tags=["webhooks"])

_CLOCKS: Final = timedelta(minutes=5)  # by which a client's may differ from ours


class DeliveriesQuery(BaseModel):
    """Which deliveries."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["pending", "delivered", "failed"] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None


@router.post("/test", status_code=202, response_model=WebhookDeliveryDetailOut)
async def ping_webhook_endpoint(endpoint_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Send an event `webhook.test`, as every other is sent; it is in no feed."""
    caller.may(SCOPE)
    gateway, now = edge.gateway, edge.gateway.now()
    async with gateway.database.transaction() as connection:
        endpoint = _enabled(await found(connection, caller, endpoint_id))
        delivery_id = gateway.ids.new()
        data = {"event_id": shown(EVENT, delivery_id), "position": None, "sequence": 0}
        told = {"source": "webhook", "detail": {"endpoint_id": shown(ENDPOINT, endpoint["id"])}}
        content = {"type": TEST_EVENT, "timestamp": moment(now), "data": data | told}
        row = {
            "id": delivery_id,
            "endpoint_id": endpoint["id"],
            "type": TEST_EVENT,
            "payload": notify.written(content),
            "state": PENDING,
            "due_at": now,
            "fence": 0,
            "attempts": 0,
            "created_at": now,
        }
        await deliveries.add(connection, [row])
        made = await _found(connection, endpoint, shown(DELIVERY, delivery_id))
    return JSONResponse(_detail(endpoint, made), 202, {"Location": _place(endpoint, made)})


@router.post(
    "/recover", status_code=202, response_model=RecoveredOut, openapi_extra=takes(RecoverIn)
)
async def recover_webhook_endpoint(
    endpoint_id: str, request: Request, edge: EdgeDep, caller: CallerDep
) -> Response:
    """Deliver what the endpoint missed since a time: what failed, and what it was never told.

    What it has, or is still tried, is not sent again. One request looks at 10,000 events.
    """
    caller.may(SCOPE)
    body = bodies.validated(RecoverIn, await bodies.read_json(request, LARGEST))
    now = edge.gateway.now()
    until = body.until or now + _CLOCKS
    if body.since < now - notify.KEPT_FOR:
        raise _wrong("/since", "too_early", "Deliveries are kept for 30 days: begin later.")
    if until <= body.since:
        raise _wrong("/until", "too_early", "This comes before `since`.")
    async with edge.gateway.database.reading() as connection:
        endpoint = _enabled(await found(connection, caller, endpoint_id))
    async with edge.recovering.setdefault(caller.client_id, asyncio.Lock()):
        done = await recover(edge.gateway, endpoint, body.since, until, body.after_position)
    content = {
        "examined": done.examined,
        "created": done.created,
        "resumed": done.resumed,
        "complete": done.after is None,
        "next_after_position": done.after,
    }
    return JSONResponse(content, 202)


@router.get("/deliveries", response_model=WebhookDeliveriesOut)
async def list_webhook_deliveries(
    endpoint_id: str,
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    query: Annotated[DeliveriesQuery, Query()],
) -> Response:
    """List what an endpoint was told, newest first; deliveries are kept for 30 days."""
    caller.may(SCOPE)
    refuse_repeated(request)
    after = opened(edge, query.cursor) if query.cursor is not None else None
    async with edge.gateway.database.reading() as connection:
        endpoint = await found(connection, caller, endpoint_id)
        rows = await deliveries.listed(
            connection, endpoint["id"], limit=query.limit + 1, after=after, state=query.state
        )
    page = rows[: query.limit]
    following = sealed(edge, page[-1]["id"]) if len(rows) > query.limit else None
    headers = {}
    if following is not None:
        again = urlencode({**dict(request.query_params), "cursor": following})
        headers["Link"] = f'<{request.url.path}?{again}>; rel="next"'
    content = {
        "data": [_public(endpoint, row) for row in page],
        "has_more": following is not None,
        "next_cursor": following,
    }
    return JSONResponse(content, headers=headers)


@router.get("/deliveries/{delivery_id}", response_model=WebhookDeliveryDetailOut)
async def get_webhook_delivery(
    endpoint_id: str, delivery_id: str, edge: EdgeDep, caller: CallerDep
) -> Response:
    """Return a delivery with its tries and the beginning of the last answer."""
    caller.may(SCOPE)
    async with edge.gateway.database.reading() as connection:
        endpoint = await found(connection, caller, endpoint_id)
        return JSONResponse(_detail(endpoint, await _found(connection, endpoint, delivery_id)))


@router.post(
    "/deliveries/{delivery_id}/resend", status_code=202, response_model=WebhookDeliveryDetailOut
)
async def resend_webhook_delivery(
    endpoint_id: str, delivery_id: str, edge: EdgeDep, caller: CallerDep
) -> Response:
    """Deliver once more, at once and with a whole schedule, under the same `webhook-id`."""
    caller.may(SCOPE)
    now = edge.gateway.now()
    async with edge.gateway.database.transaction() as connection:
        endpoint = _enabled(await found(connection, caller, endpoint_id, lock=True))
        row = await _found(connection, endpoint, delivery_id)
        await deliveries.again(connection, [row["id"]], now)
        again = await _found(connection, endpoint, delivery_id)
    return JSONResponse(_detail(endpoint, again), 202)


def _enabled(endpoint: RowMapping) -> RowMapping:
    if not endpoint["enabled"]:
        raise WebhookEndpointDisabled
    return endpoint


async def _found(connection: AsyncConnection, endpoint: RowMapping, text: str) -> RowMapping:
    delivery_id: UUID | None = read(DELIVERY, text)
    row = delivery_id and await deliveries.find(connection, delivery_id, endpoint["id"])
    if not row:
        raise NotFound
    return row


def _wrong(pointer: str, code: str, detail: str) -> Exception:
    return failed([FieldError(pointer, code, detail)])


def _place(endpoint: RowMapping, row: RowMapping) -> str:
    return f"{location(endpoint)}/deliveries/{shown(DELIVERY, row['id'])}"


def _public(endpoint: RowMapping, row: RowMapping) -> dict[str, Any]:
    """Return a delivery's row as its public object."""
    waits = row["state"] == PENDING and endpoint["enabled"]
    return {
        "id": shown(DELIVERY, row["id"]),
        "object": "webhook_delivery",
        "endpoint_id": shown(ENDPOINT, row["endpoint_id"]),
        "webhook_id": notify.webhook_id(row),
        "type": row["type"],
        "message_id": shown(MESSAGE, row["message_id"]) if row["message_id"] else None,
        "state": row["state"],
        "attempts": row["attempts"],
        "next_try_at": moment(row["due_at"]) if waits else None,
        "last_try": row["tries"][-1] if row["tries"] else None,
        "created_at": moment(row["created_at"]),
        "ended_at": moment(row["ended_at"]),
        "links": {"self": _place(endpoint, row)},
    }


def _detail(endpoint: RowMapping, row: RowMapping) -> dict[str, Any]:
    return _public(endpoint, row) | {"tries": row["tries"] or [], "response": row["response"]}
