"""A small SMTP server that behaves, except where its script says otherwise."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from ssl import SSLContext

from maillane_chassis.reach import LOOPBACK
from maillane_sender.smtp import ConnectSettings, Guard, Security, Timeouts, Transport


class Do(Enum):
    """What a script can ask for, beside words (`str`, one reply) and noise (`bytes`, as they are)."""

    DROP = "close the connection at once"
    HANG = "say nothing more, and keep the connection"
    WAIT = "the usual answer, once the server is released"
    BEHAVE = "the usual answer"


Act = str | bytes | Do
Script = Mapping[str, Sequence[Act | tuple[Act, ...]]]
"""For each event, what to do the first time, the second time and so on; then, and for others, the usual.

Events are the commands, and GREETING and CONTENT. Several acts in a tuple happen one after the other.
"""

USUAL = {
    "GREETING": "220 scripted ESMTP",
    "MAIL": "250 2.1.0 sender ok",
    "RCPT": "250 2.1.5 recipient ok",
    "DATA": "354 go ahead",
    "RSET": "250 2.0.0 reset",
    "QUIT": "221 2.0.0 bye",
    "STARTTLS": "220 2.0.0 ready",
    "AUTH": "235 2.7.0 welcome",
}

QUICK = Timeouts(connect_s=0.6, envelope_s=0.15, content_s=0.15, quit_s=0.15)
"""For tests that run into a deadline."""

PATIENT = Timeouts(connect_s=10, envelope_s=10, content_s=10, quit_s=1)
"""For all others, so that a busy machine fails none."""


@dataclass
class Scripted:
    """What it is told, and what it saw."""

    script: dict[str, list[Act | tuple[Act, ...]]]
    extensions: Sequence[str]
    starttls: SSLContext | None
    intolerant: bool
    port: int = 0
    connections: int = 0
    open: int = 0
    most_open: int = 0
    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    reached: dict[str, asyncio.Event] = field(default_factory=dict)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def event(self, name: str) -> asyncio.Event:
        """Set once this event was met."""
        return self.reached.setdefault(name, asyncio.Event())

    @property
    def verbs(self) -> list[str]:
        return [(command.split() or [""])[0].upper() for command in self.commands]

    def received(self) -> bytes:
        """What has arrived on the newest connection and was not read yet."""
        return bytes(self.reader._buffer)  # type: ignore[attr-defined]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.reader = reader
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        with contextlib.suppress(OSError, asyncio.CancelledError, _Dropped):
            await self._converse(reader, writer)
        self.open -= 1
        writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._act("GREETING", writer)
        expected = ""
        while line := await reader.readline():
            self.commands.append(line.decode(errors="replace").rstrip("\r\n"))
            verb = self.verbs[-1]
            if self.intolerant and reader._buffer and verb == "MAIL":  # type: ignore[attr-defined]
                return
            out_of_place = (verb in ("RCPT", "DATA") and verb != expected) or (verb == "MAIL" and expected)
            if out_of_place and not self.script.get(verb):
                writer.write(b"503 5.5.1 not now\r\n")
                continue
            said = await self._act(verb, writer)
            if said.startswith("250"):
                expected = {"MAIL": "RCPT", "RCPT": "DATA"}.get(verb, "")
            elif said.startswith("354"):
                expected = ""
            if verb == "STARTTLS" and said.startswith("220"):
                assert self.starttls is not None
                await writer.start_tls(self.starttls)
            if verb == "DATA" and said.startswith("354"):
                await self._take_content(reader, writer)
            if verb == "QUIT":
                return

    async def _take_content(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                return
            lines.append(line)
        self.messages.append(b"".join(lines))
        await self._act("CONTENT", writer)

    async def _act(self, event: str, writer: asyncio.StreamWriter) -> str:
        self.event(event).set()
        todo = self.script.get(event)
        acts = todo.pop(0) if todo else Do.BEHAVE
        said = ""
        for act in acts if isinstance(acts, tuple) else (acts,):
            if act is Do.DROP:
                await writer.drain()
                raise _Dropped
            if act is Do.HANG:
                await self.released.wait()
                raise _Dropped
            if act is Do.WAIT:
                await self.released.wait()
            if isinstance(act, bytes):
                writer.write(act)
            elif isinstance(act, str):
                said = said or act
                writer.write(act.encode() + b"\r\n")
            else:
                said = said or self._usual(event)
                writer.write(self._usual(event).encode() + b"\r\n")
        await writer.drain()
        return said

    def _usual(self, event: str) -> str:
        if event == "EHLO":
            return "\r\n".join([*(f"250-{word}" for word in ("scripted", *self.extensions)), "250 HELP"])
        if event == "CONTENT":
            return f"250 2.0.0 queued as {len(self.messages)}"
        return USUAL.get(event, "500 5.5.1 what?")


@contextlib.asynccontextmanager
async def scripted(
    script: Script | None = None,
    *,
    extensions: Sequence[str] = ("PIPELINING", "ENHANCEDSTATUSCODES"),
    tls: SSLContext | None = None,
    starttls: SSLContext | None = None,
    intolerant: bool = False,
) -> AsyncIterator[Scripted]:
    """Runs such a server on a port of its own. An `intolerant` one hangs up on pipelined commands, which it offers."""
    plan = {event: list(acts) for event, acts in (script or {}).items()}
    server = Scripted(plan, extensions, starttls, intolerant)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        server.released.set()
        listening.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks)


def settings(timeouts: Timeouts = PATIENT, **changes: object) -> ConnectSettings:
    """Settings that let tests reach this machine, at any port."""
    guard = Guard(allowed=LOOPBACK, extra_ports=frozenset(range(1024, 65536)))
    return ConnectSettings(**{"guard": guard, "timeouts": timeouts, **changes})  # type: ignore[arg-type]


def transport(port: int, **changes: object) -> Transport:
    """A mailbox on this machine, without encryption or AUTH."""
    plain = {"host": "127.0.0.1", "port": port, "security": Security.NONE, "username": "", "password": ""}
    mailbox = {"mailbox_id": "1", "revision": 1, "max_connections": 5}
    return Transport(**{**plain, **mailbox, **changes})  # type: ignore[arg-type]


class _Dropped(Exception):
    """The script wants the connection closed."""
