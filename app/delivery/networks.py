"""Networks and names that an operator's list allows, and what no list can."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Forbidden even where they are listed.
NEVER: Final = tuple(
    ip_network(one)
    for one in (
        "0.0.0.0/8",  # this host (RFC 1122, 3.2.1.3)
        "169.254.0.0/16",  # link-local: metadata of most clouds
        "100.100.100.200/32",  # metadata (Alibaba)
        "168.63.129.16/32",  # the host (Azure)
        "192.0.0.192/32",  # metadata (Oracle)
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/96",  # unspecified, and IPv4-compatible (RFC 4291, 2.5.5.1)
        "64:ff9b::/96",  # IPv4 translated (RFC 6052)
        "64:ff9b:1::/48",  # IPv4 translated, locally (RFC 8215)
        "2001::/32",  # Teredo: holds an IPv4 address
        "2002::/16",  # 6to4: holds an IPv4 address
        "fd00:ec2::/32",  # metadata and credentials (AWS)
        "fd20:ce::254/128",  # metadata (Google)
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated (RFC 3879)
        "ff00::/8",  # multicast
    )
)
PRIVATE: Final = tuple(
    ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
# Of special use (IANA's registries): no public address, and private only where it stands above.
_SPECIAL: Final = tuple(
    ip_network(one)
    for one in (
        *("100.64.0.0/10", "127.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("2001::/23", "2001:db8::/32", "3fff::/20"),
    )
)
_PUBLIC_V6: Final = ip_network("2000::/3")
LOOPBACK_V6: Final = ip_address("::1")

_LABEL: Final = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME: Final = re.compile(rf"\.?{_LABEL}(\.{_LABEL})*", re.ASCII | re.IGNORECASE)
# The last label of what a resolver may take for a number, whatever its base (WHATWG URL, 3.5).
_NUMBER: Final = re.compile(r"([0-9]+|0x[0-9a-f]*)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an operator's list allows."""

    public: bool = False
    networks: tuple[Network, ...] = ()
    names: tuple[str, ...] = ()  # hosts, and with a point before them all hosts below

    def has_name(self, host: str) -> bool:
        """Say whether a host is allowed by its name, wherever it is."""
        folded = host.casefold()
        return any(
            folded.endswith(name) if name.startswith(".") else folded == name for name in self.names
        )

    def has(self, address: Address) -> bool:
        """Say whether an address is allowed."""
        return (self.public and is_public(address)) or within(address, self.networks)


def read(text: str) -> Allowed:
    """Return what a list allows; raises ValueError with the place of what cannot be read."""
    public, networks, names = False, list[Network](), list[str]()
    for place, one in enumerate(text.split(","), 1):
        entry = one.strip()
        if not entry:
            continue
        if entry == "public":
            public = True
        elif entry == "private":
            networks += PRIVATE
        elif _NAME.fullmatch(entry) and not _NUMBER.fullmatch(entry.rpartition(".")[2]):
            names.append(entry.casefold())
        else:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                message = (
                    f"entry {place} is no network as 10.1.0.0/16, no host name, and neither public"
                    " nor private"
                )
                raise ValueError(message) from None
    return Allowed(public, tuple(networks), tuple(names))


def is_public(address: Address) -> bool:
    """Say whether an address is one host's of the public Internet."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return False
    return not within(address, (*NEVER, *PRIVATE, *_SPECIAL))


def is_usual(host: str) -> bool:
    """Say whether a host is a name, or an address in its usual form, and nothing in between."""
    if literal(host) is not None:
        return "%" not in host
    is_number = _NUMBER.fullmatch(host.rpartition(".")[2])
    return not host.startswith(".") and not is_number and _NAME.fullmatch(host) is not None


def literal(host: str) -> Address | None:
    """Return the address that a host is written as, in its one usual form; None of a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """Return the IPv4 address that is written as an IPv6 one (RFC 4291, 2.5.5.2), or the same."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def within(address: Address, networks: Sequence[Network]) -> bool:
    """Say whether an address is in one of some networks."""
    return any(address in one for one in networks if one.version == address.version)
