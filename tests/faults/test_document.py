"""The table in docs/reliability.md."""

import pytest
from support.documents import with_measured

from .scenario import scenarios
from .table import DOCUMENT


def test_the_document_has_a_place_for_the_table() -> None:
    """It can be written again and again, and nothing else changes."""
    whole = DOCUMENT.read_text()
    once = with_measured(whole, "| a |\n")

    assert "| a |\n" in once
    assert with_measured(once, "| b |\n") == with_measured(whole, "| b |\n")


def test_a_document_without_a_place_is_refused() -> None:
    """Rather than left as it was."""
    with pytest.raises(ValueError, match="no place"):
        with_measured("# Nothing", "| a |\n")


def test_every_scenario_is_told_of() -> None:
    """Each row that can be run stands in the document, with the file that runs it."""
    document = DOCUMENT.read_text()
    missing = {scenario.run.__module__.rpartition(".")[2] for scenario in scenarios()}

    assert {name for name in missing if f"`{name}`" not in document} == set()
