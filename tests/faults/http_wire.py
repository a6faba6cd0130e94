"""The least of an HTTP client: it sends what it is given, and reads the code of the answer."""

import asyncio
import contextlib
import re
from typing import Final

from .malformed_http import Noise

ANSWER_S: Final = 30.0
"""Beyond every deadline that the gateway has for a call: who waits longer waits for ever."""

UNFRAMED_S: Final = 0.05
"""For an answer to what is no whole request: then the client goes away in the middle of it."""

_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH: Final = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)


class Unanswered(Exception):
    """A whole request got no answer; its text shows the request."""


class Wire:
    """One connection at a time to one server, opened anew where it was closed."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, noise: Noise) -> int:
        """Sends a request; gives the code of its answer, 0 where what is no request got none.

        Raises:
            Unanswered: it was one.
        """
        if not noise.framed:
            await self.close()
        used = self._streams is not None
        code = await self._try(noise)
        if code == 0 and noise.framed and used:
            # The server may close a connection between two requests.
            code = await self._try(noise)
        if code == 0 and noise.framed:
            raise Unanswered(repr(noise.raw[:300]))
        return code

    async def close(self) -> None:
        """Hangs up."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _try(self, noise: Noise) -> int:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._address)
            reader, writer = self._streams
            writer.write(noise.raw)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_S if noise.framed else UNFRAMED_S):
                    return await self._read(reader, is_head=noise.raw.startswith(b"HEAD "), keep=noise.framed)
        except (OSError, asyncio.IncompleteReadError):
            pass
        await self.close()
        return 0

    async def _read(self, reader: asyncio.StreamReader, *, is_head: bool, keep: bool) -> int:
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(head), _LENGTH.search(head)
        assert status is not None, head
        # A stream has no length, and no end that anybody here waits for.
        if not keep or length is None or b"connection: close" in head.lower():
            await self.close()
        elif not is_head:
            await reader.readexactly(int(length[1]))
        return int(status[1])
