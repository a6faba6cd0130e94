"""The whole system's promise, on real stores, whatever happens between any two of its steps."""

import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from maillane_local.valkey import Valkey

from .machine import SystemMachine
from .rig import Rig

EXAMPLES = int(os.environ.get("MAILLANE_MACHINE_EXAMPLES", "10"))
"""Histories: some seconds' worth in a short run, hours' worth in a long one."""

SEED = int(os.environ.get("MAILLANE_TEST_SEED", "0")) or random.randrange(1, 10**9)


@pytest.fixture
def rig(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    import asyncio

    # Without a file: what is lost here, is lost on purpose.
    valkey = Valkey(tmp_path_factory.mktemp("valkey"), settings={"appendonly": "no"})
    asyncio.run(valkey.start())
    made = Rig(database_url, valkey)
    yield made
    made.close()
    asyncio.run(valkey.stop())


@pytest.mark.timeout(60 + 20 * EXAMPLES)
def test_nothing_is_sent_twice_or_lost_whatever_happens(rig: Rig) -> None:
    """Random histories end with each message sent once, or known not to be, and no limit passed."""
    print(f"repeat with MAILLANE_TEST_SEED={SEED} MAILLANE_MACHINE_EXAMPLES={EXAMPLES}")  # noqa: T201 - shown where it fails
    machine = seed(SEED)(type("Machine", (SystemMachine,), {"rig": rig}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=15,
            deadline=None,
            database=None,
            # Stores take their time: to shrink a failure would take minutes, and its last run is told step by step.
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
