"""Proxies in front of the gateway that are known, and from where a request came to the first of them."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from starlette.types import Scope

MAX_HOPS: Final = 20
"""Entries of the header that are looked at, from its end: more proxies than anybody has one behind the other."""

_HEADER: Final = b"x-forwarded-for"

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address


class TrustedProxies:
    """Believes `X-Forwarded-For` as far as each entry was written by one of these; anybody may send the rest of it."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Takes addresses and networks; none: the header is not read.

        Raises:
            ValueError: one is neither.
        """
        self._networks: list[Network] = [ip_network(network, strict=False) for network in networks]

    def seen(self, scope: Scope) -> Scope:
        """A request's scope, with the client that its proxies saw; as it is where it came by none that is known."""
        if not self._networks or scope["client"] is None:
            return scope
        peer = _address(scope["client"][0])
        found = peer
        for entry in reversed(_entries(scope)):
            if found is None or not self._is_ours(found):
                break
            told = _address(entry)
            if told is None:
                break
            found = told
        # The port was the proxy's.
        return scope if found == peer else {**scope, "client": (str(found), 0)}

    def _is_ours(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _entries(scope: Scope) -> list[str]:
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == _HEADER]
    return [entry.strip() for entry in ",".join(lines).rsplit(",", MAX_HOPS)[-MAX_HOPS:]]


def _address(text: str) -> Address | None:
    """An address, also with the port that some proxies add; None: it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
