"""Ports that nobody uses."""

import os

from maillane_local.ports import free_ports


def test_ports_are_found_in_this_process_share() -> None:
    """Another process that starts a system at the same time finds others, while there are any."""
    assert {port % 16 for port in free_ports(20)} == {os.getpid() % 16}
