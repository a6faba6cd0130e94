"""Rules of forecasts."""

from dataclasses import dataclass

from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.campaign import Plan
from maillane_scheduler.validation import campaigns

MAX_RECIPIENTS = 10_000_000


@dataclass(frozen=True, slots=True)
class ForecastAsked:
    """Of which campaign (None: of none), by which plan (None: its own), for how many (None: those that wait)."""

    campaign_id: int | None
    plan: Plan | None
    recipients: int | None


def asked(violations: Violations, request: pb.ForecastCampaignRequest) -> ForecastAsked:
    """What is to be forecast."""
    if not request.campaign_id and not request.HasField("campaign"):
        violations.add("campaign_id", "must be given, or campaign")
    if request.HasField("recipients"):
        violations.integer("recipients", request.recipients, 0, MAX_RECIPIENTS)
    plan = campaigns.pace(violations, request.campaign) if request.HasField("campaign") else None
    return ForecastAsked(
        campaign_id=violations.identifier("campaign_id", request.campaign_id) if request.campaign_id else None,
        plan=plan,
        recipients=request.recipients if request.HasField("recipients") else None,
    )
