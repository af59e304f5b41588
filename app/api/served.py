"""The document server: one attempt's PDF, for whoever knows its token.

A fetch is committed before the first byte leaves; a HEAD is no fetch. Every token that opens
nothing gets the same answer. The whole document is sent: ranges are not taken.
"""

from typing import Final

from fastapi import APIRouter, Request, Response

from app.api.edge import Edge, EdgeDep
from app.delivery.fault_points import Point
from app.delivery.inspect import PDF
from app.domain.errors import NotFound
from app.store import attempts

router = APIRouter(include_in_schema=False)

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": 'attachment; filename="document.pdf"',
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Accept-Ranges": "none",
}


@router.api_route("/d/{token}.pdf", methods=["GET", "HEAD"])
async def fetch_document(token: str, request: Request, edge: EdgeDep) -> Response:
    """Send a document, and record that it was fetched; a HEAD says how large it is."""
    if request.method == "HEAD":
        return await _look(token, edge)
    await edge.gateway.fault_points.reached(Point.FETCHING)
    async with edge.gateway.database.transaction() as connection:
        served = await attempts.fetch(connection, token, edge.gateway.now())
    if served is None:
        raise NotFound
    await edge.gateway.fault_points.reached(Point.FETCHED)
    return Response(served.content, media_type=PDF, headers=_HEADERS)


async def _look(token: str, edge: Edge) -> Response:
    async with edge.gateway.database.reading() as connection:
        size = await attempts.look(connection, token, edge.gateway.now())
    if size is None:
        raise NotFound
    return Response(media_type=PDF, headers={**_HEADERS, "Content-Length": str(size)})
