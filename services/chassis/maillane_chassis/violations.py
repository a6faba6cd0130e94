"""Collects every bad field of a request, by rules that say what is allowed, so that a caller learns all at once."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from maillane_chassis.errors import InvalidArgument, Violation

if TYPE_CHECKING:
    from collections.abc import Sized
    from datetime import timedelta

    from google.protobuf.duration_pb2 import Duration

# A request with more than this many bad fields is wrong as a whole; the rest are counted, not kept.
MAX_KEPT: Final = 100
MAX_ID: Final = 2**63 - 1
_ID = re.compile(r"[1-9][0-9]{0,18}")
_NANOS_PER_S = 1_000_000_000


class Violations:
    """What is wrong with one request.

    Each rule names the field, adds at most one violation, and gives the value that it checked (a neutral one where it
    was bad), so that checking reads as parsing. After the last rule call `raise_if_any`.
    """

    def __init__(self) -> None:
        self._found: list[Violation] = []
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, field: str, description: str) -> None:
        """Notes that a field is bad; the description says what is allowed ("must be …"), not what was given."""
        if len(self._found) < MAX_KEPT:
            self._found.append(Violation(field, description))
        else:
            self._more += 1

    def raise_if_any(self) -> None:
        """Ends the checking.

        Raises:
            InvalidArgument: a field was bad; with all of them.
        """
        if self._more:
            self._found.append(Violation("", f"and {self._more} more"))
            self._more = 0
        if self._found:
            raise InvalidArgument(self._found)

    def text(self, field: str, value: str, *, low: int = 0, high: int, lines: bool = False) -> str:
        """`low` to `high` characters, no control characters; line breaks and tabs only where `lines` allows them."""
        if not low <= len(value) <= high:
            self.add(field, f"must have {_span(low, high, 'character')}")
        elif any(unicodedata.category(char) == "Cc" and not (lines and char in "\r\n\t") for char in value):
            self.add(field, "must have no control characters" + ("" if lines else " or line breaks"))
        return value

    def form(self, field: str, value: str, pattern: re.Pattern[str], allowed: str) -> str:
        """All of the value has the form of the pattern; `allowed` says in words which one ("must be …")."""
        if pattern.fullmatch(value) is None:
            self.add(field, allowed)
        return value

    def integer(self, field: str, value: int, low: int, high: int) -> int:
        """From `low` to `high`."""
        if not low <= value <= high:
            self.add(field, f"must be from {low} to {high}")
        return value

    def count(self, field: str, values: Sized, low: int, high: int, noun: str = "item") -> None:
        """`low` to `high` of them."""
        if not low <= len(values) <= high:
            self.add(field, f"must have {_span(low, high, noun)}")

    def identifier(self, field: str, value: str) -> int:
        """An id as this system gives them: a positive decimal number of 63 bits. Bad ones give 0, which nothing has."""
        if _ID.fullmatch(value) is None or int(value) > MAX_ID:
            self.add(field, "must be an id as this service gave it: a decimal number")
            return 0
        return int(value)

    def member(self, field: str, value: int, allowed: dict[int, str]) -> int:
        """One of the numbers of an enum that are allowed here, given with their names."""
        if value not in allowed:
            self.add(field, f"must be one of {', '.join(allowed.values())}")
        return value

    def duration(self, field: str, value: Duration, low: timedelta, high: timedelta) -> int:
        """From `low` to `high`, with seconds and nanos of one sign; gives whole microseconds, rounded down."""
        nanos = value.seconds * _NANOS_PER_S + value.nanos
        well_formed = abs(value.nanos) < _NANOS_PER_S and value.seconds * value.nanos >= 0
        if not well_formed or not _nanos(low) <= nanos <= _nanos(high):
            self.add(field, f"must be from {_seconds(low)} s to {_seconds(high)} s")
            return 0
        return nanos // 1000

    def page_size(self, value: int, *, default: int, high: int, field: str = "page_size") -> int:
        """0 gives the default; more than `high` gives `high` (https://google.aip.dev/158); below 0 is bad."""
        if value < 0:
            self.add(field, f"must be from 0 to {high}")
            return default
        return min(value, high) if value else default


def _span(low: int, high: int, noun: str) -> str:
    plural = noun if high == 1 else f"{noun}s"
    if low == high:
        return f"exactly {low:,} {plural}"
    return f"at most {high:,} {plural}" if low == 0 else f"{low:,} to {high:,} {plural}"


def _nanos(value: timedelta) -> int:
    # In integers throughout: total_seconds() is a float, which loses microseconds in long spans.
    return ((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 1000


def _seconds(value: timedelta) -> str:
    return f"{value.total_seconds():,.6f}".rstrip("0").rstrip(".")
