"""Of several runs: their median, and how far they lie apart. Pure."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, with the least and the most of them."""

    median: float
    least: float
    most: float
    count: int


def spread(values: Iterable[float]) -> Spread:
    """Of at least one value.

    Raises:
        statistics.StatisticsError: there is none.
    """
    found = sorted(values)
    return Spread(statistics.median(found), found[0], found[-1], len(found))


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value below or at which so many percent of all lie (nearest rank); `values` in any order, not empty."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def rounded(value: float) -> str:
    """A figure in as many digits as are worth reading: 51,200; 740; 54.3; 0.071."""
    if abs(value) >= 10_000:
        return f"{round(value, -2):,.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.2f}".rstrip("0").rstrip(".")
