"""What each request must be: every rule of the contract's comments, pure, with every bad field named at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_ratelimit.counters.keys import DEPLOYMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.timestamp_pb2 import Timestamp

MOST_ASKS: Final = 200
MOST_ALLOWANCES: Final = 8
MOST_RETURNS: Final = 1000
MOST_COUNTS: Final = 100_000
MOST_WANTED: Final = 10_000
"""Bound what one script does while everybody else waits: 200 asks of 8 allowances take some milliseconds."""

MOST_LIMIT: Final = 1_000_000_000
MOST_INT64: Final = 2**63 - 1
SHORTEST_WINDOW: Final = timedelta(seconds=1)
LONGEST_WINDOW: Final = timedelta(days=31)
LARGEST_OFFSET: Final = timedelta(hours=24)
FEWEST_PARTS: Final = 2
MOST_PARTS: Final = 60
LATEST_SECOND: Final = 2**53 // 1_000_000 - 1
"""Of an instant, in the year 2255: the scripts count µs in doubles."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME_RULE: Final = "must be 1 to 64 characters of [A-Za-z0-9_-]"
_SCOPES: Final[dict[int, str]] = {
    int(number): name for name, number in pb.Scope.items() if number != pb.SCOPE_UNSPECIFIED
}


def check_reserve(request: pb.ReserveRequest) -> None:
    """Checks a call for permits.

    Raises:
        InvalidArgument: with every bad field.
    """
    violations = Violations()
    violations.count("asks", request.asks, 1, MOST_ASKS)
    for place, ask in enumerate(request.asks[:MOST_ASKS]):
        field = f"asks[{place}]"
        violations.form(f"{field}.reservation_id", ask.reservation_id, _NAME, _NAME_RULE)
        _check_tenant(violations, f"{field}.workspace_id", ask.workspace_id)
        violations.integer(f"{field}.wanted", ask.wanted, 1, MOST_WANTED)
        violations.integer(f"{field}.ahead", ask.ahead, 0, MOST_WANTED)
        violations.count(f"{field}.allowances", ask.allowances, 1, MOST_ALLOWANCES)
        _check_allowances(violations, f"{field}.allowances", ask.allowances[:MOST_ALLOWANCES])
        _check_distinct(violations, f"{field}.allowances", ask.allowances[:MOST_ALLOWANCES])
    violations.raise_if_any()


def check_refund(request: pb.RefundRequest) -> None:
    """Checks a call that gives back.

    Raises:
        InvalidArgument: with every bad field.
    """
    violations = Violations()
    violations.count("returns", request.returns, 1, MOST_RETURNS)
    for place, one in enumerate(request.returns[:MOST_RETURNS]):
        field = f"returns[{place}]"
        violations.form(f"{field}.reservation_id", one.reservation_id, _NAME, _NAME_RULE)
        _check_tenant(violations, f"{field}.workspace_id", one.workspace_id)
        violations.form(f"{field}.refund_id", one.refund_id, _NAME, _NAME_RULE)
        violations.integer(f"{field}.permits", one.permits, 1, MOST_WANTED)
    violations.raise_if_any()


def check_usage(request: pb.GetUsageRequest) -> None:
    """Checks a call for what is used. The limits are of no interest here, but must be limits.

    Raises:
        InvalidArgument: with every bad field.
    """
    violations = Violations()
    violations.form("workspace_id", request.workspace_id, _NAME, _NAME_RULE)
    violations.count("allowances", request.allowances, 1, MOST_ASKS)
    _check_allowances(violations, "allowances", request.allowances[:MOST_ASKS])
    if request.workspace_id == DEPLOYMENT:
        for place, allowance in enumerate(request.allowances[:MOST_ASKS]):
            _check_home(violations, f"allowances[{place}].scope", request.workspace_id, allowance.scope)
    violations.raise_if_any()


def check_restore(request: pb.RestoreRequest) -> None:
    """Checks a call that restores.

    Raises:
        InvalidArgument: with every bad field.
    """
    violations = Violations()
    violations.form("workspace_id", request.workspace_id, _NAME, _NAME_RULE)
    violations.integer("epoch", request.epoch, 1, MOST_INT64)
    violations.count("counts", request.counts, 0, MOST_COUNTS)
    for place, count in enumerate(request.counts[:MOST_COUNTS]):
        field = f"counts[{place}]"
        _check_counter(violations, field, count)
        _check_home(violations, f"{field}.scope", request.workspace_id, count.scope)
        _check_instant(violations, f"{field}.reserve_time", count.reserve_time)
        violations.integer(f"{field}.permits", count.permits, 1, MOST_INT64)
    violations.raise_if_any()


def _check_tenant(violations: Violations, field: str, workspace: str) -> None:
    violations.form(field, workspace, _NAME, _NAME_RULE)
    if workspace == DEPLOYMENT:
        violations.add(field, f"must be a workspace: permits of {DEPLOYMENT} come with the scope SCOPE_DEPLOYMENT")


def _check_allowances(violations: Violations, field: str, allowances: Iterable[pb.Allowance]) -> None:
    for place, allowance in enumerate(allowances):
        _check_counter(violations, f"{field}[{place}]", allowance)
        violations.integer(f"{field}[{place}].limit", allowance.limit, 0, MOST_LIMIT)


def _check_distinct(violations: Violations, field: str, allowances: Iterable[pb.Allowance]) -> None:
    """One counter under two limits would be counted twice."""
    seen = set()
    for place, allowance in enumerate(allowances):
        window = allowance.window
        counter = (allowance.scope, allowance.id, window.length.seconds, window.offset.seconds, window.parts)
        if counter in seen:
            violations.add(f"{field}[{place}]", "must be another scope, id or window than those before it")
        seen.add(counter)


def _check_counter(violations: Violations, field: str, counter: pb.Allowance | pb.Count) -> None:
    violations.member(f"{field}.scope", counter.scope, _SCOPES)
    violations.form(f"{field}.id", counter.id, _NAME, _NAME_RULE)
    _check_window(violations, f"{field}.window", counter.window)


def _check_window(violations: Violations, field: str, window: pb.Window) -> None:
    violations.duration(f"{field}.length", window.length, SHORTEST_WINDOW, LONGEST_WINDOW)
    violations.duration(f"{field}.offset", window.offset, -LARGEST_OFFSET, LARGEST_OFFSET)
    for name, duration in (("length", window.length), ("offset", window.offset)):
        if duration.nanos:
            violations.add(f"{field}.{name}", "must be whole seconds")
    if window.parts != 0 and not FEWEST_PARTS <= window.parts <= MOST_PARTS:
        violations.add(f"{field}.parts", f"must be 0, or from {FEWEST_PARTS} to {MOST_PARTS}")


def _check_home(violations: Violations, field: str, workspace: str, scope: pb.Scope.ValueType) -> None:
    if (scope == pb.SCOPE_DEPLOYMENT) != (workspace == DEPLOYMENT):
        violations.add(field, f"must be SCOPE_DEPLOYMENT for the workspace {DEPLOYMENT}, and only there")


def _check_instant(violations: Violations, field: str, instant: Timestamp) -> None:
    # A timestamp that is absent reads as 1970, and is refused as such.
    if not 0 < instant.seconds <= LATEST_SECOND or not 0 <= instant.nanos < 1_000_000_000:
        violations.add(field, "must be an instant after 1970 and before 2255")
