"""An OpenID issuer on a port of its own: discovery, keys, and tokens signed with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from app.processes import listen, port_of

AUDIENCE = "multicanal"
Key = RSAKey | ECKey | OKPKey
SIGNING = JWSRegistry(
    algorithms=["RS256", "RS512", "PS256", "ES256", "ES384", "Ed25519", "HS256"],
    strict_check_header=False,
)
DISCOVERY = "/.well-known/openid-configuration"


def rsa(kid: str, size: int = 2048) -> RSAKey:
    """Make a key: another one each time."""
    return RSAKey.generate_key(size, {"kid": kid, "use": "sig"})


@cache
def usual() -> RSAKey:
    """The key that an issuer has at first: made once, for it takes long."""
    return rsa("first")


@dataclass(slots=True)
class Issuer:
    url: str
    keys: list[Key] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)  # in its set of keys
    discovery: dict[str, Any] = field(default_factory=dict)  # besides the usual
    is_away: bool = False
    delay: float = 0.0
    asked: list[str] = field(default_factory=list)

    def published(self) -> dict[str, Any]:
        return {"keys": [*self.extra, *(one.as_dict(private=False) for one in self.keys)]}

    def claims(self, client: str, **changes: Any) -> dict[str, Any]:
        now = int(datetime.now(UTC).timestamp())
        every = {
            "iss": self.url,
            "aud": AUDIENCE,
            "azp": client,
            "scope": "openid sms:send messages:read",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            **changes,
        }
        return {name: value for name, value in every.items() if value is not None}

    def token(
        self,
        client: str,
        *,
        key: Key | None = None,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        signs = key if key is not None else self.keys[0]
        alg = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[signs.key_type]
        head = {"alg": alg, "kid": signs.kid, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(head, self.claims(client, **changes), signs, registry=SIGNING)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        await asyncio.sleep(self.delay)
        if self.is_away:
            return web.Response(status=502)
        if request.path == DISCOVERY:
            said = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
            return web.json_response({**said, **self.discovery})
        if request.path == "/elsewhere":
            raise web.HTTPFound(f"{self.url}/keys")
        return web.json_response(self.published())


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    listening = listen("127.0.0.1", 0)
    issuer = Issuer(f"http://127.0.0.1:{port_of(listening)}", [usual()])
    application = web.Application()
    application.router.add_get("/{path:.*}", issuer.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield issuer
    finally:
        await runner.cleanup()
