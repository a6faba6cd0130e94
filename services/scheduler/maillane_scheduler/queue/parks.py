"""The reasons of parks, as the queue writes them."""

from maillane_scheduler.queue.values import ParkReason as QueuePark
from maillane_scheduler.states import ParkReason

QUEUE_PARKS: dict[ParkReason, QueuePark] = {
    ParkReason.LIMIT: "limit",
    ParkReason.BACKOFF: "backoff",
    ParkReason.WINDOW: "window",
}
