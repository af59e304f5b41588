"""Which methods an address takes: what 405 must say (RFC 9110, 15.5.6)."""

from fastapi import Request
from fastapi.routing import iter_route_contexts


def taken_at(request: Request) -> str:
    """Return the Allow header of the address that a request names.

    Each method of an address is a route of its own. Of addresses that match, such as
    `/messages/search` and `/messages/{message_id}`, it is the one with the fewest parameters.
    """
    path = request.scope["path"]
    found = [
        (len(route.param_convertors), route.path_format, route.methods or ())
        for route in iter_route_contexts(request.app.routes)
        if route.path_regex.match(path)
    ]
    nearest = min((parameters, address) for parameters, address, _ in found)
    return ", ".join(
        sorted({one for *at, methods in found if tuple(at) == nearest for one in methods})
    )
