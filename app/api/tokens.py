"""Bearer tokens of a configured OpenID issuer (RFC 7519, RFC 9068), in place of keys."""

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from app.api.claims import Claims, Rules
from app.api.fields import FORBIDDEN
from app.api.issuer import ALGORITHMS, Issuer
from app.domain.errors import TokenInvalid
from app.domain.message import Mode

LEEWAY: Final = 30  # seconds by which the issuer's clock may differ from ours
MODE_CLAIM: Final = "multicanal_mode"
_LONGEST: Final = 16_384  # characters of a token
_LONGEST_HEADER: Final = 2_048
_LONGEST_NAME: Final = 200  # of a client
# RFC 9068, 2.1; many issuers still say JWT, or nothing. What is meant for other uses says so.
_TYPES: Final = ("at+jwt", "application/at+jwt", "jwt", "")


class Tokens:
    """Reads tokens. Where a token says its key is (jku, x5u, jwk) is never looked at."""

    def __init__(self, rules: Rules, issuer: Issuer, now: Callable[[], datetime]) -> None:
        self._rules = rules
        self._issuer = issuer
        self._signatures = _registry()
        self._claims = JWTClaimsRegistry(
            now=lambda: int(now().timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": rules.issuer},
            aud={"essential": True, "value": rules.audience},
            exp={"essential": True},
        )

    async def read(self, token: str) -> Claims:
        """Return what a token says; raises TokenInvalid or IssuerUnavailable."""
        header = _header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise TokenInvalid(f"A token is signed with {', '.join(ALGORITHMS)}, and nothing else.")
        kind = header.get("typ", "")
        if not isinstance(kind, str) or kind.casefold() not in _TYPES or "crit" in header:
            raise TokenInvalid("The token is not an access token; ask the issuer for one.")
        if kid is not None and not isinstance(kid, str):
            raise TokenInvalid
        key = await self._issuer.key(kid, algorithm)
        if key is None:
            raise TokenInvalid("The token is not signed with a key of the issuer.")
        try:
            found = jwt.decode(token, key, registry=self._signatures).claims
        except (JoseError, ValueError, RecursionError):
            raise TokenInvalid("The token is not signed with a key of the issuer.") from None
        return self._read(found)

    def _read(self, claims: Mapping[str, Any]) -> Claims:
        try:
            self._claims.validate(dict(claims))
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        except ExpiredTokenError:
            raise TokenInvalid("The token has expired; ask the issuer for a new one.") from None
        except ClaimError as fault:
            detail = f"The token's claim {fault.claim} is missing, or not what it must be here."
            raise TokenInvalid(detail) from None
        except (ValueError, OverflowError, OSError):
            raise TokenInvalid("The token's claim exp is no time.") from None
        mode = claims.get(MODE_CLAIM, Mode.LIVE.value)
        if mode not in [one.value for one in Mode]:
            raise TokenInvalid(f"The token's claim {MODE_CLAIM} is live, team or test.")
        return Claims(
            client=self._client(claims),
            mode=Mode(mode),
            scopes=_scopes(claims.get(self._rules.scope_claim, "")),
            expires_at=expires_at,
        )

    def _client(self, claims: Mapping[str, Any]) -> str:
        """Return the client's name, from the first claim that says any."""
        names = self._rules.client_claims
        given = next((claims[name] for name in names if claims.get(name) is not None), None)
        if (
            not isinstance(given, str)
            or not 0 < len(given) <= _LONGEST_NAME
            or FORBIDDEN.search(given)
        ):
            raise TokenInvalid(f"The token names no client: it has no claim {' or '.join(names)}.")
        return given


def _header(token: str) -> Mapping[str, Any]:
    head, *rest = token.split(".")
    if len(token) > _LONGEST or len(head) > _LONGEST_HEADER or len(rest) != 2:  # noqa: PLR2004
        raise TokenInvalid("Send a key as gw_..., or a signed token of three parts.")
    try:
        found = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise TokenInvalid from None
    if not isinstance(found, dict):
        raise TokenInvalid
    return found


def _scopes(given: object) -> frozenset[str]:
    """Return scopes from a text with blanks between them (RFC 8693, 4.2), or from a list."""
    listed = given.split() if isinstance(given, str) else given
    if not isinstance(listed, list):
        raise TokenInvalid("The token's scopes are neither a text nor a list.")
    return frozenset(one for one in listed if isinstance(one, str))


def _registry() -> JWSRegistry:
    """Return what checks signatures, by our algorithms alone."""
    made = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    made.max_header_length = _LONGEST_HEADER
    # RFC 9864 gives it a better name; issuers go on using the old one, and each would be a warning.
    known = copy(made.algorithms["EdDSA"])
    known.security_warning = None
    made.algorithms = {**made.algorithms, "EdDSA": known}
    return made
