"""Whether a request comes from this machine, by a browser on it."""

from typing import Final
from urllib.parse import urlsplit

from maillane_chassis import reach
from starlette.requests import Request

_FORWARDED: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""Proxies add them. One on this machine would make the whole world look as if it were here."""


def is_local(request: Request) -> bool:
    """The other end of the connection is here, the browser asked for this machine, and no proxy says it is in between.

    The name matters as well: a page elsewhere can have its own name lead to 127.0.0.1 (DNS rebinding).
    """
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    hosts = request.headers.getlist("host")
    return len(hosts) == 1 and _is_loopback(request.client.host) and _names_loopback(hosts[0])


def _names_loopback(netloc: str) -> bool:
    try:
        host = urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return False
    return _is_loopback(host)


def _is_loopback(host: str) -> bool:
    address = reach.literal(host)
    return address is not None and reach.is_loopback(address)
