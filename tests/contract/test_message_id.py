"""The Message-ID that the scheduler shows is the one that senders write."""

import pytest
from maillane_scheduler.addresses import normalise
from maillane_scheduler.message import header_id
from maillane_sender.dispatch.letters import base36
from maillane_sender.message.address import parse_address


@pytest.mark.parametrize("address", ["sales@Example.COM", "zoë@bücher.example", "a@b.example"])
@pytest.mark.parametrize("number", [1, 35, 36, 123_456_789])
def test_the_message_id_that_is_shown_is_the_one_that_is_sent(address: str, number: int) -> None:
    """Whatever the domain, in the form in which a mailbox keeps it."""
    kept = normalise(address)
    domain = parse_address("from", kept).domain

    assert header_id(number, "k3y", kept) == f"<{base36(number)}.k3y@{domain}>"
