"""Which addresses may be reached on behalf of a tenant, who must not get into the deployment's own network that way.

Pure. It is asked where a host is named, so that a person is told at once, and where a connection is made, which is what
counts: a name may lead anywhere, and elsewhere tomorrow.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LOOPBACK: Final[tuple[Network, ...]] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

PRIVATE: Final[tuple[Network, ...]] = (
    *LOOPBACK,
    *map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")),
)
"""Loopback, and what RFC 1918 and RFC 4193 keep for one's own networks. Not link-local, where metadata services are."""

# Cloud metadata services. Most lie in networks that are refused anyway, but not all (Azure's is a public address), and
# a setting that allows a whole network must not open them by the way.
_METADATA = frozenset(
    map(
        ip_address,
        ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
    )
)
# IPv6 networks whose addresses carry an IPv4 address that the packet ends up at, and where in the 128 bits it stands.
_CARRIERS: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped, RFC 4291 §2.5.5.2
    (IPv6Network("::/96"), 0),  # IPv4-compatible, RFC 4291 §2.5.5.1
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
)


def permits(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether an address may be reached: a public one, or one of the networks that are allowed beside these.

    A metadata address only where it is allowed by itself.
    """
    address = _destination(address)
    if address in _METADATA:
        return any(address in network and network.num_addresses == 1 for network in allowed)
    return _is_public(address) or any(address in network for network in allowed)


def is_loopback(address: Address) -> bool:
    """Whether a connection there stays on this machine."""
    return _destination(address).is_loopback


def literal(host: str) -> Address | None:
    """The address that a host is in itself, without a look-up; None for a name.

    In every form that resolvers take (`127.1`, `0x7f.1`, `2130706433`, `::ffff:127.0.0.1`); and `localhost` with what
    is below it, which are this machine by RFC 6761 §6.3.
    """
    host = host.partition("%")[0].rstrip(".")
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        # No name is looked up under this flag. It knows the old forms of IPv4, and ip_address does not.
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return ip_address(found[0][4][0])


def _destination(address: Address) -> Address:
    if isinstance(address, IPv6Address) and address not in LOOPBACK[1]:
        for network, shift in _CARRIERS:
            # Not `::` and its like: what carries no more than eight bits of IPv4 carries none.
            if address in network and (inner := (int(address) >> shift) & 0xFFFFFFFF) > 0xFF:
                return IPv4Address(inner)
    return address


def _is_public(address: Address) -> bool:
    # Each by itself, for `is_global` alone lets some of them through, and which ones has changed between Pythons.
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )
