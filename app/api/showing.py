"""Show a message to a caller who was let through moments ago: what most status reads are.

Everybody else, and whoever comes near its rate, goes the general way (`messages.show`), of which
nothing was done by then.
"""

from typing import Final

from starlette.types import Receive, Scope, Send

from app.api import conditional
from app.api.edge import Edge
from app.api.given import given
from app.api.seen import told, visible
from app.api.whole import tell

_CACHE: Final = (b"cache-control", conditional.CACHE.encode())
_KIND: Final = (b"content-type", b"application/json")


class Showing:
    """Answers with messages by their ids."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer a request and return None; or return what reads it from its beginning.

        Raises what the general way raises once it knows the caller.
        """
        edge, said = self._edge, [one for name, one in scope["headers"] if name == b"authorization"]
        known = edge.access.known(said[0]) if len(said) == 1 else None
        if known is None:
            return receive
        caller, state = known.caller, scope["state"]
        if edge.rates.rate_of(caller) > 0:
            left = edge.rates.take_at_once(caller)
            if left is None:
                return receive
            state.setdefault("limits", []).append((left.policy, left.item))
        state["key"] = caller.key_id
        row = await visible(edge, caller, scope["path_params"]["message_id"])
        body, tag = conditional.tagged(told(caller, row))
        status, headers = 200, [(b"etag", tag.encode()), _CACHE]
        if conditional.names(",".join(given(scope, b"if-none-match")), tag):
            status, body = 304, b""
        else:
            headers += [(b"content-length", b"%d" % len(body)), _KIND]
        await tell(send, status, headers, body)
        return None
