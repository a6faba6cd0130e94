"""What processes have used, out of /proc; and those that a measurement starts beside the system."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from maillane_local.child import Child
from support.programs import listening

TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")

LAST_WORDS_CHARS: Final = 800

_USED: Final = slice(11, 15)
"""Of /proc/<pid>/stat, after the name: user and system time, and those of children that have ended."""


def cpu_s(pid: int) -> float:
    """What a process and its children have used."""
    return sum(map(_own_s, _tree(pid)))


def peak_mib(pid: int) -> float:
    """The most memory that it held at once (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def forget_peak(pid: int) -> None:
    """Lets `peak_mib` begin at what it holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def output_of(command: Sequence[str | Path], within_s: float, env: Mapping[str, str] | None = None) -> str:
    """What a program says until it ends; it does not outlive this.

    Raises:
        RuntimeError: it failed; with its last words.
        TimeoutError: it does not end.
    """
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(within_s):
            said, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = complaint.decode(errors="replace")[-LAST_WORDS_CHARS:]
        raise RuntimeError(f"{' '.join(map(str, command[:2]))} ended with {process.returncode}: {last}")
    return said.decode()


@asynccontextmanager
async def running(
    command: Sequence[str | Path], *, port: int, env: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """A process beside the system, from when it listens until the body ends.

    Raises:
        TimeoutError: it does not listen.
    """
    with Path(os.devnull).open("wb") as nowhere:
        child = Child(command, env=env, output=nowhere)
    try:
        await listening(port)
        yield child
    finally:
        await child.kill()


def _own_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[_USED])) * TICK_S


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in children:
        yield from _tree(int(child))
