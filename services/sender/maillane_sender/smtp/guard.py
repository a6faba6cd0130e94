"""Which hosts and ports a mailbox may name: a tenant must not reach into the deployment's own network by SMTP."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from maillane_chassis import reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maillane_chassis.reach import Address, Network

SUBMISSION_PORTS = frozenset({25, 465, 587, 2525})
"""SMTP, submissions, submission, and the port that providers offer where 25 is blocked."""

MAX_ADDRESSES = 4
"""Addresses of one host that are tried. A host's further ones are reached by the next connection's resolving."""


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
        return reach.permits(address, self.allowed)


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
