"""Rules that requests of several services share: request ids and pages."""

import re

from maillane_chassis.violations import Violations

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Some 100 KiB of messages or mailboxes.
MAX_PAGE = 200
DEFAULT_PAGE = 50


def request_id(violations: Violations, value: str) -> str:
    """Empty, or one that can be told from any other."""
    if value:
        violations.form("request_id", value, _REQUEST_ID, "must be up to 64 characters of [A-Za-z0-9_-]")
    return value


def page_size(violations: Violations, value: int) -> int:
    """1 to 200; 0 means 50, and more means 200."""
    return violations.page_size(value, default=DEFAULT_PAGE, high=MAX_PAGE)
