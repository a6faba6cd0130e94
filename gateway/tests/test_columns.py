"""What a header means."""

import re

import pytest
from maillane.scheduler.v1.campaign_service_pb2 import Recipient
from maillane_gateway.imports.columns import Columns, Ragged
from maillane_gateway.imports.rows import CsvError, Row


@pytest.mark.parametrize(
    ("titles", "names"),
    [
        (["email", "name"], ["email", "name"]),
        ([" EMAIL ", "First Name"], ["email", "first_name"]),
        (["firstName", "Email"], ["firstName", "email"]),
        (["email", "Company / Team", "e-mail no. 2"], ["email", "company_team", "e_mail_no_2"]),
        (["email", "name", "", " "], ["email", "name"]),
    ],
)
def test_names_are_made_variables_where_that_is_plain(titles, names):
    """What can be a variable stays as it is."""
    assert Columns(Row(1, titles)).names == names


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        (["mail", "name"], "no column named email; it has mail, name"),
        (["", ""], "no column named email; it has none at all"),
        (
            ["email", "Email"],
            'columns 1 and 2 of the header ("email" and "Email") both become email; give one another name',
        ),
        (["email", "name", "name"], 'columns 2 and 3 of the header are both named "name"; give one another name'),
        (
            ["email", "First Name", "first_name"],
            'columns 2 and 3 of the header ("First Name" and "first_name") both become first_name',
        ),
        (["email", "", "name"], "column 2 of the header has no name"),
        (["email", "Größe"], '"Größe" cannot be the name of a variable; names have letters A to Z, digits and _'),
        (["email", "1st"], '"1st" cannot be the name of a variable'),
        (["email", "x" * 65], "at most 64 characters"),
        (["email", *(f"v{number}" for number in range(100))], "101 columns; at most 100 are allowed"),
    ],
)
def test_headers_that_are_refused(titles, words):
    """With what was found, and what is allowed."""
    with pytest.raises(CsvError, match=re.escape(words)) as refusal:
        Columns(Row(4, titles))

    assert refusal.value.line == 4


COLUMNS = Columns(Row(1, ["name", "email", "city"]))


@pytest.mark.parametrize(
    ("fields", "email", "variables"),
    [
        (["Ann", "a@example.com", "Rome"], "a@example.com", {"name": "Ann", "city": "Rome"}),
        ([" Ann ", " a@example.com ", ""], "a@example.com", {"name": "Ann"}),
        (["Ann", "a@example.com"], "a@example.com", {"name": "Ann"}),
        (["Ann"], "", {"name": "Ann"}),
        (["Ann", "a@example.com", "Rome", "", " "], "a@example.com", {"name": "Ann", "city": "Rome"}),
    ],
)
def test_a_row_becomes_a_recipient(fields, email, variables):
    """Empty and missing values are left out; the address is for the scheduler to judge."""
    recipient = COLUMNS.recipient(Row(7, fields))

    assert isinstance(recipient, Recipient)
    assert (recipient.email, dict(recipient.variables), recipient.line) == (email, variables, 7)


def test_a_row_with_too_many_fields_is_left_out():
    """With its line, its address and the reason."""
    ragged = COLUMNS.recipient(Row(7, ["Ann", "a@example.com", "Rome", "Italy"]))

    assert ragged == Ragged(7, "a@example.com", "has 4 fields, but the header has 3 columns")


def test_a_row_of_blanks_is_none():
    """Spreadsheets leave them at the end."""
    assert COLUMNS.recipient(Row(7, ["", " ", "", ""])) is None


def test_a_header_of_one_column_is_one():
    """In words."""
    ragged = Columns(Row(1, ["email"])).recipient(Row(2, ["a@example.com", "Ann"]))

    assert ragged == Ragged(2, "a@example.com", "has 2 fields, but the header has 1 column")


@pytest.mark.parametrize("surplus", ["", " "])
def test_an_empty_column_without_a_name_is_no_column(surplus):
    """A comma at the end of every line, as some programs write it."""
    recipient = Columns(Row(1, ["email", ""])).recipient(Row(2, ["a@example.com", surplus]))

    assert recipient == Recipient(email="a@example.com", line=2)


def test_a_value_under_no_name_is_left_out():
    """With the column, for the header does have it."""
    ragged = Columns(Row(1, ["email", "", ""])).recipient(Row(2, ["a@example.com", "Ann", ""]))

    assert ragged == Ragged(2, "a@example.com", "has a value in column 2, which has no name in the header")
