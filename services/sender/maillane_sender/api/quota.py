"""How often a workspace may have something done, so that nobody makes a port scanner of us."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

MAX_WORKSPACES: Final = 10_000
"""Remembered; the one that asked longest ago is forgotten first."""


class Quota:
    """At most `count` in any `per_s` seconds, by workspace."""

    def __init__(self, count: int, per_s: float) -> None:
        self._count = count
        self._per_s = per_s
        self._taken: OrderedDict[int, deque[float]] = OrderedDict()

    def take(self, workspace_id: int, now_s: float) -> float:
        """Takes one; returns 0, or where there is none, in how many seconds there is."""
        taken = self._taken.setdefault(workspace_id, deque())
        self._taken.move_to_end(workspace_id)
        if len(self._taken) > MAX_WORKSPACES:
            self._taken.popitem(last=False)
        while taken and taken[0] <= now_s - self._per_s:
            taken.popleft()
        if len(taken) >= self._count:
            return taken[0] + self._per_s - now_s
        taken.append(now_s)
        return 0.0
