"""One SMTP connection and the transactions on it.

aiosmtplib connects, encrypts and authenticates; from then on the connection is ours, because a client must be able to
tell "refused" from "unknown", and must never give one message the answer to another.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maillane_sender.smtp.reply import Garbled, Reply, ReplyParser
from maillane_sender.smtp.verdict import Command, Revoked, Stage, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from maillane_sender.smtp.transport import Envelope

CLOSING_CODE = 421
"""RFC 5321 §3.8: the server closes the connection after this answer, to whatever command."""

BAD_SEQUENCE_CODE = 503

_UNSAFE_IN_COMMAND = re.compile(r"[\x00-\x20\x7f<>]")


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
    """An authenticated connection, for one transaction at a time.

    The queue of expected replies does not care whose they are, so a later version can let the next envelope ride
    behind the content: whoever calls `transact` would not notice.
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
        self._replies = _ReplyQueue(transport)
        self._unclean = False
        transport.set_protocol(self._replies)

    @property
    def usable(self) -> bool:
        """Whether another transaction may begin: nothing failed, and nothing has been said since the last answer."""
        return not self._replies.lost and not self._transport.is_closing() and self._replies.quiet

    async def transact(self, envelope: Envelope, content: bytes, on_content: Callable[[], None]) -> Verdict:
        """Sends one message. `content` has CRLF lines, is dot-stuffed, and ends in CRLF; the final dot is added here.

        `on_content` is called once, synchronously, right before the first byte of content is written; where it raises
        `Revoked`, nothing is written, the connection ends, and the verdict is at `ENVELOPE`. Unless a verdict says
        that the connection is in order, it is closed; a cancelled or failed call closes it always.

        Raises:
            ValueError: the envelope or the content would break the conversation. Nothing was written.
        """
        lines = _envelope_lines(envelope)
        _check_content(content)
        if envelope.smtputf8 and not self.features.smtputf8:
            # RFC 6531 §3.2: such a message must not be sent here. It is as definite as an answer, hence its code.
            return Verdict(Stage.REPLIED, 550, "5.6.7", "the server does not offer SMTPUTF8", Command.EHLO)
        self.transactions += 1
        try:
            refusal = await self._open(lines)
            return refusal or await self._deliver(content, on_content)
        except BaseException:
            self.abort()
            raise

    async def quit(self) -> None:
        """Says goodbye, briefly, and closes."""
        if self.usable:
            answer = self._replies.expect()
            self._transport.write(b"QUIT\r\n")
            try:
                async with asyncio.timeout(self._timeouts.quit_s):
                    await answer
            except (_Lost, TimeoutError):
                pass  # It is only a goodbye.
            finally:
                self.abort()
        self.abort()

    def abort(self) -> None:
        """Closes at once; the connection is never used again."""
        self._replies.fail("closed by us")

    async def _open(self, lines: dict[Command, bytes]) -> Verdict | None:
        """Runs the envelope: None once the server waits for content."""
        if self._unclean:
            lines = {Command.RSET: b"RSET\r\n", **lines}
        answers: dict[Command, Reply] = {}
        lost = ""
        try:
            async with asyncio.timeout(self._timeouts.envelope_s):
                await (self._ask_together if self._pipelining else self._ask_one_by_one)(lines, answers)
        except _Lost as error:
            lost = str(error)
        except TimeoutError:
            lost = "no answer in time"
        if lost:
            self.abort()
        return await self._judge(lines, answers, lost)

    async def _ask_together(self, lines: dict[Command, bytes], answers: dict[Command, Reply]) -> None:
        expected = [self._replies.expect() for _ in lines]
        self._transport.write(b"".join(lines.values()))
        for command, answer in zip(lines, expected, strict=True):
            answers[command] = _in_place(command, await answer)

    async def _ask_one_by_one(self, lines: dict[Command, bytes], answers: dict[Command, Reply]) -> None:
        for command, line in lines.items():
            answer = self._replies.expect()
            self._transport.write(line)
            answers[command] = _in_place(command, await answer)
            if answers[command].negative:
                return

    async def _judge(self, lines: dict[Command, bytes], answers: dict[Command, Reply], lost: str) -> Verdict | None:
        refused = next((command for command, reply in answers.items() if reply.negative), None)
        if self._pipelining and self._breaks_on_pipelining(answers, refused, lost):
            self.misbehaved = True
            self.abort()
            return Verdict.lost(Stage.ENVELOPE, refused or Command.MAIL, lost or "the server does not bear pipelining")
        if refused is not None:
            await self._recover(answers)
            return Verdict.replied(refused, answers[refused])
        if lost:
            awaited = next(command for command in lines if command not in answers)
            return Verdict.lost(Stage.ENVELOPE, awaited, lost)
        self._unclean = False
        return None

    def _breaks_on_pipelining(self, answers: dict[Command, Reply], refused: Command | None, lost: str) -> bool:
        """Whether what happened is how servers fail that promise PIPELINING and cannot do it.

        They lose commands or hang up in the middle, complain in words, or call a right sequence wrong. A reused
        connection that ends before any answer only sat idle for too long.
        """
        if refused is None:
            return bool(lost) and (bool(answers) or self.transactions == 1)
        reply = answers[refused]
        after_success = reply.code == BAD_SEQUENCE_CODE and refused not in (Command.RSET, Command.MAIL)
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
        answer = self._replies.expect()
        self._transport.write(b".\r\n")
        try:
            async with asyncio.timeout(self._timeouts.envelope_s):
                await answer
        except (_Lost, TimeoutError):
            self.abort()

    async def _deliver(self, content: bytes, on_content: Callable[[], None]) -> Verdict:
        if not self.usable:
            self.abort()
            return Verdict.lost(Stage.ENVELOPE, Command.DATA, self._replies.lost)
        try:
            on_content()
        except Revoked:
            # After 354 there is no way back but to hang up: a dot would deliver an empty message.
            self.abort()
            return Verdict.lost(Stage.ENVELOPE, Command.DATA, "revoked before its content")
        answer = self._replies.expect()
        self._transport.write(content + b".\r\n")
        try:
            async with asyncio.timeout(self._timeouts.content_s):
                reply = await answer
        except (_Lost, TimeoutError) as error:
            self.abort()
            return Verdict.lost(Stage.CONTENT, Command.CONTENT, str(error) or "no answer in time")
        return self._final(reply)

    def _final(self, reply: Reply) -> Verdict:
        early = self._transport.get_write_buffer_size() > 0
        if reply.code < 400 and (early or not reply.positive):
            self.abort()
            why = "the server answered before it had the content" if early else f"{reply.code} is no answer to content"
            return Verdict.lost(Stage.CONTENT, Command.CONTENT, why)
        if early or reply.code == CLOSING_CODE:
            self.abort()
        return Verdict.replied(Command.CONTENT, reply)


