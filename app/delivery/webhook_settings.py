"""Where webhooks may go, and how long one try takes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

from app.delivery import guard, networks
from app.delivery.guard import Guard
from app.delivery.post import Poster, Webhooks
from app.delivery.seal import Seal

_OF_LEASE: Final = 2 / 3
_SEAL: Final = "multicanal webhook secrets"


class WebhookSettings(BaseSettings):
    """Where webhooks may go."""

    model_config = SettingsConfigDict(
        env_prefix="MULTICANAL_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    webhook_networks: str = Field(
        "public",
        description="Where webhooks may go, comma-separated: networks such as 10.1.0.0/16, hosts"
        " such as crm.example.com, all below .example.com, private, public; metadata addresses and"
        " the gateway itself never",
    )
    webhook_http: Literal["allowed", "refused"] | None = Field(
        None, description="Whether webhooks may go over plain HTTP; refused in production"
    )
    webhook_timeout: Annotated[float, Field(ge=0.1, le=60)] = Field(
        15.0, description="Seconds for one try of a webhook; two thirds of a worker's lease at most"
    )

    @field_validator("webhook_networks")
    @classmethod
    def _readable(cls, value: str) -> str:
        networks.read(value)
        return value

    def build(
        self,
        secret: bytes,
        *,
        port: int,
        public_url: str,
        production: bool,
        lease: float,
        random_bytes: Callable[[int], bytes],
    ) -> Webhooks:
        """Return what webhooks need; `secret` seals, `port` is the one that we listen on.

        A try is over before its claim is another's: `lease` is for how many seconds it is ours.
        """
        public = URL(public_url)
        host, public_port = (public.raw_host or "").casefold(), public.port or port
        address = networks.literal(host)
        if address is not None:
            host = str(networks.plain(address))
        # Through a proxy, our public address is none of this machine's: its name is ours alone.
        direct = host == "localhost" or (address is not None and guard.is_ours(address))
        timeout = min(self.webhook_timeout, lease * _OF_LEASE)
        built = Guard(
            allowed=networks.read(self.webhook_networks),
            http=self.webhook_http == "allowed" or (self.webhook_http is None and not production),
            own_ports=frozenset({port, public_port} if direct else {port}),
            own_public=(host, public_port),
        )
        return Webhooks(
            guard=built,
            seal=Seal(secret, _SEAL, random_bytes),
            poster=Poster(built, timeout=timeout),
            timeout=timedelta(seconds=timeout),
            random_bytes=random_bytes,
        )
