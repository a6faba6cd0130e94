"""From where a request came, as proxies say that are known, and as nobody else does."""

import pytest
from maillane_gateway.http.proxies import MAX_HOPS, TrustedProxies
from pydantic import ValidationError

from .conftest import make_settings

PROXIES = TrustedProxies(["10.0.0.0/8", "127.0.0.1", "fd00::/8"])


def seen(client, *lines, proxies=PROXIES):
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    return proxies.seen({"client": (client, 4711), "headers": headers})["client"]


@pytest.mark.parametrize(
    ("client", "lines", "expected"),
    [
        # Nobody in between, or nobody that is known: whatever is said.
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        # Before the last that is not ours, anybody may have written anything.
        ("10.0.0.1", ["127.0.0.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7, 10.9.9.9"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.7", "10.9.9.9"], "192.0.2.7"),
        # All of it ours: the first of them.
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        # As some write it.
        ("10.0.0.1", ["192.0.2.7:50123"], "192.0.2.7"),
        ("fd00::1", ["[2001:db8::7]:50123"], "2001:db8::7"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", [", ".join(["192.0.2.7", *["10.0.0.2"] * (MAX_HOPS - 1)])], "192.0.2.7"),
    ],
)
def test_who_is_behind_known_proxies_is_who_they_say(client, lines, expected):
    """The last that no proxy of ours is."""
    assert seen(client, *lines)[0] == expected


def test_a_list_without_end_is_read_from_its_end():
    """Of so many, none is the client."""
    assert seen("10.0.0.1", ",".join(["192.0.2.7", *["10.0.0.2"] * 1000]))[0] == "10.0.0.2"


def test_without_known_proxies_the_header_is_not_read():
    """Which is how it comes."""
    assert seen("10.0.0.1", "192.0.2.7", proxies=TrustedProxies(make_settings().proxies)) == ("10.0.0.1", 4711)


def test_what_is_no_network_is_refused():
    """At the start."""
    assert make_settings(trusted_proxies="10.0.0.0/8, ::1").proxies == ["10.0.0.0/8", "::1"]
    with pytest.raises(ValidationError, match="must be addresses or networks"):
        make_settings(trusted_proxies="10.0.0.0/8, proxy.example.com")
