"""Rows 18 to 20 in short: hostile input by every door, and secrets that stay where they belong."""

import pytest

from .scenario import Scenario, run, scenarios

SHORT = {"malformed HTTP": 0.005, "malformed gRPC": 0.012, "hostile values to aiosmtpd": 0.008, "secrets": 1.0}
"""Shares of the long form's size; rows 11 and 12 are the sender's own tests."""
SEED = 20


def _short() -> list[Scenario]:
    found = [scenario for scenario in scenarios() if scenario.name in SHORT]
    assert len(found) == len(SHORT)
    return found


@pytest.mark.parametrize("scenario", _short(), ids=lambda scenario: scenario.name)
async def test_a_scenario_in_short(scenario: Scenario) -> None:
    """What the long form shows in numbers holds in a few hundred."""
    result = await run(scenario, SEED, SHORT[scenario.name])

    assert not result.broken
