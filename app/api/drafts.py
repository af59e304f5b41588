"""Plain messages that were checked, and what is made of all of them that came together.

None of it can be refused any more, so it waits for the end of a turn of the event loop: each step
is done for all of them before the next one is, which costs less than in the middle of a request.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.api import fingerprints, forms
from app.api.caller import Caller
from app.api.message_schema import Common
from app.api.recognise import Recognise
from app.delivery.arrival import Item
from app.delivery.gateway import Gateway
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Email, Sms, masked_recipient
from app.domain.segments import measure
from app.store.news import New


@dataclass(slots=True)
class Draft:
    """A plain message before it has its row."""

    caller: Caller
    channel: str
    provider: str
    body: Common
    content: Sms | Email
    text: str  # the content, as its row keeps it
    size: int  # bytes of it
    warnings: list[str]
    key: str | None
    address: str  # method and path, and with the value what its fingerprint is made of
    value: Any
    row: New | None = None
    public: str = ""  # its row's id, as it is shown
    answer: bytes = b""  # what is answered once its row is kept


class Drafting:
    """Makes rows of drafts, and what is answered to them."""

    def __init__(self, gateway: Gateway, secret: bytes, recognise: Recognise) -> None:
        self._gateway = gateway
        self._secret = secret
        self._recognise = recognise
        self._waiting: list[Draft] = []

    def soon(self, draft: Draft) -> None:
        """Make a draft's row when this turn of the event loop is over, with those of others.

        The store is at work with an earlier commit meanwhile; what is committed before that is made
        by `rows`.
        """
        self._waiting.append(draft)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._make_waiting)

    def rows(self, items: Sequence[Item | Draft]) -> list[Item]:
        """Return what is committed together, each draft as its row; a draft keeps the first one."""
        self._make([one for one in items if isinstance(one, Draft) and one.row is None])
        return [self.row(one) if isinstance(one, Draft) else one for one in items]

    def row(self, draft: Draft) -> New:
        """Return the row of a draft."""
        if draft.row is None:
            self._make([draft])
        assert draft.row is not None
        return draft.row

    def _make_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._make([one for one in waiting if one.row is None])

    def _make(self, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        secret, now = self._secret, self._gateway.now()
        digests = [self._recognise.content(one.content) for one in drafts]
        signed = [
            fingerprints.of(secret, one.address, one.value) if one.key is not None else None
            for one in drafts
        ]
        masked = [masked_recipient(one.content) for one in drafts]
        taken = [_taken(one.content) for one in drafts]
        ids = self._gateway.ids.many(len(drafts))
        for one, identifier, recipient, digest, (units, encoding), fingerprint in zip(
            drafts, ids, masked, digests, taken, signed, strict=True
        ):
            caller, body = one.caller, one.body
            row = New(
                identifier, caller.client_id, caller.mode, one.channel, one.provider,
                now, None, None,  # it is due at once, and never too late
                body.reference, body.billing_code, body.purpose, body.tags, body.metadata,
                one.warnings, body.on_uncertain, one.text, one.size, recipient, digest,
                units, encoding, one.key, fingerprint,
            )  # fmt: skip
            one.public = shown(MESSAGE, identifier)
            one.answer = forms.answer(row, one.public)
            one.row = row  # last: it says that the rest is there


def _taken(content: Sms | Email) -> tuple[int | None, str | None]:
    """Return how many parts a text message takes, and how it is written."""
    if isinstance(content, Email):
        return None, None
    measured = measure(content.text)
    return measured.parts, str(measured.encoding)
