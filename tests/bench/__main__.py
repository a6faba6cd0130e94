"""Measures, and prints the table: `make bench ARGS="rows --quick"`; without names all rows, in some forty minutes."""

import argparse
import os
import sys
import time
from pathlib import Path

# Read when grpc is imported: its fork handlers now and then break a child before its exec.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

# What tests share is imported as `support.…`, by pytest's own setting there.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import uvloop

from .document import write_document
from .machine import machine
from .rounds import Run, Runner
from .row import Form, Row
from .rows import ROWS
from .spread import rounded
from .table import keep, text


def main() -> None:
    """Runs what was asked for."""
    options = _options()
    if options.document:
        write_document(ROWS)
        return
    chosen = _chosen(options.rows)
    if options.list:
        print("\n".join(f"{row.name:<10} {'; '.join(line.what for line in row.lines)}" for row in chosen))
        return
    trees = {name: Path(path).resolve() for name, _, path in (tree.partition("=") for tree in options.tree)}
    uvloop.run(
        _measure(
            [row.over(trees) for row in chosen] if trees else chosen,
            Form(options.quick),
            options.rounds,
            kept=not trees,
        )
    )


async def _measure(chosen: list[Row], form: Form, rounds: int | None, *, kept: bool) -> None:
    facts = machine()
    print(*(f"{name} {value}" for name, value in facts.items()), sep=", ", end="\n\n", flush=True)
    if not form.quick:
        print(f"about {sum(_estimate_s(row, rounds) for row in chosen) / 60:.0f} minutes", end="\n\n", flush=True)
    runner = Runner(form, _tell)
    tables = []
    for row in chosen:
        if row.long_only and form.quick:
            continue
        runs = await runner.row(row, rounds)
        if not runs:
            continue
        if kept:
            keep(row, runs, form, facts)
        tables.append(text(row, runs, form))
        print(tables[-1], end="\n\n", flush=True)
    if len(tables) > 1:
        print("=" * 40, *tables, sep="\n")
    for name, why in runner.missing.items():
        print(f"not run: {name}: {why}")
    for what in runner.failed:
        print(f"failed: {what}")
    form_note = " Quick: smaller sizes, one round; these figures judge nothing." if form.quick else ""
    where = "; kept in .build/bench.json" if kept else ""
    print(f"{time.monotonic() - runner.begun_s:.0f} s{where}.{form_note}")


def _estimate_s(row: Row, rounds: int | None) -> float:
    """For two calm cores, and no run that is repeated for steal."""
    return row.long_s * (rounds or row.rounds) / row.rounds


def _tell(row: Row, run: Run) -> None:
    found = ", ".join(f"{name} {rounded(value)}" for name, value in run.figures.items())
    again = f", repeated {run.repeated}" if run.repeated else ""
    print(
        f"    {row.name} {run.contestant}: {found}   "
        f"[{run.took_s:.0f} s, busy {run.busy:.0f} %, steal {run.steal:.1f} %{again}]",
        flush=True,
    )


def _chosen(names: list[str]) -> list[Row]:
    if unknown := set(names) - {row.name for row in ROWS}:
        sys.exit(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in ROWS)}")
    return [row for row in ROWS if not names or row.name in names]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("rows", nargs="*", help="names of rows; all, if none is given")
    parser.add_argument("--quick", action="store_true", help="smaller, once, in some minutes; judges nothing")
    parser.add_argument("--rounds", type=int, help="instead of the row's own")
    parser.add_argument(
        "--tree",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="services of these checkouts, in turns; keeps nothing (start is of this one)",
    )
    parser.add_argument("--document", action="store_true", help="write docs/benchmarks.md anew, and measure nothing")
    parser.add_argument("--list", action="store_true", help="name the rows, and measure nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
