"""What `make up` does: starts the system, says where it is, shows its log, restarts what dies, stops it in order."""

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import Final

from maillane_local.errors import LocalError
from maillane_local.logs import Terminal
from maillane_local.service import describe_exit
from maillane_local.settings import LocalSettings
from maillane_local.system import System

LOOK_EVERY_S: Final = 0.2
"""Between two looks at whether all processes live."""

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
"""A part that dies again and again is started after ever longer pauses, each twice the last, up to this."""

HEALTHY_S: Final = 60.0
"""A part that lived so long before it died starts again with the shortest pause."""

BAD_SETTINGS: Final = 2
"""The exit code of a service that cannot work with its settings: to start it again would change nothing."""


@dataclass(slots=True)
class _Record:
    """How a part has fared."""

    started: float
    pause_s: float = FIRST_PAUSE_S


async def run(settings: LocalSettings) -> None:
    """Runs the system until SIGINT or SIGTERM. A second signal ends everything at once.

    Raises:
        LocalError: it cannot start, or a service's settings are wrong.
    """
    terminal = Terminal()
    terminal("maillane", "starting; the first time this takes some seconds")
    stop = _stop_on_signal()
    async with _or_stopped(System(settings.data, settings=settings, sink=terminal), stop) as system:
        if system is None:
            return
        print(banner(system), flush=True)
        await Supervisor(system, terminal).watch(stop)
        terminal("maillane", "stopping")
    terminal("maillane", "stopped")


class Supervisor:
    """Keeps the parts of a system alive."""

    def __init__(self, system: System, terminal: Terminal) -> None:
        """Watches a system that has started."""
        self._system = system
        self._say = terminal
        now = asyncio.get_running_loop().time()
        self._records = {name: _Record(started=now) for name in system.pids}
        self._restarts: dict[str, asyncio.Task[None]] = {}

    async def watch(self, stop: asyncio.Event) -> None:
        """Restarts what dies until `stop` is set.

        Raises:
            LocalError: a part refuses its settings.
        """
        try:
            while not stop.is_set():
                for name, code in self._system.dead().items():
                    if name not in self._restarts:
                        self._revive(name, code)
                self._collect()
                await _set_within(stop, LOOK_EVERY_S)
        finally:
            for task in self._restarts.values():
                task.cancel()
            await asyncio.gather(*self._restarts.values(), return_exceptions=True)

    def _revive(self, name: str, code: int) -> None:
        if code == BAD_SETTINGS:
            raise LocalError(f"{name} refuses its settings; its log above says which")
        record = self._records[name]
        if asyncio.get_running_loop().time() - record.started >= HEALTHY_S:
            record.pause_s = FIRST_PAUSE_S
        self._say("maillane", f"{name} ended with {describe_exit(code)}; it starts again in {record.pause_s:.1f} s")
        self._restarts[name] = asyncio.create_task(self._restart(name, record))

    async def _restart(self, name: str, record: _Record) -> None:
        await asyncio.sleep(record.pause_s)
        record.pause_s = min(2 * record.pause_s, LONGEST_PAUSE_S)
        record.started = asyncio.get_running_loop().time()
        try:
            await self._system.restart(name)
        except LocalError as error:
            self._say("maillane", str(error))
        else:
            self._say("maillane", f"{name} runs again")

    def _collect(self) -> None:
        for name, task in list(self._restarts.items()):
            if task.done():
                del self._restarts[name]
                task.result()


def banner(system: System) -> str:
    """Where everything is."""
    urls = system.urls
    return f"""
  Maillane is up.

    Web UI      {urls["gateway"]}
    HTTP API    {urls["gateway"]}/v1     (try it: {urls["gateway"]}/docs)
    Mail        {urls["catcher"]}        what was delivered; SMTP is {urls["smtp"]}
    gRPC        scheduler {urls["scheduler"]}   ratelimit {urls["ratelimit"]}   sender {urls["sender"]}
    Metrics     {"   ".join(f"{name} {url}" for name, url in system.metrics_urls.items())}
    API token   {system.token}
                (kept in {system.folder.token_file})
    Data        {system.folder.path}

  Try `make demo` in another terminal. Ctrl-C stops it; the data stays.
"""


class _or_stopped:  # noqa: N801  # reads as a phrase
    """Enters a system, unless `stop` is set before it has started: then the start is given up, and None entered."""

    def __init__(self, system: System, stop: asyncio.Event) -> None:
        self._system = system
        self._stop = stop

    async def __aenter__(self) -> System | None:
        starting = asyncio.create_task(self._system.__aenter__())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if starting.done():
            return await starting
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return None

    async def __aexit__(self, *_: object) -> None:
        await self._system.stop()


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.is_set():
            # What a shell reports for a process that a signal ended. The kernel tells the children.
            os._exit(128 + number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    return stop


async def _set_within(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass
