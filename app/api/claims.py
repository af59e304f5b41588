"""What a token of an issuer must say, and what a valid one says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.message import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a token must say, and in which of its claims it says who calls."""

    issuer: str
    jwks_url: str | None  # where its keys are; None: its discovery document says where
    audience: str
    client_claims: Sequence[str]  # the first that a token has names the client
    scope_claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a valid token says."""

    client: str
    mode: Mode
    scopes: frozenset[str]
    expires_at: datetime


class Reading(Protocol):
    """Reads tokens."""

    async def read(self, token: str) -> Claims:
        """Return what a token says; raises TokenInvalid or IssuerUnavailable."""
        ...
