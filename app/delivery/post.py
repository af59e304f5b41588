"""Post a webhook: one HTTP exchange with a receiver, within its time, to an address that is allowed.

Nothing is followed, repeated or kept: no redirect, no proxy, no cookie, no connection.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.delivery.guard import Guard
from app.delivery.seal import Seal
from app.domain.webhooks import Outcome

if TYPE_CHECKING:
    from app.delivery.receivers import Receivers


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of one try."""

    outcome: Outcome
    milliseconds: int
    response: str | None = None  # the beginning of the answer's body


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """What webhooks need: built once, in `main.py`."""

    guard: Guard
    seal: Seal
    poster: "Poster"
    timeout: timedelta  # of one try
    random_bytes: Callable[[int], bytes]

    async def close(self) -> None:
        """Close every connection."""
        await self.poster.close()
        self.guard.close()


class Poster:
    """Outgoing HTTP to receivers."""

    def __init__(self, guard: Guard, *, timeout: float) -> None:
        self._guard = guard
        self._timeout = timeout
        self._receivers: Receivers | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Make one POST. It raises nothing for what the receiver or the network does."""
        receivers = self._receivers or self._made(await asyncio.to_thread(_receivers))
        began = time.monotonic()
        outcome, response = await receivers.exchange(url, body, headers)
        return Posted(outcome, round((time.monotonic() - began) * 1000), response)

    async def close(self) -> None:
        """Close every connection."""
        if self._receivers is not None:
            await self._receivers.close()

    def _made(self, kind: "type[Receivers]") -> "Receivers":
        if self._receivers is None:  # nobody was faster
            self._receivers = kind(self._guard, timeout=self._timeout)
        return self._receivers


def _receivers() -> "type[Receivers]":
    """Return what is read only when it is needed: it takes a tenth of a second."""
    from app.delivery.receivers import Receivers  # noqa: PLC0415

    return Receivers
