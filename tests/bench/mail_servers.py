"""Postfix's smtp-sink, near or a round trip away, and its smtp-source: the least that a server and a client can do."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faults import scenario
from faults.debian import unpacked
from maillane_local.ports import LOOPBACK, free_port

from .processes import running
from .row import CannotRun

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
    program, env = program_of("smtp-sink")
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
    program, env = program_of("smtp-source")
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(program, "-d", "-s", str(connections), "-m", str(count), "-l", str(CONTENT_BYTES)),
        *("-f", "a@example.com", "-t", "b@example.com", f"{LOOPBACK}:{port}"),
        env=env,
    )
    async with asyncio.timeout(SOURCE_S):
        code = await process.wait()
    assert code == 0, f"smtp-source ended with {code}"
    return count / (time.perf_counter() - begun)


def program_of(name: str) -> tuple[str, Mapping[str, str]]:
    """Where a program of Postfix is, and its environment; out of Debian's package, whose daemon is not run.

    Raises:
        CannotRun: it cannot be had.
    """
    if installed := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return installed, dict(os.environ)
    files = debian("postfix", name)
    return str(files / "usr/sbin" / name), {**os.environ, "LD_LIBRARY_PATH": str(files / "usr/lib/postfix")}


def debian(package: str, what: str) -> Path:
    """A package's files, unpacked and not installed.

    Raises:
        CannotRun: it cannot be had.
    """
    try:
        return unpacked(package, what)
    except scenario.CannotRun as error:
        raise CannotRun(str(error)) from error
