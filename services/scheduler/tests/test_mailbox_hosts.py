"""Which mail servers a mailbox may name."""

import pytest
from maillane.scheduler.v1 import mailbox_service_pb2 as pb
from maillane_chassis.errors import InvalidArgument
from maillane_chassis.violations import Violations
from maillane_scheduler.validation import mailboxes
from maillane_scheduler.validation.mailboxes import MailboxRules

REFUSED = "must be a public address, or a name: this deployment sends to no other"
PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "localhost",
    "::1",
    "::ffff:127.0.0.1",
    "10.0.0.7",
    "192.168.1.1",
    "fd12::1",
]
NEVER = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "2852039166",
    "2002:a9fe:a9fe::",
    "168.63.129.16",
    "169.254.1.1",
    "fe80::1",
    "0.0.0.0",
]
EVER = ["smtp.example.com", "8.8.8.8", "2607:f8b0:4004:c1b::6c", "10.example.com"]


def refusals(host: str, *, allow_private: bool) -> dict[str, str]:
    """What is wrong with a mailbox at this host, by field: first as a new one, and the same as an update."""
    rules = MailboxRules(default_hourly_limit=200, default_min_gap_us=0, allow_private=allow_private)
    smtp = pb.Smtp(host=host, port=587, security=pb.SECURITY_STARTTLS)
    request = pb.UpdateMailboxRequest(mailbox=pb.Mailbox(smtp=smtp))
    request.update_mask.paths.append("smtp.host")
    created, updated = Violations(), Violations()
    mailboxes.settings(created, pb.Mailbox(address="a@example.com", smtp=smtp), rules)
    mailboxes.changes(updated, request, rules)
    assert _said(created) == _said(updated)
    return _said(created)


@pytest.mark.parametrize("host", PRIVATE + NEVER)
def test_a_host_inside_the_deployment_is_refused(host: str) -> None:
    """However it is written: a sender would refuse it as well, but only at the first mail."""
    assert refusals(host, allow_private=False) == {"mailbox.smtp.host": REFUSED}


@pytest.mark.parametrize("host", PRIVATE)
def test_a_setting_allows_private_hosts(host: str) -> None:
    """As `make up` does, for its catcher."""
    assert refusals(host, allow_private=True) == {}


@pytest.mark.parametrize("host", NEVER)
def test_a_setting_allows_no_metadata_service(host: str) -> None:
    """Nor what is no mail server's place."""
    assert refusals(host, allow_private=True) == {"mailbox.smtp.host": REFUSED}


@pytest.mark.parametrize("host", EVER)
@pytest.mark.parametrize("allow_private", [True, False])
def test_names_and_public_addresses_are_taken(host: str, allow_private: bool) -> None:
    """What a name leads to, the sender sees to."""
    assert refusals(host, allow_private=allow_private) == {}


@pytest.mark.parametrize("host", ["[::1]", "[127.0.0.1]", "http://127.0.0.1", "127.0.0.1:25"])
def test_what_is_no_host_is_refused_as_such(host: str) -> None:
    """Also where an address is in it."""
    assert "must be a host name or an address" in refusals(host, allow_private=False)["mailbox.smtp.host"]


def _said(violations: Violations) -> dict[str, str]:
    try:
        violations.raise_if_any()
    except InvalidArgument as refusal:
        return {violation.field: violation.description for violation in refusal.violations}
    return {}
