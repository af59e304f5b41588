"""What providers tell us by themselves: 123-fax's acknowledgements, by GET and unsigned."""

import hmac

import structlog
from fastapi import APIRouter, Request, Response

from app.api.edge import Edge, EdgeDep
from app.delivery import spool
from app.domain.acknowledgement import UnreadableAcknowledgement
from app.domain.errors import MalformedRequest, NotFound
from app.domain.twins import twin_of

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

FAX123 = "fax123"


@router.get("/hooks/123fax/{secret}")
async def acknowledge_fax(secret: str, request: Request, edge: EdgeDep) -> Response:
    """Keep what 123-fax says became of a fax; 200 as soon as it is stored, or on our disk."""
    return await _acknowledge(FAX123, secret, request, edge)


@router.get("/hooks/123fax-test/{secret}")
async def acknowledge_simulated_fax(secret: str, request: Request, edge: EdgeDep) -> Response:
    """Keep what the simulator says became of a test key's fax: it names none but its own."""
    return await _acknowledge(twin_of(FAX123), secret, request, edge)


async def take(edge: Edge, request: Request) -> Response:
    """Answer as `acknowledge_fax` does, without the framework."""
    return await _acknowledge(FAX123, request.path_params["secret"], request, edge)


async def _acknowledge(provider: str, secret: str, request: Request, edge: Edge) -> Response:
    known = hmac.compare_digest(edge.access.digest(secret), edge.callback_digests[provider])
    if not known or provider not in edge.gateway.learn:
        raise NotFound
    try:
        brought = edge.read_callback(request.scope["query_string"])
    except UnreadableAcknowledgement as fault:
        # Kept, for nobody tells us twice what became of a fax. The reason names a field, never a
        # value.
        await spool.receive(edge.gateway, provider, fault)
        log.warning("acknowledgement_unreadable", provider=provider, why=str(fault))
        raise MalformedRequest(f"The acknowledgement cannot be read: {fault}.") from None
    await spool.receive(edge.gateway, provider, brought, edge.acknowledging)
    return Response("OK", media_type="text/plain")
