"""Whose turn it is."""

from __future__ import annotations

from maillane_sender.dispatch.holding import Held, Lease
from maillane_sender.dispatch.lines import Lines

from .fake_scheduler import message

LEASE = Lease(1, 60.0, 40.0, 1)


def lines(*mailboxes: int) -> Lines:
    """Messages 1, 2, 3 … of these mailboxes."""
    made = Lines()
    for number, mailbox in enumerate(mailboxes, 1):
        made.put(Held(message(number, mailbox), LEASE))
    return made


def order(of: Lines) -> list[int]:
    """The messages as they get their turns, each ending before the next begins."""
    numbers = []
    while (turn := of.next()) is not None:
        line, held = turn
        numbers.append(held.message.message_id)
        of.leave(line)
    return numbers


def test_mailboxes_take_turns() -> None:
    """One with much to send lets the others in between."""
    assert order(lines(1, 1, 1, 1, 2, 3, 3)) == [1, 5, 6, 2, 7, 3, 4]


def test_one_at_a_time_until_more_is_known() -> None:
    """A line's second message waits until its limit was raised."""
    made = lines(1, 1, 1)
    line, _ = made.next() or (None, None)
    assert line is not None
    before = made.next()
    line.limit = 2

    assert before is None
    assert made.next() is not None
    assert made.next() is None


def test_what_was_withdrawn_gets_no_turn() -> None:
    """A message that waits can be taken out."""
    made = Lines()
    kept, gone = Held(message(1), LEASE), Held(message(2), LEASE)
    made.put(gone)
    made.put(kept)
    made.withdraw(gone)

    assert order(made) == [1]
