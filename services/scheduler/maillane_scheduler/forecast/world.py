"""What a forecast starts from: mailboxes with their limits, and lanes that wait in them. Times are µs since 1970."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

Place = tuple[int, int]
"""A lane: (campaign, mailbox)."""


class Pace(IntEnum):
    """What binds the pace of a lane; the numbers are the proto's."""

    DELAY = 1
    HOURLY_LIMIT = 2
    DAILY_LIMIT = 3
    CAMPAIGN_LIMIT = 4
    MIN_GAP = 5
    OTHER_CAMPAIGNS = 6
    PARKED = 7
    PAUSED = 8
    START = 9


LIMITS = frozenset((Pace.HOURLY_LIMIT, Pace.DAILY_LIMIT, Pace.CAMPAIGN_LIMIT))


@dataclass(frozen=True, slots=True)
class Allowed:
    """A limit in its window: how many it allows, and how many of them are used in the current one."""

    limit: int
    used: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """Messages of one campaign that wait in one mailbox.

    Attributes:
        count: how many.
        ready_us: when the first of them may leave, by its due time, the lane's parks and its gap.
        gap_us: between two of them.
        why: what holds the first until then.
    """

    campaign: int
    mailbox: int
    count: int
    ready_us: int
    gap_us: int
    why: Pace = Pace.START

    @property
    def place(self) -> Place:
        """Which lane it is."""
        return (self.campaign, self.mailbox)


@dataclass(frozen=True, slots=True)
class Gate:
    """A mailbox.

    Attributes:
        ready_us: when it may send next, by its parks and its gap.
        why: what holds it until then.
    """

    mailbox: int
    ready_us: int
    gap_us: int
    hour: Allowed
    day: Allowed | None = None
    lanes: Sequence[Lane] = ()
    why: Pace = Pace.PARKED


@dataclass(frozen=True, slots=True)
class World:
    """All mailboxes that send, at one instant. Windows start at multiples of their lengths.

    Attributes:
        campaigns: hourly limits of campaigns that have one, over all their mailboxes.
    """

    now_us: int
    hour_us: int
    day_us: int
    gates: Sequence[Gate]
    campaigns: Mapping[int, Allowed] = field(default_factory=dict)
