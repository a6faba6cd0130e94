"""Draws bars and lines as SVG: legible on a light page and on a dark one. Knows nothing of what is measured. Pure."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from .spread import rounded

WIDTH: Final = 760
LABEL: Final = 170
"""For the names at the left; as much is left at the right for figures."""

BAR: Final = 22
HEAD: Final = 34
FOOT: Final = 26
LINES: Final = 240
LOG_FROM: Final = 12.0
"""Where the most is so many times the least, bars are drawn to a logarithmic scale: the shorter could not be seen."""

_STYLE: Final = """
svg { font: 13px -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; }
text { fill: #1f2328; } .quiet { fill: #59636e; font-size: 12px; } .title { font-weight: 600; }
.ours { fill: #0969da; } .peer { fill: #9a6700; } .limit { fill: #8c959f; } .axis { fill: none; stroke: #8c959f; }
.target { stroke: #1a7f37; stroke-width: 2; stroke-dasharray: 5 3; } .goal { fill: #1a7f37; font-size: 12px; }
.line { fill: none; stroke: #0969da; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .quiet { fill: #9198a1; } .ours { fill: #4493f8; } .peer { fill: #d29922; }
  .limit { fill: #656c76; } .axis { stroke: #656c76; } .target { stroke: #3fb950; } .goal { fill: #3fb950; }
  .line { stroke: #4493f8; }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure with a name; from the least to the most that was measured."""

    name: str
    kind: Literal["ours", "peer", "limit"]
    value: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars over one scale.

    Attributes:
        target: where a line is drawn across them, and how it is named there; None: nowhere.
    """

    title: str
    unit: str
    bars: Sequence[Bar]
    target: tuple[float, str] | None


def bars(panels: Sequence[Bars]) -> str:
    """Panels, one below the other."""
    parts, top = [], 0
    for panel in panels:
        parts += [f'<g transform="translate(0 {top})">', *_panel(panel), "</g>"]
        top += HEAD + BAR * len(panel.bars) + FOOT
    return _svg(top, parts)


def line(title: str, across: str, unit: str, points: Sequence[tuple[float, float]]) -> str:
    """Values over a logarithmic scale, from zero up."""
    least, most = (math.log10(pick(x for x, _ in points)) for pick in (min, max))
    height, bottom, top = LINES, LINES - 44, max(y for _, y in points) or 1.0
    wide = WIDTH - LABEL

    def at(x: float, y: float) -> tuple[float, float]:
        return 70 + wide * (math.log10(x) - least) / ((most - least) or 1), bottom - (bottom - 56) * y / top

    places = [at(*point) for point in points]
    parts = [_text(0, 20, title, "title"), f'<path class="axis" d="M60 50V{bottom}H{wide + 90}"/>']
    parts.append('<polyline class="line" points="' + " ".join(f"{x:.0f},{y:.0f}" for x, y in places) + '"/>')
    for (x, y), (size, value) in zip(places, points, strict=True):
        parts += [f'<circle class="ours" cx="{x:.0f}" cy="{y:.0f}" r="4"/>']
        parts += [_text(x, y - 9, f"{rounded(value)} {unit}", anchor="middle")]
        parts += [_text(x, bottom + 17, f"{size:,.0f}", "quiet", "middle")]
    parts += [_text(54, bottom, f"0 {unit}", "quiet", "end")]
    parts += [_text(70 + wide / 2, height - 6, across, "quiet", "middle")]
    return _svg(height, parts)


def _panel(panel: Bars) -> Iterator[str]:
    values = [bar.most for bar in panel.bars] + ([panel.target[0]] if panel.target else [])
    positive = [value for value in [*values, *(bar.value for bar in panel.bars)] if value > 0]
    most, least = max(positive, default=1.0), min(positive, default=1.0)
    is_log, wide = most / least > LOG_FROM, WIDTH - 2 * LABEL
    bottom = HEAD + BAR * len(panel.bars)

    def at(value: float) -> float:
        if is_log:
            return wide * math.log10(max(value, least / 2) * 2 / least) / math.log10(most * 2 / least)
        return wide * value / most

    yield _text(0, 20, panel.title, "title")
    for place, bar in enumerate(panel.bars):
        yield from _bar(bar, HEAD + BAR * place, at, panel.unit)
    yield f'<path class="axis" d="M{LABEL} {HEAD - 4}V{bottom + 2}H{LABEL + wide}"/>'
    if panel.target:
        x = LABEL + at(panel.target[0])
        yield f'<path class="target" d="M{x:.0f} {HEAD - 4}V{bottom + 4}"/>'
        yield _text(x, bottom + 17, panel.target[1], "goal", "middle")
    elif not is_log:
        yield _text(LABEL + wide, bottom + 17, f"{rounded(most)} {panel.unit}".rstrip(), "quiet", "end")
    yield _text(0, bottom + 17, "logarithmic" if is_log else f"from 0, {panel.unit}".rstrip(", "), "quiet")


def _bar(bar: Bar, top: int, at: Callable[[float], float], unit: str) -> Iterator[str]:
    middle, end = top + BAR / 2, LABEL + at(bar.value)
    yield _text(LABEL - 8, middle + 4, bar.name, anchor="end")
    wide, high = max(1.0, end - LABEL), BAR - 6
    yield f'<rect class="{bar.kind}" x="{LABEL}" y="{top + 3}" width="{wide:.0f}" height="{high}" rx="2"/>'
    far = max(end, LABEL + at(bar.most))
    if bar.most > bar.least:
        yield f'<path class="axis" d="M{LABEL + at(bar.least):.0f} {middle}H{far:.0f}"/>'
    yield _text(far + 6, middle + 4, f"{rounded(bar.value)} {unit}".rstrip())


def _text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    styled = f' class="{kind}"' if kind else ""
    return f'<text{styled} x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(said)}</text>'


def _svg(height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>"]) + "\n"
