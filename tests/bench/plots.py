"""The plots of docs/benchmarks.md: each row's figures beside target, peers and limits; claims over what is pending."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, cast

from support.documents import ROOT

from . import svg
from .rounds import Run
from .row import OURS, Line, Row
from .spread import Spread
from .table import by_contestant, goal_words

IMAGES: Final = ROOT / "docs/images"

_SIZED: Final = "p99_ms_"
"""Begins the keys of lines that are one figure at several sizes."""


def plots_of(row: Row, runs: Sequence[Run]) -> dict[str, str]:
    """SVGs by file name. Nothing is drawn of a line that has neither a target nor anybody beside ours."""
    drawn = {}
    if panels := list(_panels(row, runs)):
        drawn[f"bench-{row.name}.svg"] = svg.bars(panels)
    if len(points := list(_points(row, runs))) > 1:
        title = "claims of fifteen, 99th percentile"
        drawn[f"bench-{row.name}-claims.svg"] = svg.line(title, "messages pending (logarithmic)", "ms", points)
    return drawn


def write_plots(drawn: Mapping[str, str], folder: Path = IMAGES) -> None:
    """Writes them in place of all that were there."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("bench-*.svg"):
        old.unlink()
    for name, text in drawn.items():
        (folder / name).write_text(text)


def _panels(row: Row, runs: Sequence[Run]) -> Iterator[svg.Bars]:
    for line in row.lines:
        found = by_contestant(runs, line.key)
        if line.key.startswith(_SIZED) or not found or (line.goal is None and len(found) == 1):
            continue
        bars = [_bar(_shown(name), row.kinds[name], each) for name, each in found.items()]
        yield svg.Bars(line.what, line.unit, bars, _target(line))


def _points(row: Row, runs: Sequence[Run]) -> Iterator[tuple[float, float]]:
    for line in row.lines:
        found = by_contestant(runs, line.key)
        if line.key.startswith(_SIZED) and OURS in found:
            yield float(line.key.removeprefix(_SIZED)), found[OURS].median


def _target(line: Line) -> tuple[float, str] | None:
    if line.goal is None:
        return None
    bound = line.goal.least if line.goal.least is not None else line.goal.most
    # A target of none (nothing out of order) is the axis itself.
    return (bound, goal_words(line.goal, line.unit)) if bound else None


def _bar(name: str, kind: str, each: Spread) -> svg.Bar:
    return svg.Bar(name, cast('Literal["ours", "peer", "limit"]', kind), each.median, each.least, each.most)


def _shown(contestant: str) -> str:
    return "Maillane" if contestant == OURS else contestant
