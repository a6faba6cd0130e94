"""What no sender in Python can do without: `-m …bare_sender MAIL_PORT ECHO_PORT COUNT` prints its CPU µs for a mail.

Five connections, a write and an answer a mail (the next envelope rides behind each content), a gRPC call that brings
the next seven; nothing is rendered, read, checked, logged or remembered.
"""

import asyncio
import sys
import time
from typing import Final, cast

import grpc
import uvloop

from .echo import LOOPBACK, METHOD

CONNECTIONS: Final = 5
CLAIMED: Final = 7
"""Mails in a claim, as Maillane's bring under load."""

CALL_BYTES: Final = 2000
"""Of a claim: seven recipients with their variables one way; here as much both ways."""

CONTENT_BYTES: Final = 1900
ENVELOPE: Final = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
LINE: Final = b"x" * 70 + b"\r\n"
REPLIES: Final = 4
"""To a content, and to the envelope behind it."""


class _Mails:
    """Those that are due, and the connections that have none."""

    def __init__(self) -> None:
        self.sent = 0
        self.few = asyncio.Event()
        self._due = 0
        self._idle: list[_Connection] = []

    def add(self, count: int) -> None:
        """So many more are due."""
        self._due += count
        while self._idle and self._due:
            self._give(self._idle.pop())

    def take(self, connection: "_Connection") -> None:
        """Gives a connection its next mail, once there is one."""
        if self._due:
            self._give(connection)
        else:
            self._idle.append(connection)

    def _give(self, connection: "_Connection") -> None:
        self._due -= 1
        connection.send()
        if self._due <= CLAIMED:
            self.few.set()


class _Connection(asyncio.Protocol):
    """Sends a mail, and then the next, whenever all that was asked is answered."""

    def __init__(self, mails: _Mails) -> None:
        self._mails = mails
        self._mail = LINE * (CONTENT_BYTES // len(LINE)) + b".\r\n" + ENVELOPE
        self._awaited = 0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not by isinstance: uvloop's transports are only like asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._awaited:
            self._awaited -= data.count(b"\n")
            if not self._awaited:
                self._mails.sent += 1
                self._mails.take(self)
        elif data.startswith(b"220"):
            self._transport.write(b"EHLO bench.example\r\n")
        elif b"354" in data:
            self._mails.take(self)
        elif data.startswith(b"250-"):
            self._transport.write(ENVELOPE)

    def send(self) -> None:
        """The next mail."""
        self._awaited = REPLIES
        self._transport.write(self._mail)


async def _main(mail_port: int, echo_port: int, count: int) -> None:
    mails = _Mails()
    for _ in range(CONNECTIONS):
        await asyncio.get_running_loop().create_connection(lambda: _Connection(mails), LOOPBACK, mail_port)
    async with grpc.aio.insecure_channel(f"{LOOPBACK}:{echo_port}") as channel:
        claim: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        await claim(bytes(CALL_BYTES))
        begun = time.process_time()
        while mails.sent < count:
            mails.few.clear()
            await claim(bytes(CALL_BYTES))
            mails.add(CLAIMED)
            await mails.few.wait()
        print((time.process_time() - begun) / mails.sent * 1e6)


if __name__ == "__main__":
    uvloop.run(_main(*map(int, sys.argv[1:])))
