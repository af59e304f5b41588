"""Who calls, and what it may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.api.origin import Network
from app.domain.errors import ScopeMissing
from app.domain.message import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what it may do."""

    key_id: str
    client_id: UUID
    name: str
    mode: str
    scopes: frozenset[str]
    unique_references: bool = False  # a reference that the client used before is refused
    idempotency: str | None = None  # required, optional; None: as the deployment says
    rate: int | None = None  # requests a second; None: as the deployment says
    daily_quotas: Mapping[str, int] | None = None  # messages a day, by channel
    networks: tuple[Network, ...] | None = None  # from which it is taken; None: from everywhere
    expires_at: datetime | None = None
    label: str | None = None

    def may(self, *scopes: str) -> None:
        """Raise where the key has none of some scopes."""
        if self.scopes.isdisjoint(scopes):
            detail = f"The key lacks the scope {' or '.join(scopes)}; ask for a key that has it."
            raise ScopeMissing(detail)

    def quota_of(self, channel: Channel) -> int | None:
        """Return how many messages it may send a day on a channel; None where nobody said."""
        return (self.daily_quotas or {}).get(channel)


@dataclass(frozen=True, slots=True)
class Known:
    """A caller who was let through moments ago."""

    caller: Caller
    name: tuple[str, str]  # of its key: the id and the keyed hash
    until: float  # by the loop's time: then it is asked for anew
    ways: dict[str, Any] = field(default_factory=dict)  # see `plain.py`
