"""Guard what we call for clients: only where the operator allows it, never where it harms us.

The names of a URL prove nothing: a name may resolve to another address each time it is asked. So
the addresses themselves are judged, at the moment of the connection, and the connection is made to
an address that was judged. What cannot be allowed is in no operator's hand: addresses from which
machines of a cloud read their credentials, and our own listeners.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import Final

from yarl import URL

from app.delivery.networks import (
    LOOPBACK_V6,
    NEVER,
    Address,
    Allowed,
    is_usual,
    literal,
    plain,
    within,
)

LONGEST_URL: Final = 2000
RESOLVERS: Final = 256  # names looked up at once: as many as calls, or slow ones held others up
PATIENCE: Final = 5.0  # seconds for a name, at registration

_NO_URL: Final = (
    f"Give a whole URL such as https://crm.example.com/hook, percent-encoded, of {LONGEST_URL:,}"
    " characters at most."
)
_WRITTEN: Final = re.compile(r"[!$&-;=?-Z\[\]_a-z~%#@]+", re.ASCII)


class AddressRefused(OSError):
    """An address that we do not call; `why` is one of a few words, and names no address."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Judges URLs and addresses; `own_ports` are those that we listen on, on this machine."""

    allowed: Allowed
    http: bool = False  # whether plain HTTP is allowed
    own_ports: frozenset[int] = frozenset()
    own_public: tuple[str, int] | None = None  # host and port of our public address
    look_up: Callable[[str, int], Sequence[str]] = _look_up
    _lookups: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(RESOLVERS, "resolve")
    )

    def wrong_url(self, text: str) -> tuple[str, str] | None:
        """Return what is wrong with a URL, whatever it resolves to: a code, and a remedy."""
        try:
            url = URL(text, encoded=True)
            host, port = url.raw_host, url.port
        except ValueError:
            return "url_invalid", "This is no URL; check its spelling."
        if len(text) > LONGEST_URL or not _WRITTEN.fullmatch(text) or not host or not port:
            return "url_invalid", _NO_URL
        if url.scheme != "https" and (url.scheme != "http" or not self.http):
            return "scheme_not_allowed", "Give a URL that begins with https://."
        if "@" in url.raw_authority or "#" in text:
            return "url_invalid", "A URL here has neither user nor password nor fragment (#...)."
        if not is_usual(host):
            return (
                "host_invalid",
                "Write the host as a name, or as an IP address in its usual form.",
            )
        address = literal(host)
        spelled = host.casefold() if address is None else str(plain(address))
        if self.own_public == (spelled, port):
            return "address_refused", "This is the gateway itself."
        return None

    async def wrong_address(self, text: str, seconds: float) -> str | None:
        """Return why nothing may be sent to a URL's host as it resolves now, in a word."""
        url = URL(text, encoded=True)
        try:
            async with asyncio.timeout(seconds):
                await self.resolve(url.raw_host or "", url.port or 0)
        except AddressRefused as fault:
            return fault.why
        except (OSError, TimeoutError, ValueError):
            return "host_unknown"
        return None

    async def resolve(self, host: str, port: int) -> Sequence[tuple[Address, int]]:
        """Return the addresses of a host, each with the family of its socket, all of them judged.

        Raises AddressRefused where one of them is not allowed, OSError where there is none.
        """
        known = literal(host)
        if known is not None:
            found = [known]
        else:
            loop = asyncio.get_running_loop()
            asked = await loop.run_in_executor(self._lookups, self.look_up, host, port)
            found = [ip_address(one) for one in asked]
        judged = [plain(one) for one in found]
        by_name = known is None and self.allowed.has_name(host)
        for address in judged:
            self.judge(address, port, by_name=by_name)
        return [
            (one, socket.AF_INET if isinstance(one, IPv4Address) else socket.AF_INET6)
            for one in judged
        ]

    def judge(self, address: Address, port: int, *, by_name: bool = False) -> None:
        """Raise AddressRefused where nothing may be sent; `by_name`: the host's name is allowed."""
        address = plain(address)
        if address != LOOPBACK_V6 and within(address, NEVER):
            raise AddressRefused("address_forbidden")
        if port in self.own_ports and is_ours(address):
            raise AddressRefused("own_address")
        if not by_name and not self.allowed.has(address):
            raise AddressRefused("address_not_allowed")

    def close(self) -> None:
        """Look up nothing more."""
        self._lookups.shutdown(wait=False, cancel_futures=True)


def is_ours(address: Address) -> bool:
    """Say whether an address is this machine's: nobody can listen on another's."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
