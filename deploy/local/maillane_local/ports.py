"""TCP ports on this machine."""

import socket

LOOPBACK = "127.0.0.1"
"""The only address that anything here listens on."""


def free_port() -> int:
    """A port that nobody uses now. Another process may take it before its new owner does: starting may still fail."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on it now; connections of earlier ones that still linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
