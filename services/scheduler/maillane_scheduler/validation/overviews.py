"""Rules of the overview."""

from dataclasses import dataclass

from maillane.scheduler.v1 import overview_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.validation.messages import LAST_S

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class UsageAsked:
    """Of which mailbox and campaign (None: of all), in which hours."""

    mailbox_id: int | None
    campaign_id: int | None
    start_us: int
    end_us: int


def usage(violations: Violations, request: pb.GetUsageRequest, now_us: int) -> UsageAsked:
    """What is asked of use, with whole hours."""
    end_us = now_us - now_us % HOUR_US + HOUR_US + DAY_US
    if request.HasField("end_time"):
        end_us = _instant_us(violations, "end_time", request.end_time.seconds, request.end_time.nanos)
        start_us = end_us - DAY_US
    else:
        start_us = end_us - 2 * DAY_US - HOUR_US
    if request.HasField("start_time"):
        start_us = _instant_us(violations, "start_time", request.start_time.seconds, request.start_time.nanos)
    start_us -= start_us % HOUR_US
    if not violations and not 0 < end_us - start_us <= MOST_DAYS * DAY_US + HOUR_US:
        violations.add("end_time", f"must be later than start_time, by up to {MOST_DAYS} days")
    return UsageAsked(
        mailbox_id=violations.identifier("mailbox_id", request.mailbox_id) if request.mailbox_id else None,
        campaign_id=violations.identifier("campaign_id", request.campaign_id) if request.campaign_id else None,
        start_us=start_us,
        end_us=end_us,
    )


def _instant_us(violations: Violations, field: str, seconds: int, nanos: int) -> int:
    if not 0 <= seconds <= LAST_S or not 0 <= nanos < 1_000_000_000:
        violations.add(field, "must be a time from 1970 to 2200")
        return 0
    return seconds * 1_000_000 + nanos // 1000
