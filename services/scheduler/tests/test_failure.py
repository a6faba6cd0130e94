import pytest
from maillane_scheduler.failure import FailureKind, kind


@pytest.mark.parametrize(
    ("code", "reply", "expected"),
    [
        (0, "the connection was lost", FailureKind.TEMPORARY),
        (451, "451 4.7.1 Greylisting in action", FailureKind.TEMPORARY),
        (452, "452 4.2.2 mailbox full", FailureKind.MAILBOX_FULL),
        (552, "552 5.2.2 over quota", FailureKind.MAILBOX_FULL),
        (550, "550 5.1.1 no such user", FailureKind.NO_SUCH_ADDRESS),
        (550, "550 no such user", FailureKind.NO_SUCH_ADDRESS),
        (550, "550 5.7.1 refused as spam", FailureKind.REFUSED),
        (554, "554 we do not like it", FailureKind.REFUSED),
        (555, "555 5.5.4 what is this", FailureKind.OTHER),
    ],
)
def test_a_reply_says_what_a_failure_calls_for(code: int, reply: str, expected: FailureKind) -> None:
    """Enhanced codes first, the reply's own code where there is none."""
    assert kind(code, reply) is expected
