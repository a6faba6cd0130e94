"""The faults that `make mutants` plants are faults of the code as it is."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAULTS = tomllib.loads((ROOT / "tests/mutants/faults.toml").read_text())["fault"]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault["fault"] for fault in FAULTS])
def test_a_planted_fault_applies_and_names_a_test(fault: dict[str, str]) -> None:
    """What it replaces occurs once in its file, and who must find it is there: else planting it would show nothing."""
    file, _, test = fault["test"].partition("::")

    assert (ROOT / fault["file"]).read_text().count(fault["old"]) == 1
    assert f"def {test.partition('[')[0]}(" in (ROOT / file).read_text()
