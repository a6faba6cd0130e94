"""One SMTP connection and the transactions on it.

aiosmtplib connects, encrypts and authenticates; from then on the connection is ours, because a client must be able to
tell "refused" from "unknown", and must never give one message the answer to another.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maillane_sender.smtp.command_group import CommandGroup, envelope_lines, safe
from maillane_sender.smtp.reply_queue import Asked, Lost, ReplyQueue
from maillane_sender.smtp.verdict import Command, Revoked, Stage, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from maillane_sender.smtp.reply import Reply
    from maillane_sender.smtp.transport import Envelope

    OnContent = Callable[[], Envelope | None]

CLOSING_CODE = 421
"""RFC 5321 §3.8: the server closes the connection after this answer, to whatever command."""

BAD_SEQUENCE_CODE = 503

MAX_MESSAGES = 1000
"""On one connection, where the server names no limit: an end to whatever a connection accumulates on either side."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Hard deadlines in seconds: none of them starts anew because a byte arrived."""

    connect_s: float = 30.0
    """From resolving the name to the answer to AUTH. The dead are told from the slow well within it."""
    envelope_s: float = 60.0
    """MAIL, RCPT and DATA together. RFC 5321 §4.5.3.2 has minutes for each, but a slot waits; nothing is lost by
    giving up here, and tarpits stay under a minute."""
    content_s: float = 600.0
    """Content and its answer: the 10 minutes of RFC 5321 §4.5.3.2.6, for giving up here leaves the message
    unconfirmed."""
    quit_s: float = 2.0
    """Politeness only."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the server's EHLO answer offers. `mail_max` is RFC 9422's MAILMAX, 0 where it sets none."""

    pipelining: bool = False
    smtputf8: bool = False
    mail_max: int = 0


