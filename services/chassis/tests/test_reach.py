"""Which address a host is without a look-up, and whether it may be reached. (What is public: the sender's guard.)"""

from ipaddress import ip_address

import pytest
from maillane_chassis import reach

LITERALS = {
    "127.0.0.1": "127.0.0.1",
    "127.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "0x7f.0.0x1": "127.0.0.1",
    "127.0.0.1.": "127.0.0.1",
    "::1": "::1",
    "::ffff:10.0.0.1": "::ffff:10.0.0.1",
    "fe80::1%eth9": "fe80::1",
    "8.8.8.8": "8.8.8.8",
    "localhost": "127.0.0.1",
    "LocalHost.": "127.0.0.1",
    "mail.localhost": "127.0.0.1",
}


@pytest.mark.parametrize("host", LITERALS)
def test_a_host_that_is_an_address(host: str) -> None:
    """In every form that a resolver takes."""
    assert reach.literal(host) == ip_address(LITERALS[host])


@pytest.mark.parametrize(
    "host", ["smtp.example.com", "localhost.example.com", "127.0.0.1.example.com", "[::1]", "", "1.2.3.4.5"]
)
def test_a_host_that_is_a_name(host: str) -> None:
    """Nothing is looked up for it."""
    assert reach.literal(host) is None


@pytest.mark.parametrize(
    ("address", "permitted"),
    [("8.8.8.8", True), ("127.0.0.1", True), ("::ffff:10.1.1.1", True), ("169.254.169.254", False), ("0.0.0.0", False)],
)
def test_private_networks_are_opened_as_a_whole(address: str, permitted: bool) -> None:
    """But for metadata services, and what is no place to go to."""
    assert reach.permits(ip_address(address), reach.PRIVATE) is permitted
