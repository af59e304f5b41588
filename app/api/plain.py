"""Take in a plain text message or e-mail: what most requests are, without what only others need.

This way only ever says yes. Its checks are the general way's own (`send.py`, `sending.py`), or
stricter; what does not pass them, whatever the reason, goes the general way from its beginning, and
nothing was counted or kept by then. So every refusal is said in one place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Message, Receive, Scope, Send

from app.api import bodies
from app.api.access import Caller, Known
from app.api.drafts import Draft
from app.api.edge import Edge, first_answer, needs_key
from app.api.gather import Gathered
from app.api.replayed import replayed
from app.api.schemas import Common
from app.api.send import answered
from app.api.sending import Sending
from app.api.whole import tell
from app.delivery.accept import Answer
from app.delivery.arrival import ReferencesTaken, key_of
from app.delivery.gateway import Provider
from app.domain.errors import Fault
from app.domain.message import Email, Mode, Sms
from app.store.contents import writer
from app.store.database import StoreReadOnly

_VISIBLE: Final = re.compile(rb"[\x21-\x7e]{1,255}")
_OTHERS: Final = frozenset({b"prefer", b"content-encoding"})
_LENGTH: Final = b"content-length"
_TYPE: Final = b"content-type"
_JSON: Final = b"application/json"
_MOST_DIGITS: Final = 5  # of a length

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Way:
    """How one caller's plain messages of a channel go."""

    carrier: Provider
    has_rate: bool
    needs_key: bool


class Plain:
    """Takes in a channel's plain messages."""

    def __init__(self, edge: Edge, sending: Sending[Any], address: str) -> None:
        self._edge = edge
        self._sending = sending
        self._channel = sending.channel
        self._name = sending.channel.value
        self._written = writer(sending.channel)
        self._address = address  # method and path
        self._longest = min(edge.body_limit, bodies.LONG - 1)  # bytes of a body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer a request and return None; or return what reads it from its beginning.

        Raises what goes wrong once its message is handed over.
        """
        headers: Headers = dict(scope["headers"])
        known = self._edge.access.known(headers.get(b"authorization", b""))
        if known is None or len(headers) < len(scope["headers"]) or not _is_usual(headers):
            return receive
        way = known.ways.get(self._name) or self._way(known)
        if way is None or (way.needs_key and b"idempotency-key" not in headers):
            return receive
        came = await receive()
        draft = self._draft(known.caller, way, headers, came)
        if draft is None or not self._passes(way, draft, scope):
            return _again(came, receive)
        scope["state"]["key"] = known.caller.key_id
        first = await self._kept(draft)
        if first is None:
            body, location = draft.answer, f"/v1/messages/{draft.public}".encode()
            said = [(b"location", location), (_LENGTH, b"%d" % len(body)), (_TYPE, _JSON)]
            await tell(send, 202, said, body)
        else:
            await answered(first)(scope, receive, send)
        return None

    def _way(self, known: Known) -> Way | None:
        """Return how a caller's messages go, None where more is asked of them."""
        edge, caller, channel = self._edge, known.caller, self._channel
        has_quota = caller.quota_of(channel) is not None
        if caller.mode == Mode.TEAM or caller.unique_references or has_quota:
            return None
        try:
            edge.access.may_send(caller, channel)
            name = edge.access.carrier(caller, edge.gateway.routes[channel])
        except Fault:
            return None
        known.ways[self._name] = way = Way(
            edge.gateway.providers[name],
            edge.rates.rate_of(caller) > 0,
            needs_key(edge, caller),
        )
        return way

    def _draft(self, caller: Caller, way: Way, headers: Headers, came: Message) -> Draft | None:
        """Return a request's message, None where it is not plain, or wrong."""
        whole = came.get("body", b"")
        if len(whole) > self._longest or len(whole) != int(headers[_LENGTH]):
            return None
        try:
            value = bodies.parse(whole)
            body = bodies.validated(self._sending.model, value)
        except Fault:
            return None
        gathered = Gathered()
        content = self._content(body, gathered)
        if content is None or gathered.errors or not way.carrier.carries(content):
            return None
        text, key = self._written(content), headers.get(b"idempotency-key")
        return Draft(
            caller, self._name, way.carrier.name, body, content, text.decode(), len(text),
            gathered.warnings, key.decode() if key is not None else None, self._address, value,
        )  # fmt: skip

    def _content(self, body: Common, gathered: Gathered) -> Sms | Email | None:
        """Return what is sent, None where it is not plain; `gathered` holds what is wrong with it."""
        sending = self._sending
        is_timed = body.send_at is not None or body.expires_at is not None
        if is_timed or sending.files(body) or sending.is_heavy(body):
            return None
        sending.rules(body, self._edge, gathered)
        sending.alone(body, gathered)
        match content := sending.content(body, (), gathered):
            case Sms() | Email(relay=False):  # others have recipients of their own
                return content
            case _:
                return None

    def _passes(self, way: Way, draft: Draft, scope: Scope) -> bool:
        """Count a message, and its request, where there is room and its client's rate allows it."""
        limiter, caller = self._edge.limiter, draft.caller
        if not limiter.has_room(caller.client_id, caller.mode, draft.body.purpose, draft.size):
            return False
        if way.has_rate:
            left = self._edge.rates.take_at_once(caller)
            if left is None:
                return False
            scope["state"].setdefault("limits", []).append((left.policy, left.item))
        limiter.count(caller.client_id, draft.size)
        return True

    async def _kept(self, draft: Draft) -> Answer | None:
        """Commit a message; return the first answer to its key, where that was taken."""
        self._edge.drafting.soon(draft)
        try:
            obstacle = await self._edge.accepting.do(draft)
        except (Fault, StoreReadOnly):
            # What is wrong now may not have been so when the key came first.
            first = await first_answer(self._edge, key_of(self._edge.drafting.row(draft)))
            if first is None:
                raise
            return first
        if obstacle is None:
            return None
        key = key_of(self._edge.drafting.row(draft))
        # Nothing else can stand in its way: its client's references need not be unique.
        assert key is not None
        assert not isinstance(obstacle, ReferencesTaken)
        return replayed(obstacle, key)


def _is_usual(headers: Headers) -> bool:
    """Say whether a request is JSON of a known length, and wants nothing besides."""
    length, given_key = headers.get(_LENGTH, b""), headers.get(b"idempotency-key")
    return (
        headers.get(_TYPE) == _JSON
        and length.isdigit()
        and len(length) <= _MOST_DIGITS
        and headers.keys().isdisjoint(_OTHERS)
        and (given_key is None or _VISIBLE.fullmatch(given_key) is not None)
    )


def _again(came: Message, receive: Receive) -> Receive:
    """Return what receives a message that came already, and then what follows it."""
    waiting = [came]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received
