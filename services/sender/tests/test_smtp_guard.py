"""Which hosts and ports may be reached."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from maillane_chassis.reach import LOOPBACK, is_loopback
from maillane_sender.smtp.guard import Guard, Refused, Unresolvable

PUBLIC = ["8.8.8.8", "142.250.1.108", "2607:f8b0:4004:c1b::6c", "::ffff:8.8.8.8", "64:ff9b::808:808"]
FORBIDDEN = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    """The public internet may be reached."""
    assert Guard().permits(ip_address(address))


@pytest.mark.parametrize("address", FORBIDDEN)
def test_other_addresses(address: str) -> None:
    """What is not public may not be reached, in whatever clothes it comes."""
    assert not Guard().permits(ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_allowed_networks(address: str) -> None:
    """A setting opens a network."""
    assert Guard(allowed=LOOPBACK).permits(ip_address(address))
    assert is_loopback(ip_address(address))


@pytest.mark.parametrize("network", ["0.0.0.0/0", "169.254.0.0/16"])
def test_metadata_is_not_opened_by_the_way(network: str) -> None:
    """Allowing a network does not allow the metadata service in it."""
    assert not Guard(allowed=(ip_network(network),)).permits(ip_address("169.254.169.254"))


def test_metadata_by_itself() -> None:
    """It can be allowed by name, so to speak."""
    assert Guard(allowed=(ip_network("169.254.169.254/32"),)).permits(ip_address("169.254.169.254"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1"])
async def test_names_of_this_machine(host: str) -> None:
    """It is the address that counts, not how it was written."""
    with pytest.raises(Refused, match="may not be reached"):
        await Guard().resolve(host, 587)


async def test_an_allowed_host() -> None:
    """The addresses to connect to come back."""
    assert ip_address("127.0.0.1") in await Guard(allowed=LOOPBACK).resolve("localhost", 587)


@pytest.mark.parametrize("port", [22, 80, 6379, 5432, 0, 70000])
async def test_ports(port: int) -> None:
    """Only ports for mail may be reached."""
    with pytest.raises(Refused, match="not one for mail"):
        await Guard(allowed=LOOPBACK).resolve("127.0.0.1", port)


async def test_extra_ports() -> None:
    """A setting adds ports."""
    assert await Guard(allowed=LOOPBACK, extra_ports=frozenset({1025})).resolve("127.0.0.1", 1025)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".example", "..", ""])
async def test_no_host(host: str) -> None:
    """What has no address says so, and nothing else happens."""
    with pytest.raises((Unresolvable, Refused)):
        await Guard().resolve(host, 587)
