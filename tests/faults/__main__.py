"""Runs scenarios in their long form and prints the table: `python -m tests.faults [rows] [--seed N] [--scale X]`."""

import argparse
import asyncio
import os
import secrets
import sys
import time
from pathlib import Path

# Read when grpc is imported: its fork handlers now and then break a child before its exec.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

# What tests share is imported as `support.…`, by pytest's own setting there.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from .scenario import FAILS, Result, Scenario, run, scenarios
from .side_by_side import LANES, estimate_s, run_all
from .table import keep, line, write, write_document

NICE = 10
"""Of those that claim nothing about time: they take what the others leave."""


def main() -> None:
    """Runs what was asked for; exits 1 if something does not hold."""
    options = _options()
    if options.document:
        write_document()
        return
    chosen = _chosen(options.rows)
    if not chosen:
        sys.exit(f"no such rows; there are {sorted({scenario.row for scenario in scenarios()})}")
    if options.result:
        _run_here(chosen[0], options)
        return
    minutes = estimate_s(chosen, options.scale, options.lanes) / 60
    print(f"{len(chosen)} scenarios, seed {options.seed}; about {minutes:.0f} minutes on two quiet cores", flush=True)
    results: list[Result] = []
    begun = time.monotonic()

    def done(result: Result) -> None:
        results.append(result)
        print(line(result), flush=True)
        keep([result])

    asyncio.run(run_all(chosen, options.seed, options.scale, options.lanes, done))
    _tell(results, time.monotonic() - begun)


def _run_here(scenario: Scenario, options: argparse.Namespace) -> None:
    if scenario.patient:
        os.nice(NICE)
    print(f"    … {scenario.row} {scenario.name}", flush=True)
    write(asyncio.run(run(scenario, options.seed, options.scale)), options.result)


def _tell(results: list[Result], took_s: float) -> None:
    """The table, in order; those that ran side by side ended as they did."""
    if len(results) > 1:
        print("", *map(line, sorted(results, key=lambda result: result.row)), sep="\n")
    broken = sum(result.verdict == FAILS for result in results)
    print(f"{len(results)} run, {broken} failed, in {took_s:.0f} s; kept in .build/faults.json")
    sys.exit(1 if broken else 0)


def _chosen(named: list[str]) -> list[Scenario]:
    """Rows by their numbers, or some of a row by its number and a word of their names: "1:Valkey"."""
    wanted = [(int(row), word) for row, _, word in (name.partition(":") for name in named)]
    return [
        scenario
        for scenario in scenarios({row for row, _ in wanted})
        if not wanted or any(scenario.row == row and word in scenario.name for row, word in wanted)
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults ARGS=…", description=__doc__)
    parser.add_argument("rows", nargs="*", help="rows of the table, as 3 or 1:Valkey; all, if none is named")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="to repeat a run")
    parser.add_argument("--scale", type=float, default=1.0, help="the share of the long form's size")
    parser.add_argument("--document", action="store_true", help="write docs/reliability.md anew, and run nothing")
    parser.add_argument("--lanes", type=int, default=LANES, help="how many at a time, of those that may be")
    # For the process of one scenario: it runs there, and its result is written to this file.
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
