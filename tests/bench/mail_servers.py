"""Postfix's smtp-sink, near or a round trip away, and its smtp-source: the least that a server and a client can do."""

import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maillane_local.ports import LOOPBACK, free_port
from support.programs import postfix_program

from .processes import output_of, running

BACKLOG: Final = "100"
SOURCE_S: Final = 120.0
CONTENT_BYTES: Final = 1900
"""About what a mail of ours has, headers and both parts."""

_DELAY: Final = Path(__file__).with_name("delay.py")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes: the sink's own port, or one behind which the sink is a round trip away."""

    port: int
    pid: int


@asynccontextmanager
async def sink(rtt_ms: float = 0) -> AsyncIterator[MailServer]:
    """A sink that takes everything, with PIPELINING.

    Raises:
        CannotRun: it is not installed, and Debian's package cannot be had.
    """
    program, env = postfix_program("smtp-sink")
    # As root it wants to be somebody else.
    somebody = ("-u", "nobody") if os.geteuid() == 0 else ()
    near = free_port()
    async with AsyncExitStack() as stack:
        command = [program, *somebody, f"{LOOPBACK}:{near}", BACKLOG]
        process = await stack.enter_async_context(running(command, port=near, env=env))
        port = near
        if rtt_ms:
            port = free_port()
            await stack.enter_async_context(
                running([sys.executable, _DELAY, str(port), str(near), str(rtt_ms)], port=port)
            )
        yield MailServer(port, process.pid)


async def source(port: int, count: int, connections: int) -> float:
    """Sends `count` mails over as many connections, which stay open; returns mails a second.

    Raises:
        CannotRun: as `sink`.
        TimeoutError: it does not end.
    """
    program, env = postfix_program("smtp-source")
    begun = time.perf_counter()
    what = ("-d", "-s", str(connections), "-m", str(count), "-l", str(CONTENT_BYTES))
    whom = ("-f", "a@example.com", "-t", "b@example.com", f"{LOOPBACK}:{port}")
    await output_of([program, *what, *whom], SOURCE_S, env)
    return count / (time.perf_counter() - begun)
