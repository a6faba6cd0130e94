"""Results as a table to read, and as JSON to keep."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from support.documents import ROOT

from .rounds import Run
from .row import Form, Goal, Line, Row
from .spread import Spread, rounded, spread
from .steal import CALM_PERCENT

RESULTS: Final = ROOT / ".build/bench.json"
DOCUMENT: Final = ROOT / "docs/benchmarks.md"

NOT_MEASURED: Final = "–"


@dataclass(frozen=True, slots=True)
class Cells:
    """A line of the table, ready to be written."""

    what: str
    target: str
    ours: str
    limit: str
    peers: str
    verdict: str
    steal: str


def keep(row: Row, runs: Sequence[Run], form: Form, machine: Mapping[str, str], path: Path = RESULTS) -> None:
    """Keeps a row's runs, instead of those that were kept of it before, but for quick ones in place of long ones.

    Other rows stay as they are.
    """
    kept = kept_results(path)
    if form.quick and kept["rows"].get(row.name, {}).get("form") == Form().name:
        return
    kept["machine"] = dict(machine)
    kept["rows"][row.name] = {
        "form": form.name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": machine.get("commit", ""),
        "runs": [asdict(run) for run in runs],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def kept_results(path: Path = RESULTS) -> dict[str, Any]:
    """What is kept: `machine`, and `rows` by name, each with form, date and runs; empty at first."""
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    return {"machine": {}, "rows": {}}


def runs_of(kept: Mapping[str, Any], row: Row) -> list[Run]:
    """A row's runs out of what was kept."""
    return [Run(**run) for run in kept["rows"].get(row.name, {"runs": []})["runs"]]


def by_contestant(runs: Sequence[Run], key: str) -> dict[str, Spread]:
    """Of each contestant that has the figure, its spread over the runs."""
    names = dict.fromkeys(run.contestant for run in runs if key in run.figures)
    return {
        name: spread(run.figures[key] for run in runs if run.contestant == name and key in run.figures)
        for name in names
    }


def lines(row: Row, runs: Sequence[Run], form: Form) -> Iterator[Cells]:
    """The lines of a row."""
    for line in row.lines:
        found = by_contestant(runs, line.key)
        kinds = row.kinds
        ours = {name: each for name, each in found.items() if kinds[name] == "ours"}
        peers = {name: each for name, each in found.items() if kinds[name] == "peer"}
        limits = {name: each for name, each in found.items() if kinds[name] == "limit"}
        yield Cells(
            what=line.what,
            target=_target(line),
            ours=_named(ours, line.unit)
            if len(ours) > 1
            else "".join(_shown(each, line.unit) for each in ours.values()),
            limit="; ".join(filter(None, [line.bound, _named(limits, line.unit)])),
            peers="; ".join(filter(None, [_named(peers, line.unit), line.peers_note if peers else ""])),
            verdict=verdict(line, ours, peers, form),
            steal=_steal(runs),
        )


def verdict(line: Line, ours: Mapping[str, Spread], peers: Mapping[str, Spread], form: Form) -> str:
    """Whether the median of ours, of each that there are, is what it should be. A quick run judges nothing."""
    if line.goal is None or not ours:
        return NOT_MEASURED
    if form.quick:
        return "quick"
    best_peer = max((each.median for each in peers.values()), default=0.0)
    least = (line.times_peer or 0.0) * best_peer
    is_met = all(line.goal.met(each.median) and each.median >= least for each in ours.values())
    return "met" if is_met else "missed"


def text(row: Row, runs: Sequence[Run], form: Form) -> str:
    """A row for a terminal."""
    blocks = []
    for cells in lines(row, runs, form):
        head = f"{row.name:<9} {cells.what:<58} {cells.ours or NOT_MEASURED}"
        beside = [
            f"target {cells.target}" if cells.target else "",
            f"limit {cells.limit}" if cells.limit else "",
            f"peers {cells.peers}" if cells.peers else "",
            f"steal {cells.steal}",
        ]
        blocks.append(f"{head}   [{cells.verdict}]\n{'':10}{' · '.join(filter(None, beside))}")
    return "\n".join(blocks)


def in_long_form(rows: Sequence[Row], kept: Mapping[str, Any]) -> list[Row]:
    """The rows that were run so."""
    return [row for row in rows if kept["rows"].get(row.name, {}).get("form") == Form().name]


def markdown(rows: Sequence[Row], kept: Mapping[str, Any], plots: Sequence[str] = ()) -> str:
    """The figures of docs/benchmarks.md: of the long form, on what, and which rows have none; plots by file name."""
    head = [
        "",
        "| what | target | Maillane | limit | peers | verdict | runs, steal | commit, date |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    body = []
    long = Form()
    measured = in_long_form(rows, kept)
    for row in measured:
        taken, runs = kept["rows"][row.name], runs_of(kept, row)
        rounds = 1 + max(run.round for run in runs)
        for cells in lines(row, runs, long):
            taken_as = (f"{rounds}, {cells.steal}", f"{taken['commit']}, {taken['date']}")
            parts = (cells.what, cells.target, cells.ours, cells.limit, cells.peers, cells.verdict, *taken_as)
            body.append(f"| {' | '.join(part or NOT_MEASURED for part in parts)} |")
    missing = ", ".join(f"`{row.name}`" for row in rows if row not in measured)
    tail = ["", f"Not measured in the long form yet: {missing}."] if missing else []
    on = ", ".join(f"{name} {value}" for name, value in kept["machine"].items() if name != "commit")
    shown = [f"\n![{name.removesuffix('.svg')}](images/{name})" for name in plots]
    return "\n".join([f"On: {on}.", *head, *body, *tail, *shown]) + "\n"


def goal_words(goal: Goal, unit: str) -> str:
    """A goal as a table or plot says it."""
    parts = [f"≥ {goal.least:,g}"] if goal.least is not None else []
    parts += [f"≤ {goal.most:,g}"] if goal.most is not None else []
    return " and ".join(f"{part} {unit}".rstrip() for part in parts)


def _target(line: Line) -> str:
    parts = [goal_words(line.goal, line.unit)] if line.goal else []
    if line.times_peer:
        parts.append(f"≥ {line.times_peer:g} × the best peer")
    return ", ".join(parts)


def _shown(each: Spread, unit: str) -> str:
    apart = f" ({rounded(each.least)}–{rounded(each.most)})" if each.count > 1 else ""
    return f"{rounded(each.median)}{apart} {unit}".rstrip()


def _named(found: Mapping[str, Spread], unit: str) -> str:
    return "; ".join(f"{name} {_shown(each, unit)}" for name, each in found.items())


def _steal(runs: Sequence[Run]) -> str:
    """The most that a run which counts had."""
    worst = max((run.steal for run in runs), default=0.0)
    return f"{worst:.1f} %" + (" (not calm)" if worst > CALM_PERCENT else "")
