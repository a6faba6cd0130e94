"""How often one address may try to sign in."""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

BURST: Final = 60
"""At once; a sign-in takes two. Behind a proxy the whole company is one address."""

PER_S: Final = 1.0
"""After that."""

MAX_PEERS: Final = 10_000
"""Kept in memory, some 100 bytes each; who has not come for longest makes room, with a full allowance again."""

_V6_PREFIX: Final = 64
"""One customer has at least so much of IPv6."""


class Tries:
    """An allowance for each address that refills with time."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        """Takes a clock."""
        self._monotonic_s = monotonic_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, host: str) -> int:
        """Takes one try of an address. Returns 0, or in how many seconds there is one again."""
        peer, now = _peer(host), self._monotonic_s()
        left, since = self._left.pop(peer, (float(BURST), now))
        left = min(BURST, left + (now - since) * PER_S)
        allowed = left >= 1
        self._left[peer] = (left - 1 if allowed else left, now)
        if len(self._left) > MAX_PEERS:
            self._left.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - left) / PER_S))


def _peer(host: str) -> str:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""  # no address: all of them are one
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, _V6_PREFIX), strict=False))
    return str(address)