class Connection:
    """An authenticated connection: one message in its content at most, and the next one's envelope behind it at most.

    Behind a content may follow what comes after its final dot (RFC 2920 §3.1 ends a group with it, not the stream), so
    on a warm connection a message takes one round trip: the answers to its envelope come with the answer before.
    """

    def __init__(
        self, transport: asyncio.Transport, features: Features, timeouts: Timeouts, *, pipelining: bool
    ) -> None:
        self.features = features
        self.transactions = 0
        self.misbehaved = False
        """The server offered pipelining and did not bear it: talk to it one command at a time."""
        self._timeouts = timeouts
        self._pipelining = pipelining
        self._transport = transport
        self._replies = ReplyQueue(transport)
        self._loop = asyncio.get_running_loop()
        self._unclean = False
        self._answer: Asked | None = None
        """To the content that is under way."""
        self._behind: CommandGroup | None = None
        """The envelope that was written behind that content, until its message comes for it."""
        self._behind_bytes = 0
        self._given_up = False
        """Who rode behind a content gave up: the connection ends, but not before that content is answered."""
        transport.set_protocol(self._replies)

    @property
    def usable(self) -> bool:
        """Whether another transaction may begin: nothing failed, and nothing has been said since the last answer."""
        return self._alive and self._replies.quiet and self._behind is None

    @property
    def takes_next(self) -> bool:
        """Whether the next envelope may ride behind the content that is under way."""
        content_only = self._answer is not None and self._replies.awaited == 1
        return self._pipelining and content_only and self._alive and not self._given_up and not self.spent

    def carries(self, envelope: Envelope) -> bool:
        """Whether this envelope may ride behind the content that is about to be written."""
        speaks = self.features.smtputf8 or not envelope.smtputf8
        return self._pipelining and speaks and not self.spent and safe(envelope)

    @property
    def spent(self) -> bool:
        """Whether it has carried as many messages as it may."""
        return self.transactions >= (self.features.mail_max or MAX_MESSAGES)

    @property
    def _alive(self) -> bool:
        return not self._replies.lost and not self._transport.is_closing()

    async def transact(self, envelope: Envelope, content: bytes, on_content: OnContent) -> Verdict:
        """Sends one message. `content` has CRLF lines, is dot-stuffed, and ends in CRLF; the final dot is added here.

        `on_content` is called once, synchronously, right before the first byte of content is written; where it raises
        `Revoked`, nothing is written, the connection ends, and the verdict is at `ENVELOPE`. Unless a verdict says
        that the connection is in order, it is closed; a cancelled or failed call closes it always, and one that rides
        behind another's content once that is answered.

        An envelope that `on_content` returns, and that the connection `carries`, is written together with the content:
        its message must then be the next to call this, or `give_up`. While another message is in its content this may
        also be called where `takes_next` says so.

        Raises:
            ValueError: the envelope or the content would break the conversation. Nothing was written.
        """
        lines = envelope_lines(envelope)
        _check_content(content)
        if envelope.smtputf8 and not self.features.smtputf8:
            # RFC 6531 §3.2: such a message must not be sent here. It is as definite as an answer, hence its code.
            return Verdict(Stage.REPLIED, 550, "5.6.7", "the server does not offer SMTPUTF8", Command.EHLO)
        self.transactions += 1
        try:
            refusal = await self._open(lines)
            return refusal or await self._deliver(content, on_content)
        except BaseException:
            self.give_up()
            raise

    async def quit(self) -> None:
        """Says goodbye, briefly, and closes."""
        if self.usable:
            answer = self._replies.expect(self._timeouts.quit_s)
            self._transport.write(b"QUIT\r\n")
            try:
                await answer.done
            except (Lost, TimeoutError):
                pass  # It is only a goodbye.
            finally:
                self.abort()
        self.abort()

    def abort(self) -> None:
        """Closes at once; the connection is never used again."""
        self._replies.fail("closed by us")

    def give_up(self) -> None:
        """Closes it, but not before a content that is under way is answered: that is another message's."""
        if self._answer is None:
            self.abort()
        self._given_up = True

    async def _open(self, lines: dict[Command, bytes]) -> Verdict | None:
        """Runs the envelope: None once the server waits for content."""
        if self._behind is not None:
            asked, self._behind = self._behind, None
        else:
            asked = self._ask(lines)
        try:
            if asked.replies is not None:
                await asked.replies.done
            else:
                await self._ask_one_by_one(asked)
        except Lost as error:
            asked.lost = str(error)
        except TimeoutError:
            asked.lost, asked.late = "no answer in time", True
        if asked.lost:
            self.abort()
        return await self._judge(asked)

    def _ask(self, lines: dict[Command, bytes]) -> CommandGroup:
        """Begins an envelope: writes it, where it may be one write."""
        if self._unclean:
            lines = {Command.RSET: b"RSET\r\n", **lines}
        asked = CommandGroup(lines, behind=self._answer is not None)
        if self._pipelining:
            self._transport.write(self._expect(asked))
        return asked

    def _expect(self, asked: CommandGroup) -> bytes:
        """What to write for an envelope whose answers are awaited from here on."""
        # Behind a content its time begins when that is answered.
        asked.replies = self._replies.expect(self._timeouts.envelope_s, len(asked.lines), asked.take)
        group = b"".join(asked.lines.values())
        self._behind_bytes = len(group) if asked.behind else 0
        return group

    async def _ask_one_by_one(self, asked: CommandGroup) -> None:
        until = self._loop.time() + self._timeouts.envelope_s
        for command, line in asked.lines.items():
            answer = self._replies.expect(until - self._loop.time(), take=asked.take)
            self._transport.write(line)
            await answer.done
            if asked.answers[command].negative:
                return

    async def _judge(self, asked: CommandGroup) -> Verdict | None:
        refused = asked.refused
        if self._pipelining and self._breaks_on_pipelining(asked):
            self.misbehaved = True
            self.abort()
            why = asked.lost or "the server does not bear pipelining"
            return Verdict.lost(Stage.ENVELOPE, refused or Command.MAIL, why)
        # Behind another's content a refusal counts only where every answer had its place: with one that nobody asked
        # for among them, it would be the refusal of something else. That may show only behind the last of them.
        lost = asked.lost or (self._replies.lost if asked.behind else "")
        if refused is not None and not (asked.behind and lost):
            await self._recover(asked.answers)
            return Verdict.replied(refused, asked.answers[refused])
        if lost:
            return Verdict.lost(Stage.ENVELOPE, asked.awaited, lost)
        self._unclean = False
        return None

    def _breaks_on_pipelining(self, asked: CommandGroup) -> bool:
        """Whether what happened is how servers fail that promise PIPELINING and cannot do it.

        They lose commands or hang up in the middle, complain in words, or call a right sequence wrong. A reused
        connection that ends before any answer only sat idle for too long; but where the envelope came behind a content
        and nothing at all is said to it, it was thrown away with what followed the final dot.
        """
        if asked.refused is None:
            swallowed = asked.behind and asked.late
            return bool(asked.lost) and (bool(asked.answers) or self.transactions == 1 or swallowed)
        reply = asked.answers[asked.refused]
        after_success = reply.code == BAD_SEQUENCE_CODE and asked.refused not in (Command.RSET, Command.MAIL)
        return after_success or "pipelin" in reply.text.lower()

    async def _recover(self, answers: dict[Command, Reply]) -> None:
        """Makes the connection fit for the next envelope after a refusal, or closes it."""
        self._unclean = True
        if any(reply.code == CLOSING_CODE for reply in answers.values()):
            self.abort()
        if Command.DATA not in answers or answers[Command.DATA].negative or self._replies.lost:
            return
        # RFC 2920 §3.1: it said "go" although it refused MAIL or RCPT; a lone dot ends that. But where it took the
        # recipient, the dot would deliver an empty message: hang up instead.
        if answers[Command.RCPT].positive:
            self.abort()
            return
        answer = self._replies.expect(self._timeouts.envelope_s)
        self._transport.write(b".\r\n")
        try:
            await answer.done
        except (Lost, TimeoutError):
            self.abort()

    async def _deliver(self, content: bytes, on_content: OnContent) -> Verdict:
        if not self.usable:
            self.abort()
            return Verdict.lost(Stage.ENVELOPE, Command.DATA, self._replies.lost)
        try:
            following = on_content()
        except Revoked:
            # After 354 there is no way back but to hang up: a dot would deliver an empty message.
            self.abort()
            return Verdict.lost(Stage.ENVELOPE, Command.DATA, "revoked before its content")
        answer = self._answer = self._replies.expect(self._timeouts.content_s)
        self._transport.write(content + b".\r\n" + self._following(following))
        try:
            await answer.done
        except (Lost, TimeoutError) as error:
            self.abort()
            return Verdict.lost(Stage.CONTENT, Command.CONTENT, str(error) or "no answer in time")
        finally:
            self._answer = None
        verdict = self._final(answer.reply)
        if self._given_up:
            self.abort()
        return verdict

    def _following(self, envelope: Envelope | None) -> bytes:
        """The envelope that is written together with a content."""
        self._behind_bytes = 0
        if envelope is None:
            return b""
        self._behind = CommandGroup(envelope_lines(envelope), behind=True)
        return self._expect(self._behind)

    def _final(self, reply: Reply) -> Verdict:
        early = self._transport.get_write_buffer_size() > self._behind_bytes
        if reply.code < 400 and (early or not reply.positive):
            self.abort()
            why = "the server answered before it had the content" if early else f"{reply.code} is no answer to content"
            return Verdict.lost(Stage.CONTENT, Command.CONTENT, why)
        if early or reply.code == CLOSING_CODE:
            self.abort()
        return Verdict.replied(Command.CONTENT, reply)


def _check_content(content: bytes) -> None:
    """Content that held the final dot would end early, and what follows it would be commands.

    Bare CRs and LFs count, for there are servers that take them for line ends.
    """
    if not content.endswith(b"\r\n") or b"\r\n.\r\n" in content or content.startswith(b".\r\n"):
        raise ValueError("content must be dot-stuffed and end in CRLF")
    if not content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n"):
        raise ValueError("content must be dot-stuffed and have CRLF lines only")
