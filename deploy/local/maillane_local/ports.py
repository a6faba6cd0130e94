"""TCP ports on this machine."""

import socket
from contextlib import ExitStack

import psutil

LOOPBACK = "127.0.0.1"
"""The only address that anything here listens on."""


def free_port() -> int:
    """A port that nobody uses now. Another process may take it before its new owner does: starting may still fail."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Several different ports that nobody uses now."""
    with ExitStack() as stack:
        # All held until the last is found: one that was let go may come again.
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


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
