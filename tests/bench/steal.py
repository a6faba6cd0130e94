"""Hypervisor steal: the share of this machine's time that others got."""

from pathlib import Path
from typing import Final, TypeAlias

Ticks: TypeAlias = tuple[int, int]
"""Stolen, and all, since the machine started."""

CALM_PERCENT: Final = 5.0
"""A run with more says little: the machine's speed drifted under it."""

_STOLEN: Final = 7
_FIELDS: Final = 8
"""Of the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. Guests are within user."""


def steal() -> Ticks:
    """What the machine has lost until now."""
    return parsed(Path("/proc/stat").read_text())


def parsed(stat: str) -> Ticks:
    """Ticks as /proc/stat has them."""
    ticks = [int(field) for field in stat.splitlines()[0].split()[1:]]
    return ticks[_STOLEN], sum(ticks[:_FIELDS])


def percent(before: Ticks, after: Ticks) -> float:
    """What was stolen between two looks."""
    stolen, total = (now - then for now, then in zip(after, before, strict=True))
    return 100 * stolen / max(1, total)


def steal_since(before: Ticks) -> float:
    """What was stolen since a look, in percent."""
    return percent(before, steal())
