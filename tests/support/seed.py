"""The seed of tests that leave something to chance: `pytest --seed 7` repeats a run."""

import pytest

SEED = 1
"""Unless another is asked for: a run of all tests is the same each time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    parser.addoption("--seed", type=int, default=SEED, help="the luck of tests that leave something to chance")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed that was asked for."""
    return int(request.config.getoption("--seed"))
