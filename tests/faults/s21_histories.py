"""Beside the rows: random histories of a whole tenant on real stores: I6 to I9 (tests/integration/machine.py)."""

import asyncio
import os
import sys
from pathlib import Path

from .scenario import Scenario, Trial

ROOT = Path(__file__).resolve().parents[2]
TEST = "tests/integration/test_machine.py"
SAID = 2_000
"""Of what it says, the end: there is the step at which something was not as it should be."""


async def histories(trial: Trial) -> None:
    """Each ends with nothing sent twice or lost, no limit passed, and no claim after a pause."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST,
        cwd=ROOT,
        env=os.environ | {"MAILLANE_MACHINE_EXAMPLES": str(trial.size), "MAILLANE_TEST_SEED": str(trial.seed or 1)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    trial.measure(histories=trial.size)
    trial.must(f"every history holds: {said.decode(errors='replace')[-SAID:]}", process.returncode == 0)


SCENARIOS = [
    Scenario(
        21,
        "random histories (I6 to I9)",
        "0 doubled, 0 lost, no limit passed, no claim after a pause returned, counts true",
        100,
        900,
        histories,
        takes_s=240,
        patient=True,
    )
]
