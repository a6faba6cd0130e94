"""Processes of an earlier run whose supervisor was killed."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

from maillane_local.data_folder import DataFolder

PATIENCE_S = 15.0
"""How long they may take to end by themselves: a sender that drains takes ten seconds."""

POLL_S = 0.05
"""Between two looks."""

SAME_START_S = 1.0
"""Start times that differ by less are one process's: they are derived from the boot time, which is rounded."""

_NAME = "processes"


def note(folder: DataFolder, pids: Mapping[str, int]) -> None:
    """Notes which processes run now, each with its start, for its id alone may be another's by then."""
    running: dict[str, object] = {}
    for name, pid in pids.items():
        with suppress(psutil.NoSuchProcess):
            running[name] = [pid, psutil.Process(pid).create_time()]
    folder.remember(_NAME, running)


async def end(folder: DataFolder) -> list[str]:
    """Ends what an earlier run left: first by asking, and after `PATIENCE_S` by SIGKILL. Returns their names."""
    left = {name: process for name, entry in folder.remembered(_NAME).items() if (process := _alive(entry))}
    for process in left.values():
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    deadline = time.monotonic() + PATIENCE_S
    while any(map(_runs, left.values())) and time.monotonic() < deadline:
        await asyncio.sleep(POLL_S)
    for process in left.values():
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return sorted(left)


def _alive(entry: object) -> psutil.Process | None:
    match entry:
        case [int(pid), float(started)]:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if abs(process.create_time() - started) < SAME_START_S and _runs(process):
                    return process
    return None


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
