"""A wire tap: it stands before a mail server, passes on what clients write, and looks at each byte of it."""

import asyncio
import re
from collections import Counter
from types import TracebackType
from typing import Final, Self

LOOPBACK: Final = "127.0.0.1"
PIECE: Final = 64 * 1024
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_COMMAND = re.compile(rb"(EHLO|MAIL FROM|RCPT TO|DATA|RSET|QUIT|NOOP|HELO|AUTH|STARTTLS)\b", re.IGNORECASE)


class Tap:
    """Counts what a reader of lines might make of a conversation that it does not take for one of SMTP's.

    Attributes:
        bare: CRs without LF and LFs without CR, wherever they stood.
        verbs: commands, by verb; what follows DATA up to the lone dot is content and has none.
        strange: lines outside of content that are no command that the sender uses.
    """

    def __init__(self, target: int) -> None:
        """`target`: the server's port on this machine."""
        self.port = 0
        self.bare = 0
        self.verbs: Counter[str] = Counter()
        self.strange: list[bytes] = []
        self._target = target
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        from_server, to_server = await asyncio.open_connection(LOOPBACK, self._target)
        back = asyncio.create_task(_pass_on(from_server, writer))
        listening = _Listening(self)
        try:
            while piece := await reader.read(PIECE):
                listening.take(piece)
                to_server.write(piece)
                await to_server.drain()
        except OSError:
            pass
        finally:
            listening.end()
            back.cancel()
            to_server.transport.abort()
            writer.transport.abort()


class _Listening:
    """One conversation, as it goes by."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._line = b""
        self._in_content = False

    def take(self, piece: bytes) -> None:
        *lines, self._line = (self._line + piece).split(b"\r\n")
        for line in lines:
            self._whole(line)

    def end(self) -> None:
        if self._line:
            self._whole(self._line)

    def _whole(self, line: bytes) -> None:
        self._tap.bare += len(_BARE.findall(line))
        if self._in_content:
            self._in_content = line != b"."
        elif found := _COMMAND.match(line):
            self._tap.verbs[found[1].decode().upper()] += 1
            self._in_content = found[1].upper() == b"DATA"
        else:
            self._tap.strange.append(line[:200])


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
