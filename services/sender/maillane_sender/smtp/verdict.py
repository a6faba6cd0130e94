"""What became of one transaction: a value, never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maillane_sender.smtp.reply import Reply


class Stage(StrEnum):
    """How far a transaction came."""

    ENVELOPE = "ENVELOPE"
    """Ended without an answer before the first byte of content: not sent, and nobody can have it."""
    CONTENT = "CONTENT"
    """Lost between the first byte of content and the server's answer: nobody knows."""
    REPLIED = "REPLIED"
    """The server answered: accepted, or refused."""


class Command(StrEnum):
    """What a verdict is about."""

    EHLO = "EHLO"
    RSET = "RSET"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "CONTENT"


class Revoked(Exception):
    """Raised by `on_content` to stop a message right before its content: it is not sent."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a transaction.

    `code` is 0 and `enhanced` empty where no answer came; `text` is then our own words, otherwise the server's, without
    codes, on one line, cut to a bounded length. `command` is what was answered, or what was being done.
    """

    stage: Stage
    code: int
    enhanced: str
    text: str
    command: Command

    @property
    def accepted(self) -> bool:
        """The server took the message."""
        return self.stage is Stage.REPLIED and self.command is Command.CONTENT and 200 <= self.code <= 299

    @property
    def line(self) -> str:
        """The whole answer as one line, for a table or a log: `550 5.1.1 No such user`."""
        return " ".join(filter(None, (str(self.code or ""), self.enhanced, self.text)))

    @classmethod
    def replied(cls, command: Command, reply: Reply) -> Verdict:
        """The server answered."""
        return cls(Stage.REPLIED, reply.code, reply.enhanced, reply.text, command)

    @classmethod
    def lost(cls, stage: Stage, command: Command, why: str) -> Verdict:
        """No answer came; `why` is for people."""
        return cls(stage, 0, "", why, command)
