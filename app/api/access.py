"""Who calls: by an API key, of which the store knows an HMAC only, or by an issuer's token."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import RowMapping
from starlette.requests import Request

from app.api.caller import Caller, Known
from app.api.claims import Claims, Reading
from app.api.given import given
from app.api.last_use import LastUse
from app.api.origin import Network, contains, networks_of, origin_of
from app.api.remembered import MOST, Remembered
from app.delivery import carry
from app.delivery.gateway import Gateway
from app.domain.errors import (
    ApiKeyInvalid,
    ChannelNotAllowed,
    ClientUnknown,
    MalformedRequest,
    NetworkNotAllowed,
)
from app.domain.message import Channel, Mode
from app.store import clients, keys

__all__ = ["Caller", "Known"]  # besides what stands here

SCOPES: Final = (
    "email:send",
    "sms:send",
    "letter:send",
    "fax:send",
    "messages:read",
    "reports:read",
    "messages:resolve",
    "admin",
    "webhooks:manage",
)
USUAL_SCOPES: Final = SCOPES[:5]  # a report shows every client's recipients
_KEY: Final = re.compile(r"gw_(live|team|test)_([0-9A-Z]{10})_([0-9A-Z]{52})", re.ASCII)
_AHEAD: Final = 0.6  # seconds before a known caller's end, from which on its key is asked for
TOKENS: Final = "token-"  # in place of a key's visible part
_NO_SIMULATOR: Final = (
    "A test key never reaches a provider, and this deployment has no simulator for this channel."
    " The operator starts one and sets MULTICANAL_TEST_EFIDEM_WSDL or MULTICANAL_TEST_FAX123_URL;"
    " `multicanal serve` brings both."
)
_NO_TEAM_LETTERS: Final = (
    "A key of the mode team sends to the addresses and numbers of its client's list, and a letter"
    " goes to neither: send it with a live key, or try it with a test key."
)
_NO_KEY: Final = "The request has no key; send one as `Authorization: Bearer gw_...`."
_NO_BEARER: Final = (
    "The Authorization header does not begin with Bearer; send `Authorization: Bearer gw_...`."
)
_OURS: Final = "gw_"  # what every key begins with, and no token


class Access:
    """Knows a caller by the Authorization header."""

    def __init__(
        self,
        gateway: Gateway,
        pepper: bytes,
        *,
        proxies: Sequence[Network] = (),
        tokens: Reading | None = None,
    ) -> None:
        self._gateway = gateway
        self._keyed = hmac.new(pepper, digestmod=hashlib.sha256)
        self._marked = hashlib.blake2b(key=self._keyed.digest(), digest_size=16)
        self._proxies = proxies
        self._tokens = tokens
        self._keys = Remembered(self._ask_key)
        self._clients = Remembered(self._ask_client)
        self._let_through: dict[bytes, Known] = {}  # by what they sent
        self._renewing: dict[bytes, asyncio.Task[None]] = {}
        self.last_use = LastUse(gateway.database, gateway.now)

    def digest(self, text: str) -> str:
        """Return the keyed hash of a secret: what the store keeps of it."""
        made = self._keyed.copy()
        made.update(text.encode())
        return made.hexdigest()

    async def caller(self, request: Request) -> Caller:
        """Return who calls; every wrong key gets the same answer."""
        said = given(request.scope, b"authorization")
        if len(said) > 1:
            raise MalformedRequest("The request has several Authorization headers; send one.")
        scheme, _, credential = (said[0] if said else "").partition(" ")
        credential = credential.strip()
        if scheme.casefold() != "bearer":
            raise ApiKeyInvalid(_NO_BEARER if said else _NO_KEY)
        if self._tokens is not None and credential and not credential.startswith(_OURS):
            return await self._by_token(await self._tokens.read(credential))
        caller, name = await self._by_key(credential, request)
        self._let(self._mark(said[0].encode("latin-1")), caller, name)
        return caller

    def known(self, authorization: bytes) -> Known | None:
        """Return who was let through with this header moments ago; None says nothing.

        The use of its key was noted then.
        """
        mark = self._mark(authorization)
        known = self._let_through.get(mark)
        if known is None:
            return None
        left = known.until - asyncio.get_running_loop().time()
        if left <= 0 or self._has_ended(known.caller):
            return None
        if left < _AHEAD and mark not in self._renewing:
            # Nobody waits for it, and nobody takes the long way meanwhile.
            self._renewing[mark] = renewing = asyncio.create_task(self._renew(mark, known.name))
            renewing.add_done_callback(partial(self._is_renewed, mark))
        return known

    async def _renew(self, mark: bytes, name: tuple[str, str]) -> None:
        """Ask for a known caller's key again, before its time is over."""
        caller = await self._keys.renewed(name)
        if caller is None:
            self._let_through.pop(mark, None)
        else:
            self.last_use.note(caller.key_id)
            self._let(mark, caller, name)

    def _is_renewed(self, mark: bytes, ended: "asyncio.Task[None]") -> None:
        del self._renewing[mark]
        if not ended.cancelled():
            ended.exception()  # whoever comes when its time is over is told what is wrong

    def _let(self, mark: bytes, caller: Caller, name: tuple[str, str]) -> None:
        """Remember who was let through from everywhere."""
        if len(self._let_through) >= MOST:
            self._let_through.clear()
        if caller.networks is None:
            self._let_through[mark] = Known(caller, name, self._keys.until(name))
        else:
            self._let_through.pop(mark, None)

    def _mark(self, authorization: bytes) -> bytes:
        # No key stays in memory as it was sent.
        made = self._marked.copy()
        made.update(authorization)
        return made.digest()

    async def _by_key(self, key: str, request: Request) -> tuple[Caller, tuple[str, str]]:
        """Return who has a key, and by what name the store knows it."""
        read = _KEY.fullmatch(key)
        if read is None:
            raise ApiKeyInvalid
        # Asked for by its hash too: every wrong key costs one question, whose answer is nothing,
        # whether a key of this id is in use here, only known to the store, revoked, or not there.
        name = (read[2], self.digest(key))
        caller = await self._keys.get(name)
        if caller is None or self._has_ended(caller):
            raise ApiKeyInvalid
        if caller.networks is not None:
            origin = origin_of(request, self._proxies)
            if origin is None or not contains(caller.networks, origin):
                raise NetworkNotAllowed
        self.last_use.note(caller.key_id)
        return caller, name

    def _has_ended(self, caller: Caller) -> bool:
        """Say whether a key has ended since the store was asked."""
        return caller.expires_at is not None and caller.expires_at <= self._gateway.now()

    async def _by_token(self, claims: Claims) -> Caller:
        row = await self._clients.get(claims.client)
        if row is None:
            raise ClientUnknown
        return Caller(
            key_id=f"{TOKENS}{row['id'].hex}",
            client_id=row["id"],
            name=row["name"],
            mode=claims.mode,
            scopes=claims.scopes,
            **_options(row),
            expires_at=claims.expires_at,
        )

    async def _ask_key(self, key: tuple[str, str]) -> Caller | None:
        async with self._gateway.database.reading() as connection:
            row = await keys.find(connection, *key, self._gateway.now())
        if row is None:
            return None
        return Caller(
            key_id=row["id"],
            client_id=row["client_id"],
            name=row["name"],
            mode=row["mode"],
            scopes=frozenset(row["scopes"]),
            **_options(row),
            networks=networks_of(row["networks"]) if row["networks"] is not None else None,
            expires_at=row["expires_at"],
            label=row["label"],
        )

    async def _ask_client(self, name: str) -> RowMapping | None:
        async with self._gateway.database.reading() as connection:
            return await clients.named(connection, name)

    def may_send(self, caller: Caller, channel: Channel) -> None:
        """Raise where a caller may not send on a channel."""
        caller.may(f"{channel}:send")
        if caller.mode == Mode.TEAM and channel is Channel.LETTER:
            raise ChannelNotAllowed(_NO_TEAM_LETTERS)

    def carrier(self, caller: Caller, provider: str) -> str:
        """Return who carries a caller's messages to a provider: for a test key, its twin.

        Raises ChannelNotAllowed where a test key would reach a provider.
        """
        name = carry.carrier(self._gateway, provider, caller.mode)
        if name is None:
            raise ChannelNotAllowed(_NO_SIMULATOR)
        return name


def _options(row: RowMapping) -> dict[str, Any]:
    return {
        name: row[name] for name in ("unique_references", "idempotency", "rate", "daily_quotas")
    }
