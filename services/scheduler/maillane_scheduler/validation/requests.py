"""Rules that requests of several services share: request ids and pages."""

import re

from google.protobuf.timestamp_pb2 import Timestamp
from maillane_chassis.violations import Violations

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Some 100 KiB of messages or mailboxes.
MAX_PAGE = 200
DEFAULT_PAGE = 50
# The year 2200.
_LAST_S = 7_258_118_400


def request_id(violations: Violations, value: str) -> str:
    """Empty, or one that can be told from any other."""
    if value:
        violations.form("request_id", value, _REQUEST_ID, "must be up to 64 characters of [A-Za-z0-9_-]")
    return value


def page_size(violations: Violations, value: int) -> int:
    """1 to 200; 0 means 50, and more means 200."""
    return violations.page_size(value, default=DEFAULT_PAGE, high=MAX_PAGE)


def instant_us(violations: Violations, field: str, given: Timestamp) -> int:
    """A time from 1970 to 2200, in µs, rounded down; a bad one gives 0."""
    if not 0 <= given.seconds <= _LAST_S or not 0 <= given.nanos < 1_000_000_000:
        violations.add(field, "must be a time from 1970 to 2200")
        return 0
    return given.ToMicroseconds()
