"""A mail server that counts: it keeps each complete content and each answer that it gave, and misbehaves on command."""

import asyncio
import base64
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from .misbehaviour import Act, Misbehaviour, Stage, Talk, Then

LOOPBACK: Final = "127.0.0.1"
LOOK_S: Final = 0.02
LONGEST_LINE: Final = 4096
MAX_CONTENT: Final = 64 * 1024 * 1024
"""More than any test sends: a client that does not end its content is cut off."""

_MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>\r?$", re.MULTILINE | re.IGNORECASE)
_ADDRESS = re.compile(rb"<([^>]*)>")


@dataclass(frozen=True, slots=True)
class Content:
    """A complete content: the final dot was read. Times are seconds since the epoch, by this machine's clock.

    Attributes:
        code: of the answer that was given; 0: none was.
    """

    message_id: str
    sender: str
    recipient: str
    connection: int
    read_s: float
    code: int

    @property
    def refused(self) -> bool:
        """The client knows that it was not delivered."""
        return self.code >= 400

    @property
    def accepted(self) -> bool:
        """The client was told that it is delivered (whether or not it lived to hear it)."""
        return 200 <= self.code < 300


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer other than a good server's, or what was done instead of one (code 0)."""

    stage: Stage
    sender: str
    recipient: str
    code: int
    said_s: float


