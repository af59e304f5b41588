"""Where a request comes from: the connection's peer, or whom a trusted proxy names."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.requests import Request

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FORWARDED: Final = "x-forwarded-for"


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks by their CIDR; raises ValueError where a text is none.

    An IPv4 network is written as one: as an IPv6 network it would hold no address that is looked for.
    """
    found = tuple(ip_network(text.strip()) for text in texts)
    if any(_mapped(one.network_address) for one in found):
        message = "an IPv4 network is written as IPv6"
        raise ValueError(message)
    return found


def contains(among: Iterable[Network], address: Address) -> bool:
    """Say whether an address is in one of the networks."""
    return any(address in network for network in among)


def origin_of(request: Request, proxies: Sequence[Network]) -> Address | None:
    """Return the address that a request comes from, None where nobody can say.

    X-Forwarded-For is believed as far as our own proxies wrote it: from its end to the first
    address that is none of theirs. What stands before that, the caller may have made up.
    """
    at = _read(request.client.host) if request.client is not None else None
    if at is None or not contains(proxies, at):
        return at
    written = ",".join(request.headers.getlist(_FORWARDED)).split(",")
    for text in reversed([one.strip() for one in written if one.strip()]):
        at = _read(text)
        if at is None or not contains(proxies, at):
            return at
    return at


def _read(text: str) -> Address | None:
    """Return an address that may come with a port; an IPv4 in an IPv6 is an IPv4."""
    bare = text
    if text.startswith("["):
        bare = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        bare = text.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    return _mapped(found) or found


def _mapped(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that is written as an IPv6 one (RFC 4291, 2.5.5.2)."""
    return address.ipv4_mapped if isinstance(address, IPv6Address) else None
