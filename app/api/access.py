"""Who calls: API keys, of which the store knows an HMAC only."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from app.delivery.gateway import Gateway
from app.domain.errors import ApiKeyInvalid, ChannelNotAllowed, ScopeMissing
from app.domain.message import Channel, Mode
from app.store import keys

SCOPES: Final = (
    "email:send",
    "sms:send",
    "letter:send",
    "fax:send",
    "messages:read",
    "reports:read",
    "messages:resolve",
    "admin",
)
USUAL_SCOPES: Final = SCOPES[:5]  # a report shows every client's recipients
_KEY: Final = re.compile(r"gw_(live|team|test)_([0-9A-Z]{10})_([0-9A-Z]{52})", re.ASCII)
_ID_LENGTH: Final = 10
REMEMBERED: Final = 3.0  # seconds for which a revoked key may still be taken
MOST_REMEMBERED: Final = 10_000


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

    def may(self, scope: str) -> None:
        """Raise where the key lacks a scope."""
        if scope not in self.scopes:
            detail = f"The key lacks the scope {scope}; ask for a key that has it."
            raise ScopeMissing(detail)


class Access:
    """Knows a caller by the Authorization header."""

    def __init__(self, gateway: Gateway, pepper: bytes, *, production: bool) -> None:
        self._gateway = gateway
        self._pepper = pepper
        self._production = production
        self._remembered: dict[str, tuple[RowMapping, float]] = {}

    def digest(self, text: str) -> str:
        """Return the keyed hash of a secret: what the store keeps of it."""
        return hmac.new(self._pepper, text.encode(), hashlib.sha256).hexdigest()

    async def caller(self, authorization: str | None) -> Caller:
        """Return who calls; every wrong key gets the same answer."""
        scheme, _, key = (authorization or "").partition(" ")
        read = _KEY.fullmatch(key.strip())
        if scheme.casefold() != "bearer" or read is None:
            raise ApiKeyInvalid
        row = await self._known(read[2])
        # Compared even where no key has this id, so that time tells nothing.
        known = row["digest"] if row is not None else "0" * 64
        if not hmac.compare_digest(known, self.digest(key.strip())) or row is None:
            raise ApiKeyInvalid
        return Caller(
            key_id=row["id"],
            client_id=row["client_id"],
            name=row["name"],
            mode=row["mode"],
            scopes=frozenset(row["scopes"]),
            unique_references=row["unique_references"],
            idempotency=row["idempotency"],
            rate=row["rate"],
            daily_quotas=row["daily_quotas"],
        )

    async def _known(self, key_id: str) -> RowMapping | None:
        """Return a key's row, at most a few seconds old."""
        # Not the clock of the day: set back, it would keep a revoked key alive.
        now = asyncio.get_running_loop().time()
        remembered = self._remembered.get(key_id)
        if remembered is not None and now - remembered[1] < REMEMBERED:
            return remembered[0]
        async with self._gateway.database.reading() as connection:
            row = await keys.find(connection, key_id)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        # An unknown key is not remembered: it may be made at any moment.
        self._remembered.pop(key_id, None)
        if row is not None:
            self._remembered[key_id] = (row, now)
        return row

    def may_send(self, caller: Caller, channel: Channel) -> None:
        """Raise where a caller may not send on a channel."""
        caller.may(f"{channel}:send")
        if caller.mode == Mode.TEAM:
            raise ChannelNotAllowed("Keys of the mode team cannot send in this version.")

    def may_reach(self, caller: Caller, *, simulated: bool) -> None:
        """Raise where a test key would reach a provider."""
        if caller.mode == Mode.TEST and (self._production or not simulated):
            detail = "A test key must never reach a provider: it sends to simulators only."
            raise ChannelNotAllowed(detail)


async def create_key(
    gateway: Gateway,
    digest: Callable[[str], str],
    *,
    name: str,
    mode: Mode,
    scopes: Sequence[str] = USUAL_SCOPES,
) -> str:
    """Make a client's key; nobody can read it again."""
    drawn = gateway.ids.token() + gateway.ids.token()
    key_id, secret = drawn[:_ID_LENGTH], drawn[_ID_LENGTH : _ID_LENGTH + 52]
    key = f"gw_{mode}_{key_id}_{secret}"
    async with gateway.database.transaction() as connection:
        client_id = await keys.client_named(connection, gateway.ids, name, gateway.now())
        await keys.add(
            connection,
            {
                "id": key_id,
                "client_id": client_id,
                "digest": digest(key),
                "mode": mode.value,
                "scopes": list(scopes),
                "created_at": gateway.now(),
            },
        )
    return key
