"""Rules of recipients, on their own: what a checker makes of rows."""

import json

from hypothesis import given
from hypothesis import strategies as st
from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane_scheduler.validation.recipients import RecipientChecker

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
# Whatever a proto's string can hold: no surrogates.
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


def check(**recipient):
    return RecipientChecker().check([pb.Recipient(**{"email": "a@example.com", **recipient})])


@given(st.dictionaries(NAMES, VALUES, max_size=10))
def test_variables_become_json_that_reads_back_without_what_is_empty(variables):
    """But for NUL, which no table holds."""
    checked = check(variables=variables)

    if any("\0" in value for value in variables.values()):
        assert [rejection.reason for rejection in checked.rejected] == ["a value has a NUL character"]
    else:
        (row,) = checked.rows
        assert json.loads(row.variables) == {name: value for name, value in variables.items() if value}
        assert set(row.names) == set(json.loads(row.variables))


@given(st.dictionaries(NAMES, VALUES, max_size=10), NAMES)
def test_a_name_stands_in_the_json_as_a_start_looks_for_it(variables, name):
    """A quoted name and a colon are in the text if, and only if, it is a key."""
    checked = check(variables=variables)

    for row in checked.rows:
        assert (f'"{name}":' in row.variables) == (name in row.names)


def test_lines_are_counted_through_all_chunks_where_rows_have_none():
    """A row's own line is kept; one that is negative is none."""
    checker = RecipientChecker()
    first = checker.check([pb.Recipient(email="a@example.com"), pb.Recipient(email="b@example.com", line=70)])
    second = checker.check([pb.Recipient(email="c@example.com", line=-1), pb.Recipient(email="bad")])

    assert [row.line for row in first.rows + second.rows] == [1, 70, 3]
    assert second.rejected[0].line == 4


def test_a_backslash_before_u0000_is_no_nul():
    """Only the character itself is refused."""
    assert json.loads(check(variables={"a": "\\u0000"}).rows[0].variables) == {"a": "\\u0000"}


def test_limits_hold_exactly():
    """4,096 characters of a value are allowed, and 100 variables."""
    assert check(variables={"a": "x" * 4096}).rows
    assert not check(variables={"a": "x" * 4097}).rows
    assert check(variables={f"v{n}": "x" for n in range(100)}).rows
    assert not check(variables={f"v{n}": "x" for n in range(101)}).rows


def test_of_an_address_that_comes_twice_the_first_row_counts():
    """In the form in which addresses are compared."""
    checked = RecipientChecker().check(
        [pb.Recipient(email="a@EXAMPLE.com", variables={"n": "1"}), pb.Recipient(email="a@example.com")]
    )

    assert [row.variables for row in checked.rows] == ['{"n":"1"}']
    assert checked.duplicates == 1
