"""What providers tell us by themselves: 123-fax's acknowledgements, by GET and unsigned."""

import hmac

import structlog
from fastapi import APIRouter, Request, Response

from app.api.edge import EdgeDep
from app.delivery import spool
from app.delivery.gateway import UnreadableAcknowledgement
from app.domain.errors import MalformedRequest, NotFound

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

FAX123 = "fax123"


@router.get("/hooks/123fax/{secret}")
async def acknowledge_fax(secret: str, request: Request, edge: EdgeDep) -> Response:
    """Keep what 123-fax says became of a fax; 200 as soon as it is stored, or on our disk."""
    if not hmac.compare_digest(edge.access.digest(secret), edge.callback_digest):
        raise NotFound
    try:
        brought = edge.read_callback(request.scope["query_string"])
    except UnreadableAcknowledgement as fault:
        # Kept, for nobody tells us twice what became of a fax. The reason names a field, never a
        # value.
        await spool.receive(edge.gateway, FAX123, fault)
        log.warning("acknowledgement_unreadable", provider=FAX123, why=str(fault))
        raise MalformedRequest(f"The acknowledgement cannot be read: {fault}.") from None
    await spool.receive(edge.gateway, FAX123, brought)
    return Response("OK", media_type="text/plain")
