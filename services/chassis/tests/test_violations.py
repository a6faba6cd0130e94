"""Rules for fields."""

import re
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from maillane_chassis.errors import InvalidArgument
from maillane_chassis.violations import MAX_KEPT, Violations


def found(check):
    """What a check finds: field and description of each violation."""
    violations = Violations()
    check(violations)
    try:
        violations.raise_if_any()
    except InvalidArgument as failure:
        return [(violation.field, violation.description) for violation in failure.violations]
    return []


def test_all_bad_fields_are_named_at_once():
    """In the order in which they were checked."""

    def check(violations):
        violations.text("name", "", low=1, high=200)
        violations.integer("smtp.port", 0, 1, 65535)

    assert found(check) == [("name", "must have 1 to 200 characters"), ("smtp.port", "must be from 1 to 65535")]


def test_an_endless_list_is_counted():
    """A request of a million bad rows costs no million violations."""

    def check(violations):
        for index in range(1000):
            violations.add(f"rows[{index}]", "must be good")

    assert (len(found(check)), found(check)[-1]) == (MAX_KEPT + 1, ("", f"and {1000 - MAX_KEPT} more"))


@pytest.mark.parametrize(
    ("value", "lines", "good"),
    [
        ("a", False, True),
        ("ä" * 5, False, True),
        ("ä" * 6, False, False),
        ("", False, False),
        ("a\nb", False, False),
        ("a\nb\t", True, True),
        ("a\x00b", True, False),
        ("a\x7f", False, False),
        ("a\u0085b", True, False),
    ],
)
def test_text_has_a_length_and_no_controls(value, lines, good):
    """Characters are counted, not bytes."""
    assert (found(lambda violations: violations.text("t", value, low=1, high=5, lines=lines)) == []) is good


@pytest.mark.parametrize("value", ["1", "9223372036854775807"])
def test_an_id_is_a_positive_number(value):
    """Up to 63 bits; what was checked comes back as a number."""
    assert Violations().identifier("id", value) == int(value)


@pytest.mark.parametrize(
    "value", ["", "0", "-1", "01", "+1", " 1", "1 ", "1\n", "x", "9223372036854775808", "1" * 30, "\u0661"]
)
def test_other_forms_of_an_id_are_bad(value):
    """Each id has one form."""
    assert len(found(lambda violations: violations.identifier("id", value))) == 1


@pytest.mark.parametrize(
    ("seconds", "nanos", "expected_us"),
    [
        (1, 0, 1_000_000),
        (60, 0, 60_000_000),
        (1, 1999, 1_000_001),
        (0, 999_999_999, None),
        (60, 1, None),
        (-1, 0, None),
    ],
)
def test_a_duration_lies_between_its_limits(seconds, nanos, expected_us):
    """Both limits included; gives whole microseconds."""
    violations = Violations()
    value = violations.duration(
        "delay", Duration(seconds=seconds, nanos=nanos), timedelta(seconds=1), timedelta(minutes=1)
    )

    assert (bool(violations), value) == (expected_us is None, expected_us or 0)


@pytest.mark.parametrize(("seconds", "nanos"), [(5, -1), (-5, 1), (5, 2_000_000_000), (2**62, 0), (-(2**62), 0)])
def test_a_malformed_duration_is_bad(seconds, nanos):
    """Seconds and nanos have one sign, and nothing overflows."""
    span = Duration(seconds=seconds, nanos=nanos)

    assert found(lambda violations: violations.duration("delay", span, timedelta(0), timedelta(seconds=10.5))) == [
        ("delay", "must be from 0 s to 10.5 s")
    ]


@pytest.mark.parametrize(("value", "expected"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000)])
def test_a_page_has_a_default_and_a_cap(value, expected):
    """https://google.aip.dev/158: too large is cut, not refused."""
    assert Violations().page_size(value, default=50, high=1000) == expected


def test_a_negative_page_is_bad():
    """It is no page."""
    assert len(found(lambda violations: violations.page_size(-1, default=50, high=1000))) == 1


def test_other_rules_name_what_is_allowed():
    """Counts, forms and members of enums."""

    def check(violations):
        violations.count("mailbox_ids", [], 1, 100, "id")
        violations.form("scope", "a b", re.compile("[a-z]+"), "must be lower-case letters")
        violations.member("security", 0, {1: "SECURITY_TLS", 2: "SECURITY_NONE"})

    assert found(check) == [
        ("mailbox_ids", "must have 1 to 100 ids"),
        ("scope", "must be lower-case letters"),
        ("security", "must be one of SECURITY_TLS, SECURITY_NONE"),
    ]
