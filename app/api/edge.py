"""What the endpoints work with, and the request headers that several of them read."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

from fastapi import Depends, Header, Request
from sqlalchemy import RowMapping

from app.api import fingerprints
from app.api import given as headers
from app.api.access import Access, Caller
from app.api.answers import Row
from app.api.drafts import Draft, Drafting
from app.api.duplicates import duplicate_in
from app.api.held import Held
from app.api.measures import Measures
from app.api.rates import Rates
from app.api.recognise import Recognise
from app.api.replayed import replayed
from app.api.requests import limits_of, name_caller
from app.api.team import Team
from app.delivery.accept import Answer, Arrival, Item, Key, Obstacle, ReferencesTaken
from app.delivery.accept_many import accept_many, is_large
from app.delivery.follow import Followers
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.delivery.hear import Hearing
from app.delivery.keep_files import keep_files
from app.delivery.limit import Limiter
from app.domain.acknowledgement import Acknowledgement
from app.domain.errors import DailyQuotaExceeded, IdempotencyKeyInvalid, IdempotencyKeyRequired
from app.domain.message import Mode
from app.store.feed import Feed, Standing
from app.store.figures import Figures

_HEADER: Final = b"idempotency-key"
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What every endpoint works with; built once, in `main.py`."""

    gateway: Gateway
    access: Access
    limiter: Limiter
    rates: Rates
    team: Team
    accepting: Gathering[Item | Draft, Obstacle]
    drafting: Drafting
    remembering: Gathering[Key, RowMapping | None]
    finding: Gathering[UUID, Row | None]  # messages by their ids, whoever's they are
    acknowledging: Hearing
    secret: bytes  # keys fingerprints and cursors
    recognise: Recognise
    callback_digests: Mapping[str, str]  # of the secrets in callbacks' addresses, by provider
    read_callback: Callable[[bytes], Acknowledgement]  # raises UnreadableAcknowledgement
    requires_idempotency: bool
    body_limit: int
    held: Held
    attachment_limit: int
    figuring: Gathering[None, Figures]  # one scrape at a time asks the store
    looking: Gathering[Feed, Standing]  # at feeds, after what waits for them is published
    followers: Followers
    relay_automatic: bool  # an e-mail that needs the relay takes it without saying so
    measures: Measures = field(default_factory=Measures)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)  # a long body, in a thread
    # Long batches are taken in one after the other: each takes memory.
    turns: asyncio.Lock = field(default_factory=asyncio.Lock)
    # One recovery of a client's at a time: each waits for who publishes, and writes a lot.
    recovering: WeakValueDictionary[UUID, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)  # this process ends


async def _edge(request: Request) -> Edge:  # async: FastAPI runs others in a thread
    edge: Edge = request.app.state.edge
    return edge


EdgeDep = Annotated[Edge, Depends(_edge)]


async def caller_of(edge: EdgeDep, request: Request) -> Caller:
    """Return who calls, within its rate; what is left of that goes into the answer's headers."""
    caller = await edge.access.caller(request)
    name_caller(request, caller.key_id)
    left, refused = await edge.rates.take(caller)
    if left is not None:
        limits_of(request).append((left.policy, left.item))
    if refused is not None:
        raise refused
    return caller


CallerDep = Annotated[Caller, Depends(caller_of)]
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
    checked = name_of(edge, caller, given, request)
    if checked is None:
        return None
    fingerprint = fingerprints.of(edge.secret, address_of(request), content)
    return Key(client_id=caller.client_id, mode=caller.mode, key=checked, fingerprint=fingerprint)


def name_of(edge: Edge, caller: Caller, given: str | None, request: Request) -> str | None:
    """Return a well-formed Idempotency-Key, None where there is none and none is needed."""
    if given is None:
        if needs_key(edge, caller):
            raise IdempotencyKeyRequired
        return None
    # Of two keys, either could be the one that a repeat comes with.
    if len(headers.given(request.scope, _HEADER)) > 1:
        raise IdempotencyKeyInvalid("The Idempotency-Key header came more than once; send it once.")
    if not _VISIBLE.fullmatch(given):
        raise IdempotencyKeyInvalid
    return given


def needs_key(edge: Edge, caller: Caller) -> bool:
    """Say whether what a caller sends needs an Idempotency-Key."""
    usual = "required" if edge.requires_idempotency else "optional"
    return caller.mode == Mode.LIVE and (caller.idempotency or usual) == "required"


def address_of(request: Request) -> str:
    """Return what a fingerprint tells requests apart by, besides their bodies."""
    return f"{request.scope['method']} {request.scope['path']}"


async def first_answer(edge: Edge, key: Key | None) -> Answer | None:
    """Return the answer that a key got before, None where it is new."""
    if key is None:
        return None
    record = await edge.remembering.do(key)
    return replayed(record, key) if record is not None else None


async def take_in(
    edge: Edge, arrival: Arrival, keep: Callable[[Arrival], Awaitable[Obstacle]] | None = None
) -> Answer:
    """Commit an arrival, and return its answer, or the first one where its key was taken.

    `keep` commits a large one, of which something is written already.
    Raises QuotaExceeded, QueueFull or StorageLow where there is no room for it,
    DailyQuotaExceeded and DuplicateReference.
    """
    try:
        if arrival.daily_quota is not None:
            edge.gateway.usage.admit(arrival, edge.gateway.local_time())
    except DailyQuotaExceeded:
        # The first request with its key may have been taken in a moment ago.
        if (first := await first_answer(edge, arrival.key)) is not None:
            return first
        raise
    await edge.limiter.admit(arrival)
    if is_large(arrival):
        obstacle = await (keep(arrival) if keep else accept_many(edge.gateway, arrival))
    else:
        obstacle = await edge.accepting.do(await keep_files(edge.gateway, arrival))
    if isinstance(obstacle, ReferencesTaken):
        raise duplicate_in(arrival, obstacle.by)
    if obstacle is None or arrival.key is None:
        return arrival.answer
    return replayed(obstacle, arrival.key)
