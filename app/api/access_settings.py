"""From where and by whose word callers are known."""

from typing import Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.api.claims import Rules
from app.api.origin import Network, networks_of

_PREFIX: Final = "MULTICANAL_"
_URL: Final = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"
_CLAIM: Final = r"[^\s,]{1,100}"


class AccessSettings(BaseSettings):
    """Proxies, and an issuer of tokens."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of the reverse proxies, and of nobody else: whoever"
        " calls from there is believed in X-Forwarded-For; such as 10.0.0.7, comma-separated",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=_URL,
        description="OpenID issuer whose tokens are taken in place of keys, as its tokens name it",
    )
    oidc_audience: str | None = Field(
        None, description="What the tokens' claim aud must hold; needed with an issuer"
    )
    oidc_jwks_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#@\s]+(/[^#\s]*)?$",
        description="Where the issuer's public keys are, if not where its discovery document says",
    )
    oidc_client_claim: str = Field(
        "azp,client_id",
        pattern=rf"^{_CLAIM}(,{_CLAIM})*$",
        description="Claims that name the client, comma-separated: the first that a token has",
    )
    oidc_scope_claim: str = Field(
        "scope", pattern=rf"^{_CLAIM}$", description="Claim that holds the scopes"
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            networks_of(one for one in value.split(",") if one.strip())
        except ValueError:
            message = "write addresses or networks such as 10.0.7.0/24, without host bits, comma-separated"
            raise ValueError(message) from None
        return value

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of our proxies."""
        return networks_of(one for one in self.trusted_proxies.split(",") if one.strip())

    def rules(self) -> Rules | None:
        """Return what a token must say, None where no issuer is trusted."""
        if self.oidc_issuer is None or self.oidc_audience is None:
            return None
        return Rules(
            issuer=self.oidc_issuer,
            jwks_url=self.oidc_jwks_url,
            audience=self.oidc_audience,
            client_claims=self.oidc_client_claim.split(","),
            scope_claim=self.oidc_scope_claim,
        )

    def wrong(self, *, production: bool) -> list[str]:
        """Return a line for each setting that does not go with the others."""
        lines = []
        if self.oidc_issuer is not None and self.oidc_audience is None:
            # A token that the issuer made for any other service would be taken.
            lines.append(f"{_PREFIX}OIDC_AUDIENCE: {_PREFIX}OIDC_ISSUER needs one")
        lines += [
            f"{_PREFIX}{name.upper()}: production trusts keys over https only"
            for name in ("oidc_issuer", "oidc_jwks_url")
            if production and (getattr(self, name) or "").startswith("http://")
        ]
        return lines
