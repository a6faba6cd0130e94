"""Rules of the overview."""

from dataclasses import dataclass

from maillane.scheduler.v1 import overview_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.validation.requests import instant_us

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
    """What is asked of use; it begins with an hour."""
    end_us = now_us - now_us % HOUR_US + HOUR_US + DAY_US
    if request.HasField("end_time"):
        end_us = instant_us(violations, "end_time", request.end_time)
        start_us = end_us - DAY_US
    else:
        start_us = end_us - 2 * DAY_US - HOUR_US
    if request.HasField("start_time"):
        start_us = instant_us(violations, "start_time", request.start_time)
    start_us -= start_us % HOUR_US
    if not violations and not 0 < end_us - start_us <= MOST_DAYS * DAY_US + HOUR_US:
        violations.add("end_time", f"must be later than start_time, by up to {MOST_DAYS} days")
    return UsageAsked(
        mailbox_id=violations.identifier("mailbox_id", request.mailbox_id) if request.mailbox_id else None,
        campaign_id=violations.identifier("campaign_id", request.campaign_id) if request.campaign_id else None,
        start_us=start_us,
        end_us=end_us,
    )
