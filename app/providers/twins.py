"""The simulated twins of the providers: where they are, and what they are told.

A twin is called with words that are nobody's credentials, at the address of its simulator alone:
what its WSDL says about the service's address is not followed.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from pydantic import Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

from app.providers.efidem import statuses
from app.providers.efidem.settings import EfidemSettings
from app.providers.fax123.settings import Fax123Settings

CONCURRENCY: Final = 8  # calls at once of each twin: apart from its provider's
_ACCOUNT: Final = "simulated"
_SERVICE: Final = "/soap"  # where the simulator's service is, beside its WSDL


class TwinSettings(BaseSettings):
    """Where the simulators are that test keys send to."""

    model_config = SettingsConfigDict(
        env_prefix="MULTICANAL_TEST_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    efidem_wsdl: HttpUrl | None = Field(
        None, description="Address of the WSDL of Efidem's simulator, for test keys"
    )
    fax123_url: HttpUrl | None = Field(
        None, description="Address of the call of 123-fax's simulator, for test keys"
    )
    public_url: HttpUrl | None = Field(
        None,
        description="Address at which the simulators reach our document server and callback",
    )

    @property
    def url(self) -> str:
        """The address at which simulators reach us; empty: as providers do."""
        return str(self.public_url).rstrip("/") if self.public_url else ""

    def efidem(self, live: EfidemSettings) -> EfidemSettings | None:
        """Return what Efidem's twin is told: of the live settings, its patience alone."""
        if self.efidem_wsdl is None:
            return None
        wsdl = URL(str(self.efidem_wsdl))
        # Without validation: that would read the live account from the environment.
        return EfidemSettings.model_construct(
            wsdl=str(wsdl),
            username=_ACCOUNT,
            password=SecretStr(_ACCOUNT),
            app_id=_ACCOUNT,
            address=HttpUrl(str(wsdl.with_path(_SERVICE))),
            bindings=statuses.SIMULATOR,
            timeout=live.timeout,
            concurrency=CONCURRENCY,
        )

    def fax123(self, live: Fax123Settings) -> Fax123Settings | None:
        """Return what 123-fax's twin is told: of the live settings, its patience alone."""
        if self.fax123_url is None:
            return None
        return Fax123Settings.model_construct(
            url=self.fax123_url,
            email=f"{_ACCOUNT}@example.com",
            password=SecretStr(_ACCOUNT),
            timeout=live.timeout,
            concurrency=CONCURRENCY,
        )


def callback_secret(live: SecretStr) -> str:
    """Return the secret in the address that a simulator acknowledges to: it tells not the live one.

    So nothing that is told to a simulator acknowledges a live fax.
    """
    derived = hmac.new(live.get_secret_value().encode(), b"simulated twins", hashlib.sha256)
    return derived.hexdigest()


def callback_path(live: SecretStr) -> str:
    """Return where, below our address, a simulator acknowledges faxes."""
    return f"/hooks/123fax-test/{callback_secret(live)}"


def clashes(twins: TwinSettings, efidem: EfidemSettings, fax123: Fax123Settings) -> list[str]:
    """Return a line for each twin that stands where a provider does: it must not reach one."""
    taken = _hosts((efidem.wsdl, efidem.address, fax123.url))
    return [
        f"MULTICANAL_TEST_{name.upper()}: a provider is called at this host and port; name those of"
        " a simulator"
        for name in ("efidem_wsdl", "fax123_url")
        if _hosts((getattr(twins, name),)) & taken
    ]


def _hosts(addresses: Iterable[object]) -> set[tuple[str, int | None]]:
    """Return the hosts and ports of addresses; a file has none."""
    found = (URL(str(one)) for one in addresses if one is not None)
    return {(one.host.rstrip("."), one.port) for one in found if one.host}
