"""Whose answer is it? Replies in the order in which they were asked for; any other ends the connection."""

from __future__ import annotations

import asyncio
from collections import deque

from maillane_sender.smtp.reply import Garbled, Reply, ReplyParser


class Lost(Exception):
    """The connection ended, or had to; its text says why."""


class ReplyQueue(asyncio.Protocol):
    """Hands replies to those who expect them, in order. Anything else that arrives ends the connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost = ""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parser = ReplyParser()
        self._expected: deque[asyncio.Future[Reply]] = deque()

    @property
    def awaited(self) -> int:
        """Replies that somebody waits for."""
        return len(self._expected)

    @property
    def quiet(self) -> bool:
        """Whether nothing is asked, and nothing was said since the last answer."""
        return not self._expected and self._parser.between_replies

    def expect(self) -> asyncio.Future[Reply]:
        """The next reply that nobody else waits for. Call it before writing the command.

        The future raises `Lost` where the connection ends first.
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
        """Hands out what it completes."""
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
        """Half a connection is none."""
        self.fail("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits waits for nothing."""
        self.fail(f"the connection broke: {exc}" if exc else "the connection was closed")


def _end(future: asyncio.Future[Reply], why: str) -> None:
    if not future.done():
        future.set_exception(Lost(why))
        future.exception()  # Nobody need wait for it: no "never retrieved" in the log.
