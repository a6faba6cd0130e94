"""Runs scenarios, each in a process of its own: some at a time, or alone where its claims hang on the machine."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from .scenario import FAILS, Result, Scenario

LANES: Final = 2
"""At a time, of those that wait more than they work: on two cores, three would make one another late."""

_ROOT: Final = Path(__file__).resolve().parents[2]


def estimate_s(chosen: Sequence[Scenario], scale: float, lanes: int = LANES) -> float:
    """How long they take on two quiet cores."""
    alone = sum(each.takes_s for each in chosen if each.alone)
    beside = [each.takes_s for each in chosen if not each.alone]
    return (alone + max(sum(beside) / lanes, *beside, 0.0)) * min(1.0, scale)


async def run_all(
    chosen: Sequence[Scenario], seed: int, scale: float, lanes: int, done: Callable[[Result], None]
) -> None:
    """Runs them all; `done` is told of each as it ends. First one by one what must be alone, then the longest first."""
    for each in chosen:
        if each.alone:
            done(await _run(each, seed, scale))
    waiting = sorted((each for each in chosen if not each.alone), key=lambda each: -each.takes_s)

    async def lane() -> None:
        while waiting:
            done(await _run(waiting.pop(0), seed, scale))

    await asyncio.gather(*(lane() for _ in range(lanes)))


async def _run(scenario: Scenario, seed: int, scale: float) -> Result:
    """In another process: what a scenario does to its environment, its mounts or its memory is its own."""
    with tempfile.TemporaryDirectory(prefix="maillane-faults-") as folder:
        path = Path(folder) / "result.json"
        what = (f"{scenario.row}:{scenario.name}", "--seed", str(seed), "--scale", str(scale), "--result", str(path))
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.faults", *what, cwd=_ROOT)
        code = await process.wait()
        if path.exists():
            return Result(**json.loads(path.read_text()))
    result = Result.of(scenario, seed, scale)
    result.verdict, result.broken = FAILS, [f"its process ends in order: {code}"]
    return result
