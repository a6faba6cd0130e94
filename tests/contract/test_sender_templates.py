"""The sender's grammar of templates is the shared one."""

from __future__ import annotations

import pytest
from maillane_sender.message import Slot, TemplateError, parse

from .template_cases import PARSED, REFUSED


@pytest.mark.parametrize("source", PARSED)
def test_parses(source: str) -> None:
    """A template parses to the pieces of the table."""
    pieces = parse(source)

    assert tuple((p.name, p.fallback) if isinstance(p, Slot) else p for p in pieces) == PARSED[source]


@pytest.mark.parametrize("source", REFUSED)
def test_refuses(source: str) -> None:
    """A template that does not parse is refused, at its place."""
    with pytest.raises(TemplateError) as refused:
        parse(source)

    assert refused.value.offset == REFUSED[source]
