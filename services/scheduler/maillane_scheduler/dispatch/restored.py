"""What counters are restored to: every hand-out that still counts, summed as they count it. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb

from maillane_scheduler.dispatch.terms import Limits
from maillane_scheduler.store.epochs import DEPLOYMENT, HandedOut

# Hours are left out once they are over by as much as an hour: the limiter knows better which of the rest still count.
HOURS = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)

_Counter = tuple["pb.Scope.ValueType", str]


def counts(limits: Limits, workspace: int, handed_out: Iterable[HandedOut]) -> list[pb.Count]:
    """The counts of a workspace, or of the deployment.

    One for each counter and bucket: all that a busy workspace handed out in a day, hour by hour, would be more than one
    call takes, and its counters could not be restored until the next day.
    """
    hour, day = limits.window(limits.hour_s, limits.parts), limits.window(limits.day_s)
    found: dict[tuple[_Counter, bool, int], pb.Count] = {}
    for item in handed_out:
        reserve_us = (item.reserve_time - _EPOCH) // _US
        buckets = {False: _bucket(reserve_us, limits.hour_s, limits.parts), True: _bucket(reserve_us, limits.day_s)}
        for counter, by_day in _counters(limits, workspace, item):
            key = (counter, by_day, buckets[by_day])
            count = found.get(key)
            if count is None:
                scope, id_ = counter
                count = found[key] = pb.Count(scope=scope, id=id_, window=day if by_day else hour)
                count.reserve_time.FromDatetime(item.reserve_time)
            count.permits += item.permits
    return list(found.values())


def _counters(limits: Limits, workspace: int, item: HandedOut) -> Iterator[tuple[_Counter, bool]]:
    """What an item counts in, and whether by the day."""
    counts_this_hour = item.age_s < HOURS * limits.hour_s
    if workspace == DEPLOYMENT:
        if counts_this_hour:
            yield (pb.SCOPE_DEPLOYMENT, "all"), False
        return
    yield (pb.SCOPE_MAILBOX, item.address_key), True
    if counts_this_hour:
        yield (pb.SCOPE_MAILBOX, item.address_key), False
        yield (pb.SCOPE_CAMPAIGN, str(item.campaign)), False


def _bucket(reserve_us: int, length_s: int, parts: int = 0) -> int:
    """The number of the bucket into which an instant falls, in whole numbers, as the limiter cuts them."""
    return reserve_us * max(1, parts) // (length_s * 1_000_000)
