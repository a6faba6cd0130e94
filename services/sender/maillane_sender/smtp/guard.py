"""Which hosts and ports a mailbox may name: a tenant must not reach into the deployment's own network by SMTP."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SUBMISSION_PORTS = frozenset({25, 465, 587, 2525})
"""SMTP, submissions, submission, and the port that providers offer where 25 is blocked."""

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
"""What `make up` allows, for its mail catcher."""

MAX_ADDRESSES = 4
"""Addresses of one host that are tried. A host's further ones are reached by the next connection's resolving."""

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


class Refused(Exception):
    """The guard does not let this host or port be reached; the text says why."""


class Unresolvable(Exception):
    """The name has no address; the text says why."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Vets hosts and ports.

    `allowed` are networks that may be reached although they are not public; a metadata address only where it is listed
    by itself. `extra_ports` adds to the submission ports.
    """

    allowed: tuple[Network, ...] = ()
    extra_ports: frozenset[int] = frozenset()

    async def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of `host` that may be connected to, in the resolver's order: at least one.

        Connect to these, never to the name: a second look-up might answer otherwise.

        Raises:
            Refused: the port is not one for mail, or no address may be reached.
            Unresolvable: the name has no address.
        """
        if port not in SUBMISSION_PORTS | self.extra_ports:
            raise Refused(f"port {port} is not one for mail")
        addresses = await _look_up(host, port)
        vetted = [address for address in addresses if self.permits(address)]
        if not vetted:
            raise Refused(f"{host} is at an address that may not be reached ({addresses[0]})")
        return vetted[:MAX_ADDRESSES]

    def permits(self, address: Address) -> bool:
        """Whether this address may be reached."""
        address = _destination(address)
        if address in _METADATA:
            return any(address in network and network.num_addresses == 1 for network in self.allowed)
        return _is_public(address) or any(address in network for network in self.allowed)


def is_loopback(address: Address) -> bool:
    """Whether a connection there stays on this machine."""
    return _destination(address).is_loopback


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


async def _look_up(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise Unresolvable(f"{host}: {reason}") from error
    return list(dict.fromkeys(_plain(entry[4][0] for entry in found)))


def _plain(addresses: Iterable[str | int]) -> Iterable[Address]:
    for address in addresses:
        # A scope ("fe80::1%eth0") says by which interface, not where to.
        yield ip_address(str(address).partition("%")[0])
