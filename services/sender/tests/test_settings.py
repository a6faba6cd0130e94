"""What the environment says."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from maillane_sender.dispatch.letters import base36
from maillane_sender.settings import Settings
from pydantic import ValidationError


def settings(**values: Any) -> Settings:
    return Settings.model_validate({"service_key": "k" * 32, **values})


def test_a_name_made_of_host_and_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same after a restart, holds only what the contract allows, and is not too long."""
    monkeypatch.setattr("socket.gethostname", lambda: "höst_" * 20)

    assert settings(sender_port=50053).name("abc") == ("h-st_" * 20)[:58] + "-50053"


def test_a_name_where_the_system_chooses_the_port() -> None:
    """A part of the incarnation stands for the port."""
    assert settings(sender_port=0).name("0123456789abcdef").endswith("-01234567")


def test_a_name_that_is_set() -> None:
    """Nothing is added to it."""
    assert settings(sender_id="egress-1").name("abc") == "egress-1"


@pytest.mark.parametrize("value", [{"sender_id": "a b"}, {"smtp_ports": "25,x"}, {"sender_concurrency": 0}])
def test_bad_settings(value: dict[str, Any]) -> None:
    """What cannot be is refused at the start."""
    with pytest.raises(ValidationError):
        settings(**value)


@pytest.mark.parametrize(
    ("address", "permitted"),
    [("127.0.0.1", True), ("10.1.2.3", True), ("fd12::1", True), ("169.254.169.254", False), ("169.254.1.1", False)],
)
def test_private_networks(address: str, permitted: bool) -> None:
    """They are open by the setting, those of metadata services are not."""
    assert settings(smtp_allow_private=True).guard.permits(ip_address(address)) is permitted
    assert not settings().guard.permits(ip_address(address))


def test_ports() -> None:
    """Ports are added to those of mail."""
    assert settings(smtp_ports="1025, 26").guard.extra_ports == {1025, 26}


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (35, "z"), (36, "10"), (2**63 - 1, "1y2p0ij32e8e7")])
def test_base36(number: int, text: str) -> None:
    """Ids are short in a Message-ID."""
    assert (base36(number), int(text, 36)) == (text, number)
