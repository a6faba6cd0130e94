"""In which order a system stops: nobody is left that would call, or send for, what has ended before it."""

from pathlib import Path

import pytest
from maillane_local.parts import START_ORDER, STOP_ORDER
from maillane_local.settings import LocalSettings
from maillane_local.system import System

USES = {
    "gateway": {"scheduler"},
    "sender": {"scheduler", "catcher"},
    "scheduler": {"ratelimit", "postgres", "valkey"},
    "ratelimit": {"valkey"},
}
"""Who calls whom (docs/architecture.md); the catcher is the mail server of what is sent on this machine."""


class Part:
    """Notes when it was stopped."""

    pid = 0

    def __init__(self, name: str, stopped: list[str], *, hangs: bool = False) -> None:
        self._name = name
        self._stopped = stopped
        self._hangs = hangs

    def exit_code(self) -> int | None:
        return None

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self._stopped.append(self._name)
        if self._hangs:
            raise TimeoutError

    async def kill(self) -> None:
        pass


def test_every_part_is_stopped() -> None:
    """Each once: those that are ours, and the stores."""
    assert sorted(STOP_ORDER) == sorted([*START_ORDER, "valkey", "postgres"])


@pytest.mark.parametrize(("caller", "called"), [(caller, called) for caller in USES for called in sorted(USES[caller])])
def test_who_calls_ends_before_what_it_calls(caller: str, called: str) -> None:
    """Senders settle what they sent, and the scheduler writes it down, while there is somebody to tell."""
    assert STOP_ORDER.index(caller) < STOP_ORDER.index(called)


def test_the_stores_end_last() -> None:
    """Whatever ends before them may write to its end."""
    assert set(STOP_ORDER[-2:]) == {"valkey", "postgres"}


@pytest.mark.parametrize("hanging", [None, "sender"])
async def test_a_system_stops_in_that_order(tmp_path: Path, hanging: str | None) -> None:
    """In whichever its parts were started, and though one of them does not end in time."""
    stopped: list[str] = []
    system = System(tmp_path, settings=LocalSettings.on_free_ports(tmp_path))
    for name in reversed(STOP_ORDER):
        system._servers[name] = Part(name, stopped, hangs=name == hanging)

    await system.stop()

    assert tuple(stopped) == STOP_ORDER
