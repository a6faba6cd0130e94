"""Page tokens."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maillane_chassis.violations import Violations
from maillane_scheduler import paging

IDS = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=3)


@given(IDS, st.text(max_size=20))
def test_a_token_brings_its_cursor_back(ids, name):
    """With the same filters."""
    violations = Violations()

    assert paging.ids(violations, paging.encode(ids, name), len(ids), name) == tuple(ids)
    assert not violations


@given(st.text(max_size=254).filter(lambda text: "\0" not in text and text))
def test_a_token_of_text_does_too(text):
    """Whatever the text is."""
    violations = Violations()

    assert paging.text(violations, paging.encode([text], "x"), "x") == text
    assert not violations


@given(IDS)
def test_other_filters_refuse_it(ids):
    """It would bring the wrong page."""
    violations = Violations()

    assert paging.ids(violations, paging.encode(ids, "a"), len(ids), "b") is None
    assert violations


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_what_nobody_made_is_refused_as_a_field(token):
    """Never an error of ours."""
    violations = Violations()

    assert paging.ids(violations, token, 1, "x") is None
    assert bool(violations) == bool(token)


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udfffy"])
def test_text_that_no_table_can_hold_is_refused_as_a_field(text):
    """A token that somebody made up reaches no statement."""
    violations = Violations()

    assert paging.text(violations, paging.encode([text], "x"), "x") == ""
    assert violations