class _Lost(Exception):
    """The connection ended, or had to; its text says why."""


class _ReplyQueue(asyncio.Protocol):
    """Hands replies to those who expect them, in order. Anything else that arrives ends the connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost = ""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parser = ReplyParser()
        self._expected: deque[asyncio.Future[Reply]] = deque()

    @property
    def quiet(self) -> bool:
        return not self._expected and self._parser.between_replies

    def expect(self) -> asyncio.Future[Reply]:
        """The next reply that nobody else waits for. Call it before writing the command.

        The future raises `_Lost` where the connection ends first.
        """
        future: asyncio.Future[Reply] = self._loop.create_future()
        if self.lost:
            _end(future, self.lost)
        else:
            self._expected.append(future)
        return future

    def fail(self, why: str) -> None:
        """Ends the connection and everybody's wait; the first reason stays."""
        self.lost = self.lost or why
        self._transport.abort()
        while self._expected:
            _end(self._expected.popleft(), self.lost)

    def data_received(self, data: bytes) -> None:
        if self.lost:
            return
        try:
            for reply in self._parser.feed(data):
                if not self._expected:
                    self.fail(f"the server said {reply.code} unasked")
                    return
                future = self._expected.popleft()
                if not future.done():
                    future.set_result(reply)
        except Garbled as error:
            self.fail(f"the server sent {error}")

    def eof_received(self) -> bool:
        self.fail("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(f"the connection broke: {exc}" if exc else "the connection was closed")


def _end(future: asyncio.Future[Reply], why: str) -> None:
    if not future.done():
        future.set_exception(_Lost(why))
        future.exception()  # Nobody need wait for it: no "never retrieved" in the log.


def _in_place(command: Command, reply: Reply) -> Reply:
    """The reply, if it can be one to that command: an intermediate answer has its place after DATA only."""
    good = 300 <= reply.code <= 399 if command is Command.DATA else reply.positive
    if not (good or reply.negative) or (command is Command.RSET and not good):
        raise _Lost(f"the server answered {reply.code} to {command}")
    return reply


def _envelope_lines(envelope: Envelope) -> dict[Command, bytes]:
    encoding = "utf-8" if envelope.smtputf8 else "ascii"
    if any(_UNSAFE_IN_COMMAND.search(address) for address in (envelope.sender, envelope.recipient)):
        raise ValueError("an address holds what SMTP commands cannot")
    parameters = b" SMTPUTF8" if envelope.smtputf8 else b""
    return {
        Command.MAIL: b"MAIL FROM:<%b>%b\r\n" % (envelope.sender.encode(encoding), parameters),
        Command.RCPT: b"RCPT TO:<%b>\r\n" % envelope.recipient.encode(encoding),
        Command.DATA: b"DATA\r\n",
    }


def _check_content(content: bytes) -> None:
    """Content that held the final dot would end early, and what follows it would be commands.

    Bare CRs and LFs count, for there are servers that take them for line ends.
    """
    if not content.endswith(b"\r\n") or b"\r\n.\r\n" in content or content.startswith(b".\r\n"):
        raise ValueError("content must be dot-stuffed and end in CRLF")
    if not content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n"):
        raise ValueError("content must be dot-stuffed and have CRLF lines only")
