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
"""At a time, of those that claim something about time, and mostly wait. Beside them goes one of the patient ones."""

_ROOT: Final = Path(__file__).resolve().parents[2]


def estimate_s(chosen: Sequence[Scenario], scale: float, lanes: int = LANES) -> float:
    """How long they take on two quiet cores."""
    alone, timed, patient = (sum(each.takes_s for each in some) for some in _sorted(chosen))
    longest = max((each.takes_s for each in chosen if not each.alone), default=0.0)
    beside = max((timed + patient) / (lanes + 1), timed / lanes, longest) if lanes > 1 else timed + patient
    return (alone + beside) * min(1.0, scale)


async def run_all(
    chosen: Sequence[Scenario], seed: int, scale: float, lanes: int, done: Callable[[Result], None]
) -> None:
    """Runs them all; `done` is told of each as it ends. First one by one what must be alone, then the longest first."""
    alone, timed, patient = _sorted(chosen)

    async def lane(*waiting: list[Scenario]) -> None:
        for some in waiting:
            while some:
                done(await _run(some.pop(0), seed, scale))

    await lane(alone)
    # More than the machine can do at once is only for those that can wait.
    beside = [lane(patient)] if lanes > 1 else []
    await asyncio.gather(*(lane(timed, patient) for _ in range(lanes)), *beside)


def _sorted(chosen: Sequence[Scenario]) -> tuple[list[Scenario], list[Scenario], list[Scenario]]:
    """Those that must be alone, those that claim something about time, and the patient ones; the longest first."""
    by_length = sorted(chosen, key=lambda each: -each.takes_s)
    alone = [each for each in by_length if each.alone]
    timed = [each for each in by_length if not each.alone and not each.patient]
    return alone, timed, [each for each in by_length if not each.alone and each.patient]


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
