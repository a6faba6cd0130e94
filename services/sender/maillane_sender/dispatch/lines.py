"""Whose turn it is: mailboxes take turns, and each sends in the order in which its messages were claimed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maillane_sender.dispatch.holding import Held


@dataclass(slots=True, eq=False)
class Line:
    """One mailbox's messages that wait, and how many of it are at work.

    `limit` is how many may be at once: one until the mailbox's transport says more. Who holds `turn` prepares its
    message; those behind it wait, so that none overtakes it while it asks the scheduler for something.
    """

    mailbox_id: int
    waiting: deque[Held] = field(default_factory=deque)
    working: int = 0
    limit: int = 1
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Lines:
    """All mailboxes that have something to send; who was served last comes last."""

    def __init__(self) -> None:
        self._lines: OrderedDict[int, Line] = OrderedDict()

    def put(self, held: Held) -> None:
        """Puts a message at the end of its mailbox's line."""
        mailbox_id = held.message.mailbox_id
        line = self._lines.get(mailbox_id)
        if line is None:
            line = self._lines[mailbox_id] = Line(mailbox_id)
        line.waiting.append(held)

    def next(self) -> tuple[Line, Held] | None:
        """The next message to work at, now counted as such; None where no mailbox has one and may have one more."""
        for line in self._lines.values():
            if line.waiting and line.working < line.limit:
                self._lines.move_to_end(line.mailbox_id)
                line.working += 1
                return line, line.waiting.popleft()
        return None

    def leave(self, line: Line) -> None:
        """One message of this line is no longer worked at."""
        line.working -= 1
        self._forget(line)

    def withdraw(self, held: Held) -> None:
        """Takes a message that waits out of its line."""
        line = self._lines[held.message.mailbox_id]
        line.waiting.remove(held)
        self._forget(line)

    def _forget(self, line: Line) -> None:
        if not line.waiting and not line.working:
            del self._lines[line.mailbox_id]
