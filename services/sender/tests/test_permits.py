"""Whether a permit is spent, as the scheduler is told."""

import pytest
from maillane_sender.dispatch.report import Report
from maillane_sender.smtp import Command, Verdict, classify
from maillane_sender.smtp.reply import Reply


@pytest.mark.parametrize(
    ("command", "spent"), [(Command.MAIL, False), (Command.RCPT, True), (Command.CONTENT, True)], ids=str
)
def test_a_permit_is_spent_from_the_recipient_on(command: Command, spent: bool) -> None:
    """Throttled before its recipient was named a message costs nothing; later the server has counted it."""
    outcome = classify(Verdict.replied(command, Reply(454, "4.7.0", "Throttled")))

    assert Report.of(outcome, 454, "454").permit_spent is spent
