"""The nouns of the limiter: what is asked for, granted, given back, used and restored. Times are µs since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maillane_ratelimit.windows import Window


class Scope(StrEnum):
    """What an allowance limits; its value stands in the counter's key."""

    MAILBOX = "mailbox"
    CAMPAIGN = "campaign"
    WORKSPACE = "workspace"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Counter:
    """What counts permits: one for each scope, id and window."""

    scope: Scope
    id: str
    window: Window


@dataclass(frozen=True, slots=True)
class Allowance:
    """A counter, and the most that it may reach in one window."""

    counter: Counter
    limit: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Permits wanted by one lane, and every allowance that holds for it, in the order that decides between equals."""

    reservation_id: str
    workspace_id: str
    wanted: int
    allowances: tuple[Allowance, ...]
    # Beyond those wanted, as far as every allowance has many more.
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """What an ask was given.

    A permit is void from `expire_us` on, and in any later epoch. `tightest` (the place of an allowance in the ask) and
    `retry_us` are set where less was granted than wanted.
    """

    reservation_id: str
    granted: int
    epoch: int
    deployment_epoch: int | None
    reserve_us: int
    expire_us: int
    tightest: int | None
    retry_us: int | None


@dataclass(frozen=True, slots=True)
class Return:
    """Permits of a reservation that were not used."""

    reservation_id: str
    workspace_id: str
    refund_id: str
    permits: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What counts now, and when the oldest bucket counts no longer."""

    used: int
    reset_us: int


@dataclass(frozen=True, slots=True)
class Count:
    """What one counter had handed out, less what came back, at an instant within a bucket."""

    counter: Counter
    reserve_us: int
    permits: int
