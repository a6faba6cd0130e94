"""How time is cut into windows: the arithmetic of `counters/lua/window.lua`, in exact integers.

The scripts cut by themselves, for only they know Redis's time at the moment they count. This module names the buckets
of a restore, whose times come from outside; a test holds the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A span over which permits are counted, in numbered buckets.

    A fixed window (`parts` 0) is one bucket, which counts until it ends. A rolling one (`parts` n) is cut into buckets
    of length / n, and each counts for n + 1 of them: a bucket may have been filled at its very end, so what was granted
    less than one length ago lies in the current bucket or in one of the n before it.

    All times and spans are in µs; times since the epoch.
    """

    length_us: int
    offset_us: int = 0
    parts: int = 0

    def number(self, time_us: int) -> int:
        """The bucket into which an instant falls."""
        return (time_us + self.offset_us) * self._steps // self.length_us

    def start_us(self, number: int) -> int:
        """The first instant of a bucket. Where the length does not divide evenly, buckets differ by 1 µs."""
        return -(-number * self.length_us // self._steps) - self.offset_us

    def counts_until_us(self, number: int) -> int:
        """The first instant at which a bucket counts no longer."""
        return self.start_us(number + self.parts + 1)

    @property
    def _steps(self) -> int:
        """Buckets in one length."""
        return max(self.parts, 1)
