"""Whose answer is it? Replies in the order in which they were asked for; any other ends the connection."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from maillane_sender.smtp.reply import Garbled, Reply, ReplyParser

if TYPE_CHECKING:
    from collections.abc import Callable

    Take = Callable[[Reply], None]


class Lost(Exception):
    """The connection ended, or had to; its text says why."""


class Asked:
    """What was asked in one write.

    `done` ends with the last reply to it. It raises `Lost` where the connection ends first, TimeoutError where the
    replies take longer than `within_s`, counted from when nobody else's are awaited before them, and what `take`
    raises, which is called with each reply as it comes.
    """

    __slots__ = ("done", "left", "reply", "take", "until", "within_s")

    def __init__(self, replies: int, within_s: float, take: Take | None, done: asyncio.Future[None]) -> None:
        self.left = replies
        self.within_s = within_s
        self.take = take
        self.done = done
        self.until = 0.0
        self.reply: Reply
        """The last one."""

    def put(self, reply: Reply) -> None:
        """The next reply has come."""
        self.left -= 1
        if self.done.done():
            return
        self.reply = reply
        try:
            if self.take is not None:
                self.take(reply)
        except Lost as error:
            self.end(error)
        else:
            if not self.left:
                self.done.set_result(None)

    def end(self, error: Exception) -> None:
        """No (other) reply counts."""
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # Nobody need wait for it: no "never retrieved" in the log.


class ReplyQueue(asyncio.Protocol):
    """Hands replies to those who expect them, in order. Anything else that arrives ends the connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost = ""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parser = ReplyParser()
        self._expected: deque[Asked] = deque()
        # One for all deadlines: it is set to the first there was since it fired, and set anew where that has moved.
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = 0.0

    @property
    def awaited(self) -> int:
        """Writes whose replies have not all come."""
        return len(self._expected)

    @property
    def quiet(self) -> bool:
        """Whether nothing is asked, and nothing was said since the last answer."""
        return not self._expected and self._parser.between_replies

    def expect(self, within_s: float, replies: int = 1, take: Take | None = None) -> Asked:
        """The next replies that nobody else waits for. Call it before writing the commands."""
        asked = Asked(replies, within_s, take, self._loop.create_future())
        if self.lost:
            asked.end(Lost(self.lost))
        else:
            self._expected.append(asked)
            if len(self._expected) == 1:
                self._begin(asked)
        return asked

    def fail(self, why: str) -> None:
        """Ends the connection and everybody's wait; the first reason stays."""
        self.lost = self.lost or why
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._expected:
            self._expected.popleft().end(Lost(self.lost))

    def data_received(self, data: bytes) -> None:
        """Hands out what it completes."""
        if self.lost:
            return
        try:
            for reply in self._parser.feed(data):
                if not self._expected:
                    self.fail(f"the server said {reply.code} unasked")
                    return
                asked = self._expected[0]
                asked.put(reply)
                if not asked.left:
                    self._expected.popleft()
                    if self._expected:
                        self._begin(self._expected[0])
        except Garbled as error:
            self.fail(f"the server sent {error}")

    def eof_received(self) -> bool:
        """Half a connection is none."""
        self.fail("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits waits for nothing."""
        self.fail(f"the connection broke: {exc}" if exc else "the connection was closed")

    def _begin(self, asked: Asked) -> None:
        """Its time begins: it is the first."""
        asked.until = self._loop.time() + asked.within_s
        self._watch(asked.until)

    def _watch(self, until: float) -> None:
        if self._timer is not None:
            if self._fires_at <= until:
                return
            self._timer.cancel()
        self._fires_at = until
        self._timer = self._loop.call_at(until, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if not self._expected:
            return
        first = self._expected[0]
        if self._loop.time() >= first.until:
            first.end(TimeoutError())
        else:
            self._watch(first.until)
