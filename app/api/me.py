"""Who calls: what its key may do, and what is left to it today."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.api.access import SCOPES, TOKENS
from app.api.client_shapes import MeOut
from app.api.edge import CallerDep, EdgeDep
from app.delivery.quota import next_midnight
from app.domain.identifiers import CLIENT, shown
from app.domain.message import Channel, Mode
from app.domain.moments import moment
from app.store import clients

router = APIRouter(prefix="/v1/me", tags=["me"])


@router.get("", response_model=MeOut)
async def get_me(edge: EdgeDep, caller: CallerDep) -> Response:
    """Tell a key what it may do, and what is left of its client's quotas today."""
    now = edge.gateway.local_time()
    async with edge.gateway.database.reading() as connection:
        used = await clients.usage(connection, caller.client_id, caller.mode, now.date())
    quotas = caller.daily_quotas or {}
    usual = "required" if edge.requires_idempotency else "optional"
    is_live = caller.mode == Mode.LIVE
    networks = caller.networks
    has_key = not caller.key_id.startswith(TOKENS)
    content = {
        "object": "me",
        "client": {"id": shown(CLIENT, caller.client_id), "name": caller.name},
        "key": f"gw_{caller.mode}_{caller.key_id}" if has_key else None,
        "label": caller.label,
        "mode": caller.mode,
        "scopes": [scope for scope in SCOPES if scope in caller.scopes],
        "networks": [str(one) for one in networks] if networks is not None else None,
        "expires_at": moment(caller.expires_at),
        "idempotency": (caller.idempotency or usual) if is_live else "optional",
        "unique_references": caller.unique_references,
        "rate": edge.rates.rate_of(caller) or None,
        "quotas": [_quota(channel, quotas.get(channel), used) for channel in Channel],
        "quotas_reset_at": moment(next_midnight(now)),
        "body_limit": edge.body_limit,
        "attachment_limit": edge.attachment_limit,
    }
    return JSONResponse(content)


def _quota(channel: Channel, daily: int | None, used: Mapping[str, int]) -> dict[str, Any]:
    """Return one channel's quota; what has none is not counted."""
    spent = used.get(channel, 0)
    return {
        "channel": channel.value,
        "daily": daily,
        "used": spent if daily is not None else None,
        "left": max(0, daily - spent) if daily is not None else None,
    }
