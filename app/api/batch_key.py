"""The Idempotency-Key of a batch, and the fingerprint of what it comes with.

A new key's fingerprint is made while the messages are being looked at; a repeat alone needs it first.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request

from app.api import fingerprints
from app.api.access import Caller
from app.api.edge import Edge, address_of, name_of
from app.api.replayed import replayed
from app.api.slices import Slices
from app.delivery.accept import Answer, Key

_MESSAGES: Final = "messages"
_TOGETHER: Final = 64  # messages that are written out at once, at most
_LONGEST: Final = 16_384  # characters that they may have together, as far as can be foreseen


class BatchKey:
    """A key, and what is known of its fingerprint."""

    def __init__(self, edge: Edge, caller: Caller, name: str, request: Request) -> None:
        self._edge = edge
        self._caller = caller
        self._name = name
        self._address = address_of(request)
        self._coming: fingerprints.Coming | None = None
        self._covered = 0
        self._many = 1
        self._are_whole = False

    async def first_answer(self, value: Any, slices: Slices) -> Answer | None:  # noqa: ANN401
        """Return the answer that the key got before, None where it is new."""
        record = await self._edge.remembering.do(self._key(""))
        if record is None:
            return None
        secret = self._edge.secret
        found = await fingerprints.of_many(secret, self._address, value, slices)
        return replayed(record, self._key(found))

    def begin(self, content: Mapping[str, Any], *, are_whole: bool) -> None:
        """Begin with a well-formed batch's fingerprint, before any of its messages is let go of.

        `are_whole`: it is known that no number in the messages has a fraction.
        """
        self._are_whole = are_whole
        secret = self._edge.secret
        self._coming = fingerprints.Coming(secret, self._address, content, _MESSAGES)

    async def cover(self, messages: Sequence[Any], until: int, slices: Slices) -> None:
        """Look at the messages before a place, which may be let go of then."""
        assert self._coming is not None
        until = min(until, len(messages))
        while self._covered < until:
            some = messages[self._covered : self._covered + self._many]
            size = self._coming.take(some, are_whole=self._are_whole)
            self._covered += len(some)
            self._many = max(1, min(_TOGETHER, _LONGEST * len(some) // size))
            await slices.pause()

    def whole(self) -> Key:
        """Return the key with the fingerprint of all messages."""
        assert self._coming is not None
        return self._key(self._coming.whole())

    def _key(self, fingerprint: str) -> Key:
        caller = self._caller
        return Key(
            client_id=caller.client_id, mode=caller.mode, key=self._name, fingerprint=fingerprint
        )


def key_of(edge: Edge, caller: Caller, given: str | None, request: Request) -> BatchKey | None:
    """Return a batch's key, None where it came with none and needs none."""
    name = name_of(edge, caller, given, request)
    return BatchKey(edge, caller, name, request) if name is not None else None
