"""What webhooks need, built from the settings."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from yarl import URL

from app.delivery import guard, networks
from app.delivery.guard import Guard
from app.delivery.post import Poster, Webhooks
from app.delivery.seal import Seal
from app.delivery.webhook_settings import WebhookSettings

_OF_LEASE: Final = 2 / 3
_SEAL: Final = "multicanal webhook secrets"


def build(  # noqa: PLR0913 -- each has its name
    settings: WebhookSettings,
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
    timeout = min(settings.webhook_timeout, lease * _OF_LEASE)
    built = Guard(
        allowed=networks.read(settings.webhook_networks),
        http=settings.webhook_http == "allowed"
        or (settings.webhook_http is None and not production),
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
