"""One of our own processes: started with its environment, read line by line, and looked at until it is ready."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Final

from maillane_local.child import Child
from maillane_local.errors import LocalError
from maillane_local.health import Look
from maillane_local.ports import is_listening

START_S: Final = 60.0
"""How long it may take until it is ready: a few seconds, but all start at once, on machines with a core or two."""

LOOK_EVERY_S: Final = 0.1
"""Between two looks at whether it is ready."""

LONGEST_LINE: Final = 64 * 1024
"""More than that of one line of its log is read as further lines."""

KEPT_LINES: Final = 20
"""How much of its log is kept to say why it ended."""

LineSink = Callable[[str, str], None]
"""Takes a line of a process's log: (name of the process, line). Called from several threads."""


@dataclass(frozen=True, slots=True)
class Part:
    """What to start, and how to know that it is there."""

    name: str
    module: str
    env: Mapping[str, str]
    port: int
    ready: Look
    # How long it may take to end when it is asked to; its own drain must fit.
    grace_s: float


class Service:
    """One process of a part; it may be started again after it ended."""

    def __init__(self, part: Part, sink: LineSink) -> None:
        """Describes it; `start` starts it."""
        self.part = part
        self._sink = sink
        self._child: Child | None = None
        self._reader: threading.Thread | None = None
        self._last_lines: deque[str] = deque(maxlen=KEPT_LINES)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running.pid

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._running.exit_code()

    async def start(self) -> None:
        """Starts it and returns once it is ready.

        Raises:
            LocalError: it ended, or is not ready in time; the error ends with the last line of its log.
        """
        self.spawn()
        await self.ready()

    def spawn(self) -> None:
        """Starts it, and does not wait."""
        self._child = Child(
            # -P: the working directory's modules are not ours.
            [sys.executable, "-P", "-m", self.part.module],
            env={**self.part.env, "PYTHONUNBUFFERED": "1"},
            output=subprocess.PIPE,
        )
        assert self._child.stdout is not None
        # A thread, so that a process never waits for a reader whose event loop is busy.
        self._reader = threading.Thread(target=self._read, args=(self._child.stdout,), daemon=True)
        self._reader.start()

    async def ready(self) -> None:
        """Returns once it is ready.

        Raises:
            LocalError: as `start`.
        """
        deadline = time.monotonic() + START_S
        while self.exit_code() is None and time.monotonic() < deadline:
            # Another program may have its port, and answer there.
            if is_listening(self.pid, self.part.port) and await self.part.ready():
                return
            await asyncio.sleep(LOOK_EVERY_S)
        code = self.exit_code()
        if code is None:
            await self.stop()
        self._finish_reading()
        how = f"is not ready after {START_S:.0f} s" if code is None else f"ended with {describe_exit(code)}"
        raise LocalError(f"{self.part.name} {how}; its last line: {self.last_line}")

    async def stop(self) -> None:
        """Asks it to end, and kills it after its grace; one that does not run is no error."""
        if self._child is not None:
            if not await self._child.stop(signal.SIGTERM, self.part.grace_s):
                self._sink(self.part.name, f"did not end within {self.part.grace_s:.0f} s, and was killed")
            self._finish_reading()

    async def kill(self) -> None:
        """Ends it at once, as a crash would."""
        await self._running.kill()
        self._finish_reading()

    @property
    def last_line(self) -> str:
        """The last that it said."""
        return self._last_lines[-1] if self._last_lines else "nothing"

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise LocalError(f"{self.part.name} was not started")
        return self._child

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while raw := stream.readline(LONGEST_LINE):
                line = raw.decode(errors="replace").rstrip()
                self._last_lines.append(line)
                self._sink(self.part.name, line)

    def _finish_reading(self) -> None:
        if self._reader is not None:
            # Bounded, for a process that it started might hold the pipe open.
            self._reader.join(timeout=1)


def describe_exit(code: int) -> str:
    """An exit code in words: "exit code 2", "signal SIGKILL"."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"


def run_once(name: str, module: str, *arguments: str, env: Mapping[str, str], timeout_s: float) -> None:
    """Runs a command of one of our packages to its end.

    Raises:
        LocalError: it failed or took too long; the error ends with the last line of its output.
    """
    command = [sys.executable, "-P", "-m", module, *arguments]
    try:
        done = subprocess.run(
            command,
            env=dict(env),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise LocalError(f"{name} took more than {timeout_s:.0f} s") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        last = said[-1] if said else "nothing"
        raise LocalError(f"{name} ended with {describe_exit(done.returncode)}; its last line: {last}")


def ambient(*without: str) -> dict[str, str]:
    """Our own environment, less the variables named: what a process need not know it is not told."""
    return {name: value for name, value in os.environ.items() if name not in without}
