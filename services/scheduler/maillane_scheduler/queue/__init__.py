"""The lane queue: what waits, until when, behind which mailbox. The only part of the scheduler that touches Redis.

Every mailbox is a gate with a lane for each of its campaigns. All rules are in `lua/`, one file a command; `Queue` is
their typed face. Nothing here is the truth: all of it can be rebuilt from Postgres (docs/architecture.md).
"""

from maillane_scheduler.queue.errors import QueueLost, QueueUnavailable, StaleGeneration
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import (
    Claimed,
    Due,
    Expired,
    GateConfig,
    Grant,
    InFlight,
    LaneConfig,
    Offer,
    ParkReason,
    Sentinel,
    Settled,
    Standing,
    Tally,
    Turn,
)

__all__ = [
    "Claimed",
    "Due",
    "Expired",
    "GateConfig",
    "Grant",
    "InFlight",
    "LaneConfig",
    "Offer",
    "ParkReason",
    "Queue",
    "QueueLost",
    "QueueUnavailable",
    "Sentinel",
    "Settled",
    "StaleGeneration",
    "Standing",
    "Tally",
    "Turn",
]
