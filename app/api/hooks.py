"""What providers tell us by themselves: 123-fax's acknowledgements, by GET and unsigned."""

import hmac
from typing import Final

import structlog
from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from app.api.direct import AtOnce
from app.api.edge import Edge, EdgeDep
from app.api.whole import tell
from app.delivery import spool
from app.domain.acknowledgement import UnreadableAcknowledgement
from app.domain.errors import MalformedRequest, NotFound
from app.domain.twins import twin_of

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

FAX123 = "fax123"
_HEADERS: Final = ((b"content-length", b"2"), (b"content-type", b"text/plain; charset=utf-8"))


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


def taking(edge: Edge) -> AtOnce:
    """Return what takes in the acknowledgements that can be read, and hands on whatever else comes."""
    expected = edge.callback_digests[FAX123]

    async def taken(scope: Scope, receive: Receive, send: Send) -> Receive | None:
        known = hmac.compare_digest(edge.access.digest(scope["path_params"]["secret"]), expected)
        if not known or FAX123 not in edge.gateway.learn:
            return receive
        try:
            brought = edge.read_callback(scope["query_string"])
        except UnreadableAcknowledgement:
            return receive
        await spool.receive(edge.gateway, FAX123, brought, edge.acknowledging)
        await tell(send, 200, _HEADERS, b"OK")
        return None

    return taken


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
