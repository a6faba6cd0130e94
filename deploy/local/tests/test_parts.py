"""What each part is told."""

import pytest
from maillane_local.data_folder import Secrets
from maillane_local.parts import Ports, Stores, parts, scheduler_env

PORTS = Ports(*range(20001, 20011))


@pytest.mark.parametrize(("asked", "told"), [("", "20005"), ("1025,2526", "1025,2526,20005")])
def test_the_catchers_port_is_beside_those_that_were_asked_for(monkeypatch, asked: str, told: str):
    """For the scheduler, which refuses a mailbox of another port, as for the sender."""
    monkeypatch.setenv("MAILLANE_SMTP_PORTS", asked)
    stores, secrets = Stores("postgresql://", "redis://"), Secrets("key", "secret", "password", "password")

    of_scheduler = scheduler_env(stores, secrets, PORTS, {})
    of_sender = parts(stores, secrets, PORTS, {})["sender"].env

    assert [env["MAILLANE_SMTP_PORTS"] for env in (of_scheduler, of_sender)] == [told, told]
