"""How scenarios are run together."""

from dataclasses import replace

from .scenario import HOLDS, Result, scenarios
from .side_by_side import estimate_s, run_all

[CANCELLED] = scenarios((12,))


async def test_each_runs_in_a_process_of_its_own_and_is_told_of() -> None:
    """What it found comes back whole, under the seed that it was given."""
    results: list[Result] = []
    await run_all([CANCELLED], 7, 0.002, 2, results.append)

    [found] = results
    assert (found.row, found.seed, found.size, found.verdict) == (12, 7, 20, HOLDS)
    assert found.measured["points"] == 20


async def test_one_whose_process_breaks_has_failed() -> None:
    """Rather than not been there."""
    results: list[Result] = []
    await run_all([replace(CANCELLED, name="nobody knows this one")], 7, 0.002, 2, results.append)

    assert [(found.verdict, found.broken) for found in results] == [("FAILS", ["its process ends in order: 1"])]


def test_the_estimate_counts_what_runs_alone_and_then_the_lanes() -> None:
    """The lanes take their share of what they hold, and no less than the longest of it."""
    alone = replace(CANCELLED, takes_s=50.0, alone=True)
    timed = replace(CANCELLED, takes_s=10.0, patient=False)
    patient = replace(CANCELLED, takes_s=90.0, patient=True)

    assert estimate_s([alone, timed, timed, timed, timed], 1.0, 2) == 70
    assert estimate_s([alone, timed, patient], 0.5, 2) == 70
    assert estimate_s([alone, timed, patient], 1.0, 1) == 150
