"""Ports that nobody uses."""

import os
from pathlib import Path

import pytest
from maillane_local import ports
from maillane_local.ports import free_ports
from maillane_local.settings import LocalSettings
from maillane_local.system import STORES, _allot

FEW = range(31_000, 31_040)


def test_ports_are_found_in_this_process_share() -> None:
    """Another process that starts a system at the same time finds others, while there are any."""
    assert {port % 16 for port in free_ports(20)} == {os.getpid() % 16}


def test_a_systems_ports_all_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services' and stores', however few are free, with one store's port of last time, and one that is set."""
    monkeypatch.setattr(ports, "_SERVERS", FEW)
    last, wanted = free_ports(2)
    settings = LocalSettings.on_free_ports(tmp_path).model_copy(update={"gateway_port": wanted})
    for _ in range(50):
        services, stores = _allot(settings, {"valkey": last})
        used = [*(getattr(services, name) for name in settings.ports()), *stores.values()]

        assert (services.gateway, stores["valkey"]) == (wanted, last)
        assert len(set(used)) == len(used) == len(settings.ports()) + len(STORES)
