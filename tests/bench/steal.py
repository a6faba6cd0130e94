"""What became of this machine's time: what the hypervisor gave to others (steal), and what was used."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

Ticks: TypeAlias = tuple[int, int, int]
"""Stolen, idle, and all, since the machine started."""

CALM_PERCENT: Final = 5.0
"""A run with more steal says little: the machine's speed drifted under it."""

_IDLE: Final = slice(3, 5)
_STOLEN: Final = 7
_FIELDS: Final = 8
"""Of the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. Guests are within user."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the time of all cores, in percent.

    Attributes:
        busy: used by anybody on this machine.
    """

    steal: float
    busy: float


def ticks() -> Ticks:
    """The machine's counters now."""
    return parsed(Path("/proc/stat").read_text())


def parsed(stat: str) -> Ticks:
    """Ticks as /proc/stat has them."""
    fields = [int(field) for field in stat.splitlines()[0].split()[1:]]
    return fields[_STOLEN], sum(fields[_IDLE]), sum(fields[:_FIELDS])


def shares(before: Ticks, after: Ticks) -> Shares:
    """What became of the time between two looks."""
    stolen, idle, total = (now - then for now, then in zip(after, before, strict=True))
    part = 100 / max(1, total)
    return Shares(part * stolen, part * (total - idle - stolen))
