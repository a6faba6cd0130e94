"""A TCP proxy that delays each direction by half a round trip, and limits nothing: `delay.py PORT TARGET_PORT RTT_MS`.

What comes is let go in its order, at its instant: as on a long wire, and unlike a server that sleeps before it answers.
Run as a program, so that its work is a process of its own.
"""

import asyncio
import socket
import sys
from collections import deque
from typing import Final, cast

import uvloop

LOOPBACK: Final = "127.0.0.1"


class _End(asyncio.Protocol):
    """One end of a connection; what it hears leaves by the other end, later."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes | None] = deque()
        self._transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Not by isinstance: uvloop's transports are only like asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pass_on(None)

    def _pass_on(self, data: bytes | None) -> None:
        self._waiting.append(data)
        self._loop.call_later(self._delay_s, self._let_go)

    def _let_go(self) -> None:
        # Timers of one instant fire in any order; what waits leaves in the order in which it came.
        data = self._waiting.popleft()
        out = self.other._transport if self.other else None
        if out is None:
            # The far end is still being connected to: only where the client speaks first, and at once.
            self._waiting.appendleft(data)
            self._loop.call_later(self._delay_s, self._let_go)
        elif data is None:
            out.close()
        else:
            out.write(data)


class _Accepted(_End):
    """The client's end: it connects to the target half a round trip later."""

    def __init__(self, delay_s: float, target: int) -> None:
        super().__init__(delay_s)
        self._target = target
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._task = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        await asyncio.sleep(self._delay_s)
        far = _End(self._delay_s)
        far.other = self
        await self._loop.create_connection(lambda: far, LOOPBACK, self._target)
        self.other = far


async def _serve(port: int, target: int, rtt_ms: float) -> None:
    delay_s = rtt_ms / 2000
    server = await asyncio.get_running_loop().create_server(lambda: _Accepted(delay_s, target), LOOPBACK, port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
