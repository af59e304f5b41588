"""What the endpoints work with, and the request headers that several of them read."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from sqlalchemy import RowMapping

from app.api.access import Access, Caller
from app.api.measures import Measures
from app.delivery import accept
from app.delivery.accept import Answer, Arrival, Key
from app.delivery.gateway import Acknowledgement, Gateway
from app.delivery.gather import Gathering
from app.delivery.limit import Limiter
from app.domain.errors import IdempotencyKeyInvalid, IdempotencyKeyRequired
from app.domain.message import Mode
from app.store.figures import Figures

_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_WAIT: Final = re.compile(r"\s*wait\s*=\s*\"?([0-9]{1,6})\"?\s*", re.ASCII | re.IGNORECASE)
LONGEST_WAIT: Final = 30  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What every endpoint works with; built once, in `main.py`."""

    gateway: Gateway
    access: Access
    limiter: Limiter
    accepting: Gathering[Arrival, RowMapping | None]
    remembering: Gathering[Key, RowMapping | None]
    secret: bytes  # keys fingerprints and cursors
    callback_digest: str
    read_callback: Callable[[bytes], Acknowledgement]  # raises UnreadableAcknowledgement
    requires_idempotency: bool
    body_limit: int
    attachment_limit: int
    figuring: Gathering[None, Figures]  # one scrape at a time asks the store
    relay_automatic: bool  # an e-mail that needs the relay takes it without saying so
    measures: Measures = field(default_factory=Measures)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)  # this process ends


async def _edge(request: Request) -> Edge:  # async: FastAPI runs others in a thread
    edge: Edge = request.app.state.edge
    return edge


EdgeDep = Annotated[Edge, Depends(_edge)]


async def _caller(
    edge: EdgeDep, authorization: Annotated[str | None, Header(include_in_schema=False)] = None
) -> Caller:
    return await edge.access.caller(authorization)


CallerDep = Annotated[Caller, Depends(_caller)]
IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 255 visible characters; a repeat with the same body gets the first"
        " answer, and sends nothing again",
    ),
]
PreferHeader = Annotated[
    list[str] | None,
    Header(
        alias="Prefer",
        description="`wait=5` answers 201 if the provider accepted within 5 seconds (RFC 7240)",
    ),
]


def key_of(
    edge: Edge,
    caller: Caller,
    given: str | None,
    request: Request,
    content: Any,  # noqa: ANN401
) -> Key | None:
    """Return an Idempotency-Key with the fingerprint of what it came with."""
    if given is None:
        if edge.requires_idempotency and caller.mode == Mode.LIVE:
            raise IdempotencyKeyRequired
        return None
    if not _VISIBLE.fullmatch(given):
        raise IdempotencyKeyInvalid
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    text = f"{request.method} {request.url.path}\n{canonical}"
    # Keyed: a plain hash of a telephone number can be turned back.
    fingerprint = hmac.new(edge.secret, text.encode(), hashlib.sha256).hexdigest()
    return Key(client_id=caller.client_id, mode=caller.mode, key=given, fingerprint=fingerprint)


async def first_answer(edge: Edge, key: Key | None) -> Answer | None:
    """Return the answer that a key got before, None where it is new."""
    if key is None:
        return None
    record = await edge.remembering.do(key)
    return accept.replay(record, key) if record is not None else None


async def take_in(edge: Edge, arrival: Arrival) -> Answer:
    """Commit an arrival, and return its answer, or the first one where its key was taken.

    Raises QuotaExceeded, QueueFull or StorageLow where there is no room for it.
    """
    await edge.limiter.admit(arrival)
    record = await edge.accepting.do(arrival)
    if record is None or arrival.key is None:
        return arrival.answer
    return accept.replay(record, arrival.key)


def wait_of(prefer: list[str] | None) -> int:
    """Return for how many seconds a client wants to wait for the provider (RFC 7240, 4.3)."""
    for part in ",".join(prefer or ()).split(","):
        read = _WAIT.fullmatch(part.partition(";")[0])
        if read is not None:
            return min(int(read[1]), LONGEST_WAIT)
    return 0
