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

from .scenario import FAILS, Scenario, run, scenarios
from .table import keep, line


def main() -> None:
    """Runs what was asked for; exits 1 if something does not hold."""
    options = _options()
    chosen = _chosen(options.rows)
    if not chosen:
        sys.exit(f"no such rows; there are {sorted({scenario.row for scenario in scenarios()})}")
    results, begun = [], time.monotonic()
    for scenario in chosen:
        print(f"    … {scenario.row} {scenario.name}, seed {options.seed}", flush=True)
        results.append(asyncio.run(run(scenario, options.seed, options.scale)))
        print(line(results[-1]), flush=True)
        keep(results[-1:])
    broken = [result for result in results if result.verdict == FAILS]
    print(f"{len(results)} run, {len(broken)} failed, in {time.monotonic() - begun:.0f} s; kept in .build/faults.json")
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
    return parser.parse_args()


if __name__ == "__main__":
    main()
