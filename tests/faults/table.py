"""Results as a table to read, and as JSON to keep."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from support.documents import ROOT, with_measured

from .scenario import Result

RESULTS: Final = ROOT / ".build/faults.json"
DOCUMENT: Final = ROOT / "docs/reliability.md"


def keep(results: Sequence[Result], path: Path = RESULTS) -> None:
    """Adds results to those that are kept: of each scenario the newest."""
    kept: dict[str, Any] = {}
    if path.exists():
        kept = {f"{row['row']} {row['scenario']}": row for row in json.loads(path.read_text())}
    kept |= {f"{result.row} {result.scenario}": asdict(result) for result in results}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(sorted(kept.values(), key=lambda row: row["row"]), indent=2, default=str) + "\n")


def write(result: Result, path: Path) -> None:
    """One result as JSON: the fields of `Result`."""
    path.write_text(json.dumps(asdict(result), default=str))


def line(result: Result) -> str:
    """One result, with what does not hold below it."""
    measured = ", ".join(f"{name} {value}" for name, value in result.measured.items())
    head = f"{result.row:>2}  {result.scenario:<32} {result.took_s:>6.1f} s  seed {result.seed}  {result.verdict}"
    return "\n".join([head, f"    {measured}", *(f"    broken: {claim}" for claim in result.broken)])


def write_document() -> None:
    """Writes the table of docs/reliability.md anew, from what is kept.

    Raises:
        FileNotFoundError: nothing is.
    """
    DOCUMENT.write_text(with_measured(DOCUMENT.read_text(), markdown(json.loads(RESULTS.read_text()))))


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The table of docs/reliability.md."""
    lines = ["| # | scenario | must show | measured | seed, date | verdict |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        measured = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in row["measured"].items())
        lines.append(
            f"| {row['row']} | {row['scenario']} | {row['must']} | {measured} in {row['took_s']:.0f} s "
            f"| {row['seed']}, {row['date']} | {row['verdict']} |"
        )
    return "\n".join(lines) + "\n"
