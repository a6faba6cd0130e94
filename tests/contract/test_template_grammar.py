"""The scheduler's grammar of templates is the shared one."""

from __future__ import annotations

import pytest
from maillane_scheduler.templates import TemplateError, placeholders

from .template_cases import PARSED, REFUSED


@pytest.mark.parametrize("source", PARSED)
def test_parses(source: str) -> None:
    """A template has the variables of the table, with their fallbacks."""
    found = [(placeholder.name, placeholder.fallback) for placeholder in placeholders(source)]

    assert found == [piece for piece in PARSED[source] if not isinstance(piece, str)]


@pytest.mark.parametrize("source", REFUSED)
def test_refuses(source: str) -> None:
    """A template that does not parse is refused, at its place."""
    with pytest.raises(TemplateError) as refused:
        list(placeholders(source))

    assert refused.value.offset == REFUSED[source]
