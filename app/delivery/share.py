"""Share the calls of one worker among the clients: none takes the place of another.

A receiver that is slow, or a client with many of them, fills its own share and no more. And where
several have filled all there is, who has no call at all still gets one, from a reserve.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

AT_ONCE: Final = 192  # calls of one worker
EACH: Final = 16  # of these to one endpoint; to one that fails, one
OF_CLIENT: Final = 48  # of these for one client
RESERVED: Final = 64  # beyond these: one for each client that has none
# Half of an endpoint's calls are over before it gets more: many are claimed with one commit.
_BUSY: Final = EACH // 2

Endpoint = Mapping[str, Any] | RowMapping


class Shares:
    """Which calls are under way, and who may have more."""

    def __init__(self) -> None:
        self._endpoints: Counter[UUID] = Counter()
        self._clients: Counter[UUID] = Counter()

    @property
    def room(self) -> int:
        """How many endpoints may be looked at: beside those with a call, as many as have room."""
        free = AT_ONCE + RESERVED - self._endpoints.total()
        return free + len(self._endpoints) if free > 0 else 0

    @property
    def full(self) -> tuple[list[UUID], list[UUID]]:
        """The endpoints, and the clients, that get no more calls for now."""
        most = OF_CLIENT if self._endpoints.total() < AT_ONCE else 1
        return (
            [one for one, calls in self._endpoints.items() if calls > _BUSY],
            [one for one, calls in self._clients.items() if calls >= most],
        )

    def divide(self, endpoints: Sequence[Endpoint]) -> dict[UUID, int]:
        """Return how many calls each endpoint gets in addition, who is first in line first."""
        shares: dict[UUID, int] = {}
        clients, total = self._clients.copy(), self._endpoints.total()
        for endpoint in endpoints:
            client_id = endpoint["client_id"]
            most = EACH if endpoint["failing_since"] is None else 1
            own = min(most - self._endpoints[endpoint["id"]], OF_CLIENT - clients[client_id])
            share = min(own, max(AT_ONCE - total, 0 if clients[client_id] else 1))
            if share > 0 and total < AT_ONCE + RESERVED:
                shares[endpoint["id"]] = share
                clients[client_id] += share
                total += share
        return shares

    def begun(self, endpoint: Endpoint) -> None:
        """Note a call that is under way."""
        self._endpoints[endpoint["id"]] += 1
        self._clients[endpoint["client_id"]] += 1

    def ended(self, endpoint: Endpoint) -> None:
        """Note a call that is over."""
        for calls, one in (
            (self._endpoints, endpoint["id"]),
            (self._clients, endpoint["client_id"]),
        ):
            calls[one] -= 1
            if not calls[one]:
                del calls[one]
