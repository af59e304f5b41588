"""The public keys of an OpenID issuer: fetched, remembered, and asked for again with restraint."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import aiohttp
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.domain.errors import IssuerUnavailable

log = structlog.get_logger()

VerifyingKey = RSAKey | ECKey | OKPKey

# What a token may be signed with: the type and curve of its key (RFC 7518, 3.1; RFC 8037; RFC 9864).
# Never `none`, and nothing with a shared secret: a public key would then pass for one.
ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {
    "RS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
_KINDS: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}
_PUBLIC: Final = ("kty", "kid", "use", "alg", "n", "e", "crv", "x", "y")
_SHORTEST_RSA: Final = 342  # letters of a modulus of 2048 bits, in base 64
AGE: Final = 600.0  # seconds after which the keys are asked for again, beside all requests
EVERY: Final = 60.0  # seconds between two questions for a key that the issuer does not have
AFTER_FAULT: Final = 10.0  # seconds before the next question, where the issuer did not answer
_PATIENCE: Final = 5.0  # seconds for it to answer
_LARGEST: Final = 262_144  # bytes of an answer
_DISCOVERY: Final = "/.well-known/openid-configuration"


class _Useless(ValueError):
    """The issuer answered, and not with what was asked for."""


@dataclass(frozen=True, slots=True)
class _Known:
    kid: str | None
    algorithms: frozenset[str]
    key: VerifyingKey


class Issuer:
    """One issuer; `jwks_url` says where its keys are, or its discovery document does."""

    def __init__(self, name: str, jwks_url: str | None) -> None:
        self._name = name
        self._jwks_url = jwks_url
        self._keys: tuple[_Known, ...] = ()
        self._asked_at: float | None = None  # by the loop's time, as it ended
        self._has_answered = False  # the last time
        self._asking = asyncio.Lock()
        self._beside: asyncio.Task[None] | None = None

    async def key(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        """Return the key that verifies a signature, None where the issuer has none such.

        Raises IssuerUnavailable where it is not known here and cannot be asked for.
        """
        found = self._find(kid, algorithm)
        if found is not None:
            if self._is_due(AGE) and (self._beside is None or self._beside.done()):
                self._beside = asyncio.create_task(self._ask(AGE))
            return found
        await self._ask(EVERY)
        found = self._find(kid, algorithm)
        if found is None and not self._has_answered:
            raise IssuerUnavailable(retry_after=max(1, ceil(self._wait(EVERY))))
        return found

    def _find(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        """Return the one key of an id; without an id, the only one for an algorithm."""
        fitting = [
            one
            for one in self._keys
            if algorithm in one.algorithms and (kid is None or one.kid == kid)
        ]
        return fitting[0].key if len(fitting) == 1 else None

    def _wait(self, every: float) -> float:
        """Return in how many seconds the issuer may be asked again."""
        if self._asked_at is None:
            return 0.0
        pause = every if self._has_answered else AFTER_FAULT
        return self._asked_at + pause - asyncio.get_running_loop().time()

    def _is_due(self, every: float) -> bool:
        return self._wait(every) <= 0

    async def _ask(self, every: float) -> None:
        """Ask for the keys, once for all who wait for them."""
        async with self._asking:
            if not self._is_due(every):
                return
            try:
                async with asyncio.timeout(_PATIENCE):
                    self._keys = await self._fetched()
                self._has_answered = True
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError) as why:
                # The keys that are known go on counting.
                self._has_answered = False
                log.warning("issuer_unavailable", fault=type(why).__name__)
            finally:
                self._asked_at = asyncio.get_running_loop().time()

    async def _fetched(self) -> tuple[_Known, ...]:
        async with aiohttp.ClientSession() as session:
            url = self._jwks_url
            if url is None:
                url = self._where(await _json(session, self._name.rstrip("/") + _DISCOVERY))
            keys = (await _json(session, url)).get("keys")
        if not isinstance(keys, list):
            raise _Useless
        known = tuple(one for given in keys for one in _usable(given))
        if not known:
            raise _Useless
        return known

    def _where(self, discovered: Mapping[str, Any]) -> str:
        """Return where the keys are (OpenID Connect Discovery 1.0, 4.3)."""
        url = discovered.get("jwks_uri")
        if discovered.get("issuer") != self._name or not isinstance(url, str):
            raise _Useless
        if self._name.startswith("https://") and not url.startswith("https://"):
            raise _Useless
        return url


async def _json(session: aiohttp.ClientSession, url: str) -> Mapping[str, Any]:
    async with session.get(url, allow_redirects=False) as answer:
        if answer.status != 200:  # noqa: PLR2004 -- HTTP's own
            raise _Useless
        content = b""
        async for part in answer.content.iter_any():
            content += part
            if len(content) > _LARGEST:
                raise _Useless
    found = json.loads(content)
    if not isinstance(found, dict):
        raise _Useless
    return found


def _usable(given: object) -> Iterator[_Known]:
    """Yield a key of a JWK set (RFC 7517) if tokens may be signed with it."""
    if not isinstance(given, dict) or given.get("use", "sig") != "sig":
        return
    public = {name: given[name] for name in _PUBLIC if isinstance(given.get(name), str)}
    shape = (public.get("kty"), public.get("crv"))
    fitting = {name for name, of in ALGORITHMS.items() if of == shape}
    said = public.pop("alg", None)
    if said is not None:
        fitting &= {"EdDSA", "Ed25519"} if said in {"EdDSA", "Ed25519"} else {said}
    if not fitting or (public["kty"] == "RSA" and len(public.get("n", "")) < _SHORTEST_RSA):
        return
    try:
        key = _KINDS[public["kty"]].import_key(public)
    except (JoseError, ValueError, TypeError):
        return  # one that cannot be read spoils no other
    yield _Known(public.get("kid"), frozenset(fitting), key)