class Sink:
    """The server, in a thread of its own so that a busy test does not slow it; entering it starts it."""

    def __init__(self, seed: int, *, tls: ssl.SSLContext | None = None) -> None:
        """Makes a sink whose luck follows from the seed; with `tls` it offers STARTTLS."""
        self.misbehaviour = Misbehaviour(seed)
        self.tls = tls
        self.contents: list[Content] = []
        self.answers: list[Answer] = []
        self.connections = 0
        self.connected = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="sink", daemon=True)
        self._listening = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def accepted(self) -> int:
        """Contents that were answered with 250."""
        return sum(content.accepted for content in list(self.contents))

    async def next_content(self, within_s: float) -> float:
        """Waits for a complete content that comes after now; returns how long that took, infinity if it did not."""
        begun, had = time.monotonic(), len(self.contents)
        while len(self.contents) == had:
            if time.monotonic() - begun > within_s:
                return float("inf")
            await asyncio.sleep(LOOK_S)
        return time.monotonic() - begun

    def answered(self, stage: Stage) -> Counter[int]:
        """How often it misbehaved at a stage, by code."""
        return Counter(answer.code for answer in list(self.answers) if answer.stage is stage)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Conversation(self, self._loop), LOOPBACK, 0)
        )
        self.port = int(server.sockets[0].getsockname()[1])
        self._listening.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Conversation(asyncio.Protocol):
    """One connection. Input waits while an answer is delayed; `_deaf` hears nothing any more (it hangs)."""

    _transport: asyncio.Transport

    def __init__(self, sink: Sink, loop: asyncio.AbstractEventLoop) -> None:
        self._sink = sink
        self._loop = loop
        sink.connections += 1
        self._number = sink.connections
        self._buffer = bytearray()
        self._waits = False
        self._deaf = False
        self._in_content = False
        self._secret_lines = 0
        self._sender = self._recipient = ""
        self._mail = False
        self._tls_task: asyncio.Task[None] | None = None

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.connected += 1
        self._answer(Stage.CONNECT, "220 sink.example ESMTP")

    def connection_lost(self, exc: Exception | None) -> None:
        self._deaf = True
        self._sink.connected -= 1

    def data_received(self, data: bytes) -> None:
        if not self._deaf:
            self._buffer += data
            self._read()

    # -- the conversation

    def _read(self) -> None:
        while not self._waits and not self._deaf and (self._read_content() if self._in_content else self._read_line()):
            pass

    def _read_line(self) -> bool:
        line, end, rest = bytes(self._buffer).partition(b"\r\n")
        if not end:
            if len(line) > LONGEST_LINE:
                self._transport.abort()
            return False
        self._buffer[:] = rest
        if self._secret_lines:
            self._secret_lines -= 1
            if self._secret_lines:
                self._say("334 UGFzc3dvcmQ6")
            else:
                self._answer(Stage.AUTH, "235 2.7.0 in")
            return True
        self._command(line)
        return True

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            offers = ["sink.example", "PIPELINING", "8BITMIME", "SMTPUTF8", "AUTH PLAIN LOGIN"]
            offers += ["STARTTLS"] if self._offers_tls else []
            lines = [f"250{'-' if offer is not offers[-1] else ' '}{offer}" for offer in offers]
            self._answer(Stage.EHLO, "\r\n".join(lines))
        elif verb == b"STAR":
            self._answer(Stage.STARTTLS, "220 go", self._start_tls)
        elif verb == b"AUTH":
            self._authenticate(line)
        elif verb == b"MAIL":
            self._sender, self._recipient = _address(line), ""
            self._mail = self._answer(Stage.MAIL, "250 2.1.0 ok")
        elif verb == b"RCPT":
            self._receive(line)
        elif verb == b"DATA":
            self._data()
        elif verb == b"QUIT":
            self._say("221 2.0.0 bye")
            self._transport.close()
        else:
            self._say("250 2.0.0 ok" if verb in (b"RSET", b"NOOP") else "500 5.5.1 what?")

    def _authenticate(self, line: bytes) -> None:
        if line[5:10].upper() == b"LOGIN":
            self._secret_lines = 2
            self._say("334 VXNlcm5hbWU6")
        else:
            # Who signs in is known from here on: authorisation id, user name and password, divided by NULs (RFC 4616).
            self._sender = base64.b64decode(line[11:]).split(b"\0")[1].decode()
            self._answer(Stage.AUTH, "235 2.7.0 in")

    def _receive(self, line: bytes) -> None:
        if not self._mail:
            self._say("503 5.5.1 MAIL first")
            return
        self._recipient = _address(line)
        if not self._answer(Stage.RCPT, "250 2.1.5 ok"):
            self._recipient = ""

    def _data(self) -> None:
        if not self._recipient:
            self._say("503 5.5.1 no recipient")
            return
        self._answer(Stage.DATA, "354 go ahead", self._begin_content)

    def _begin_content(self) -> None:
        self._in_content = True

    def _read_content(self) -> bool:
        if not self._buffer:
            return False
        cut = self._sink.misbehaviour.act(Stage.BODY, self._talk)
        if cut.then is not Then.GO_ON:
            # What came beyond the part that it read is as if it had never come.
            self._note(Stage.BODY, 0)
            self._end(cut.then)
            return False
        end = self._buffer.find(b"\r\n.\r\n")
        if end < 0:
            if len(self._buffer) > MAX_CONTENT:
                self._transport.abort()
            return False
        content = bytes(self._buffer[: end + 2])
        del self._buffer[: end + 5]
        self._in_content = False
        self._finish(content)
        return True

    def _finish(self, content: bytes) -> None:
        act = self._sink.misbehaviour.act(Stage.DOT, self._talk)
        found = _MESSAGE_ID.search(content)
        message_id = found[1].decode() if found else ""
        silent = act.reply is None and act.then is not Then.GO_ON
        reply = "" if silent else act.reply or "250 2.0.0 taken"
        # Kept before the answer leaves: what was answered is always known here.
        self._sink.contents.append(
            Content(message_id, self._sender, self._recipient, self._number, time.time(), _code(reply))
        )
        self._do(Stage.DOT, act, reply, None)
        self._recipient = ""

    # -- answers

    def _answer(self, stage: Stage, good: str, then: Callable[[], None] | None = None) -> bool:
        """Answers as the rules have it; `then` follows a good answer. Returns whether it is one."""
        act = self._sink.misbehaviour.act(stage, self._talk)
        silent = act.reply is None and act.then is not Then.GO_ON
        is_good = act.reply is None and act.then is Then.GO_ON
        self._do(stage, act, "" if silent else act.reply or good, then if is_good else None)
        return is_good

    def _do(self, stage: Stage, act: Act, reply: str, then: Callable[[], None] | None) -> None:
        if act.reply is not None or act.then is not Then.GO_ON:
            self._note(stage, _code(reply))
        if act.after_s:
            self._waits = True
            self._loop.call_later(act.after_s, self._resume, act, reply, then)
        else:
            self._act(act, reply, then)

    def _resume(self, act: Act, reply: str, then: Callable[[], None] | None) -> None:
        self._waits = False
        if not self._deaf:
            self._act(act, reply, then)
            self._read()

    def _act(self, act: Act, reply: str, then: Callable[[], None] | None) -> None:
        if reply:
            self._say(reply)
        if act.then is not Then.GO_ON:
            self._end(act.then)
        elif then is not None:
            then()

    def _end(self, how: Then) -> None:
        self._deaf = True
        if how is Then.DROP:
            self._transport.abort()

    def _say(self, reply: str) -> None:
        self._transport.write(reply.encode() + b"\r\n")

    def _note(self, stage: Stage, code: int) -> None:
        self._sink.answers.append(Answer(stage, self._sender, self._recipient, code, time.time()))

    @property
    def _talk(self) -> Talk:
        return Talk(self._number, self._sender, self._recipient)

    # -- TLS

    @property
    def _offers_tls(self) -> bool:
        return self._sink.tls is not None and self._transport.get_extra_info("ssl_object") is None

    def _start_tls(self) -> None:
        self._waits = True
        self._tls_task = self._loop.create_task(self._upgrade())

    async def _upgrade(self) -> None:
        assert self._sink.tls is not None
        try:
            upgraded = await self._loop.start_tls(self._transport, self, self._sink.tls, server_side=True)
        except OSError:
            self._transport.abort()
            return
        assert isinstance(upgraded, asyncio.Transport)
        self._transport = upgraded
        self._waits = False
        self._read()


def _address(line: bytes) -> str:
    found = _ADDRESS.search(line)
    return found[1].decode(errors="replace") if found else ""


def _code(reply: str) -> int:
    return int(reply[:3]) if reply else 0
