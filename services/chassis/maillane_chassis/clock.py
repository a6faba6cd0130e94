"""Time as a value that is passed in, so that nothing below a composition root reads a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

# A clock that runs on while the machine is suspended, where there is one: a lease that ran out meanwhile has run out.
_SUSPEND_PROOF: int = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC_RAW", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class Clock:
    """Two readings: `wall()`, an aware datetime in UTC, and `monotonic()`, seconds that never run backwards.

    Compare monotonic readings of one process only; they start anywhere, and go on through a suspend.
    """

    wall: Callable[[], datetime]
    monotonic: Callable[[], float]


SYSTEM_CLOCK = Clock(wall=lambda: datetime.now(UTC), monotonic=lambda: time.clock_gettime(_SUSPEND_PROOF))
