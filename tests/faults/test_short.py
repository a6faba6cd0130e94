"""The short forms of the scenarios, beside those that tests/e2e has: what is killed or wiped there is not here."""

import pytest

from .scenario import Scenario, run, scenarios

# Rows whose short form stands elsewhere: 1, 3 and 7 in tests/e2e/test_faults.py, 5 and 14 in tests/integration, 18 to
# 20 in test_hostile.py.
SHORT = [scenario for scenario in scenarios((2, 4, 6, 9, 17)) if scenario.brief]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: f"{scenario.row}-{scenario.name}")
async def test_in_short(scenario: Scenario, seed: int) -> None:
    """It holds at a small size."""
    result = await run(scenario, seed, scenario.brief)

    assert (result.verdict, result.broken) == ("holds", []), f"seed {seed}: {result.measured}"
