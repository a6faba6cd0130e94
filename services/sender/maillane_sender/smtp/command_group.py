"""The commands of an envelope, which RFC 2920 lets go out as one group, and the answers to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from maillane_sender.smtp.reply_queue import Asked, Lost
from maillane_sender.smtp.verdict import Command

if TYPE_CHECKING:
    from maillane_sender.smtp.reply import Reply
    from maillane_sender.smtp.transport import Envelope

_UNSAFE_IN_COMMAND = re.compile(r"[\x00-\x20\x7f<>]")


@dataclass(slots=True)
class CommandGroup:
    """An envelope, and what came of it so far. `lost` says why no more comes, `late` that it was for want of time.

    `behind`: it was written behind another message's content. `replies`: all of them, where it was written at once.
    `refused`: the first line that was.
    """

    lines: dict[Command, bytes]
    behind: bool
    replies: Asked | None = None
    answers: dict[Command, Reply] = field(default_factory=dict)
    refused: Command | None = None
    lost: str = ""
    late: bool = False

    def take(self, reply: Reply) -> None:
        """Takes the answer to the first of its lines that has none.

        Raises:
            Lost: it can be none.
        """
        command = self.awaited
        self.answers[command] = in_place(command, reply)
        if reply.negative and self.refused is None:
            self.refused = command

    @property
    def awaited(self) -> Command:
        """The first line that has no answer; the last, where all have one."""
        return next(islice(self.lines, len(self.answers), None), Command.DATA)


def in_place(command: Command, reply: Reply) -> Reply:
    """The reply, if it can be one to that command: an intermediate answer has its place after DATA only."""
    good = 300 <= reply.code <= 399 if command is Command.DATA else reply.positive
    if not (good or reply.negative) or (command is Command.RSET and not good):
        raise Lost(f"the server answered {reply.code} to {command}")
    return reply


def safe(envelope: Envelope) -> bool:
    """Whether its addresses are nothing but addresses within a command."""
    return not (_UNSAFE_IN_COMMAND.search(envelope.sender) or _UNSAFE_IN_COMMAND.search(envelope.recipient))


def envelope_lines(envelope: Envelope) -> dict[Command, bytes]:
    """MAIL, RCPT and DATA.

    Raises:
        ValueError: an address would end its command, or begin another.
    """
    encoding = "utf-8" if envelope.smtputf8 else "ascii"
    if not safe(envelope):
        raise ValueError("an address holds what SMTP commands cannot")
    parameters = b" SMTPUTF8" if envelope.smtputf8 else b""
    return {
        Command.MAIL: b"MAIL FROM:<%b>%b\r\n" % (envelope.sender.encode(encoding), parameters),
        Command.RCPT: b"RCPT TO:<%b>\r\n" % envelope.recipient.encode(encoding),
        Command.DATA: b"DATA\r\n",
    }
