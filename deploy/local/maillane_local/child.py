"""A process that we start, watch and end."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

POLL_S = 0.02
"""Between two looks at a process that is starting or ending: short beside both, and costs one system call."""

KILL_WAIT_S = 5.0
"""How long a killed process may take to vanish: longer means that it hangs in the kernel."""

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and the group that a child runs as."""

    uid: int
    gid: int


class Child:
    """One process. Not tied to an event loop: it may be started in one and stopped in another.

    When we die without a word (kill -9), the kernel sends the child its death signal, so that no orphan holds on to the
    data folder. The kernel watches the thread that started the child: start children from the main thread.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        identity: Identity | None = None,
        output: IO[bytes] | int | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Starts the process.

        Args:
            argv: the program and its arguments.
            env: its whole environment; ours if absent.
            cwd: where it runs. It is entered before the identity changes: the new identity need not reach it by path.
            identity: whom it runs as; ourselves if absent.
            output: where its standard output and errors go; ours if absent.
            death_signal: what the kernel sends it when we die.

        Raises:
            OSError: it could not be started.
        """
        self._process = subprocess.Popen(
            [os.fspath(word) for word in argv],
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            # A group of its own: Ctrl-C reaches only us, and we end our children in order.
            start_new_session=True,
            preexec_fn=_dies_with_us(death_signal),  # noqa: PLW1509  # one call, prepared before the fork
            user=identity.uid if identity else None,
            group=identity.gid if identity else None,
            extra_groups=[] if identity else None,
        )

    @property
    def pid(self) -> int:
        """Its process id, also after it ended."""
        return self._process.pid

    @property
    def stdout(self) -> IO[bytes] | None:
        """Its output, if it was started with a pipe for it."""
        return self._process.stdout

    def exit_code(self) -> int | None:
        """How it ended (minus the signal's number, if by one), or None while it runs."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal; one that has ended already is no error."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def ended(self, timeout_s: float) -> bool:
        """Waits until it has ended, at most that long. True if it has."""
        deadline = time.monotonic() + timeout_s
        while self.exit_code() is None:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def stop(self, number: signal.Signals, grace_s: float) -> bool:
        """Asks it to end, and kills it when it takes longer than the grace. True if it ended by itself."""
        self.send(number)
        if await self.ended(grace_s):
            return True
        await self.kill()
        return False

    async def kill(self) -> None:
        """Ends it at once (SIGKILL), with whatever it started in its own group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        if not await self.ended(KILL_WAIT_S):
            raise TimeoutError(f"process {self.pid} does not end")


def _dies_with_us(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Makes what asks Linux to signal the child when this thread ends; elsewhere the next start ends left-overs."""
    if sys.platform != "linux":
        return None
    # Loaded before the fork: between fork and exec only this one call may happen, for other threads may hold locks.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # we died in between, and nobody will send the signal
            os._exit(1)

    return ask
