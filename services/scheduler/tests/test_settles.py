"""What senders report, sorted by what it asks for."""

import pytest
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane_chassis.violations import Violations
from maillane_scheduler.validation.dispatch import LOST_WAIT_S, report


@pytest.mark.parametrize(("reply", "wait_s"), [("", 0), ("the connection broke", LOST_WAIT_S)])
def test_only_what_lost_its_connection_waits(reply: str, wait_s: float) -> None:
    """What a sender hands back of its own accord keeps its place; a broken connection asks for a pause."""
    settle = pb.Settle(outcome=pb.OUTCOME_RETURNED, scope=pb.OUTCOME_SCOPE_CONNECTION, reply=reply)

    found = report(Violations(), [settle])

    assert [release.wait_s for release in found.released] == [wait_s]


def test_a_permit_that_the_server_counted_is_spent() -> None:
    """Though no attempt is."""
    settle = pb.Settle(outcome=pb.OUTCOME_RETURNED, scope=pb.OUTCOME_SCOPE_MAILBOX, reply="454", permit_spent=True)

    found = report(Violations(), [settle])

    assert [(release.spent, release.permit_spent) for release in found.released] == [(False, True)]
