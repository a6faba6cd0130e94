"""TCP ports on this machine."""

import os
import random
import socket
from contextlib import ExitStack, suppress
from typing import Final

import psutil

LOOPBACK = "127.0.0.1"
"""The only address that anything here listens on."""

_SERVERS: Final = range(12_000, 32_000)
"""Below what systems give to outgoing connections (Linux: from 32,768 on)."""

_SHARES: Final = 16
"""Processes with other numbers look at other ports first: between finding one and listening on it go seconds, in which
another that starts a system as well would find it free, too."""

# Not from a seed: whoever starts at the same time must not try the same ports.
_CHANCE: Final = random.SystemRandom()


def free_port() -> int:
    """A port that nobody uses now. Another process may take it before its new owner does: starting may still fail."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Several different ports that nobody uses now, and that no outgoing connection takes while their owner is down.

    Raises:
        OSError: there are not so many.
    """
    found: list[int] = []
    share = _SERVERS[os.getpid() % _SHARES :: _SHARES]
    with ExitStack() as stack:
        # All held until the last is found: one that was let go may come again.
        for port in (*_CHANCE.sample(share, len(share)), *_CHANCE.sample(_SERVERS, len(_SERVERS))):
            probe = stack.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind((LOOPBACK, port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"there are no {count} free ports from {_SERVERS.start} on")


def is_listening(pid: int, port: int) -> bool:
    """Whether that process (not just any) has a listening socket there."""
    try:
        sockets = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.NoSuchProcess:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in sockets)


def is_free(port: int) -> bool:
    """Whether a server could listen on it now; connections of earlier ones that still linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
