"""When a campaign's messages leave: its plan put into the workspace as it stands, forecast, and told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp
from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane_chassis.errors import FailedPrecondition
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.api.times import duration, timestamp_us
from maillane_scheduler.campaign import Campaign, Plan
from maillane_scheduler.forecast import report
from maillane_scheduler.forecast.forecast import forecast
from maillane_scheduler.forecast.shares import divide
from maillane_scheduler.forecast.trace import Trace, Wait
from maillane_scheduler.forecast.world import Lane, Pace, Place
from maillane_scheduler.outlook import US, Outlook, Outlooks, can_send
from maillane_scheduler.states import CampaignState
from maillane_scheduler.store import campaigns, mailboxes
from maillane_scheduler.validation.forecasts import ForecastAsked
from maillane_scheduler.validation.overviews import HOUR_US

# Of a campaign that is not there yet; no id is 0.
NEW = 0
MOST_RUNS = 50
MOST_HOLDS = 50
DETAILED_HOURS = 14 * 24
# What is offered as one more mailbox must end it at least so much earlier.
_WORTH = 0.05


@dataclass(frozen=True, slots=True)
class _Asked:
    """A plan as it would be sent: which campaign, and how many messages from which mailbox."""

    campaign: int
    plan: Plan
    counts: dict[int, int]
    started: bool


async def answer(
    engine: AsyncEngine, outlooks: Outlooks, workspace_id: int, asked: ForecastAsked
) -> pb.ForecastCampaignResponse:
    """The forecast that is asked for.

    Raises:
        NotFound: CAMPAIGN_NOT_FOUND, or MAILBOX_NOT_FOUND.
        FailedPrecondition: CAMPAIGN_ENDED.
    """
    outlook = await outlooks.look(workspace_id)
    wanted = await _wanted(engine, outlook, workspace_id, asked)
    traces = await outlooks.run(lambda: _forecast(outlook, wanted))
    found = _answer(outlook, wanted, traces)
    if found.HasField("last_time"):
        await _suggest(outlooks, outlook, wanted, found)
    return found


def tell_end(
    answer: pb.Campaign, campaign: Campaign, outlook: Outlook, traces: Mapping[Place, Trace], *, shares: bool
) -> None:
    """Adds to a campaign when it ends, as things stand, and what waits in which mailbox."""
    lanes = outlook.of_campaign(campaign.id)
    ends = [traces[lane.place].last_us if lane.place in traces else None for lane in lanes if lane.count]
    known = [end for end in ends if end is not None]
    if known and len(known) == len(ends):
        answer.expected_end_time.CopyFrom(cast(Timestamp, timestamp_us(max(known))))
    if shares:
        answer.shares.extend(
            pb.CampaignShare(
                mailbox_id=str(waiting.lane.mailbox),
                total=waiting.lane.size,
                waiting=waiting.count,
                next_time=timestamp_us(trace.first_us),
                expected_end_time=timestamp_us(trace.last_us),
            )
            for waiting in lanes
            for trace in (traces.get(waiting.place, Trace()),)
        )


async def _wanted(engine: AsyncEngine, outlook: Outlook, workspace_id: int, asked: ForecastAsked) -> _Asked:
    async with engine.connect() as connection:
        campaign = None
        if asked.campaign_id is not None:
            campaign = await campaigns.get(connection, workspace_id, asked.campaign_id)
            if campaign.state.ended:
                raise FailedPrecondition("the campaign has ended", reason="CAMPAIGN_ENDED")
        plan = asked.plan or (campaign.plan if campaign else None)
        assert plan is not None, "the rules ask for one of them"
        started = campaign is not None and campaign.state is not CampaignState.DRAFT
        if campaign is not None and (started or not plan.mailbox_ids):
            plan = replace(plan, mailbox_ids=campaign.plan.mailbox_ids)
        for mailbox_id in plan.mailbox_ids:
            await mailboxes.check_known(connection, workspace_id, mailbox_id)
    if campaign is not None and started:
        counts = {
            box: outlook.waiting[campaign.id, box].count
            for box in plan.mailbox_ids
            if (campaign.id, box) in outlook.waiting
        }
        return _Asked(campaign.id, plan, counts, started=True)
    recipients = asked.recipients
    if recipients is None:
        recipients = campaign.counts.pending if campaign else 0
    return _Asked(campaign.id if campaign else NEW, plan, _divided(outlook, plan, recipients), started=False)


def _divided(outlook: Outlook, plan: Plan, recipients: int) -> dict[int, int]:
    boxes = [outlook.facts.boxes[box] for box in plan.mailbox_ids if box in outlook.facts.boxes]
    shares = divide(recipients, [box.hourly_limit for box in boxes])
    return {box.id: share for box, share in zip(boxes, shares, strict=True)}


def _forecast(outlook: Outlook, wanted: _Asked) -> dict[Place, Trace]:
    others = [lane for lane in outlook.lanes() if lane.campaign != wanted.campaign]
    lanes = [*others, *_lanes(outlook, wanted)]
    return forecast(outlook.world(lanes, {wanted.campaign: wanted.plan.hourly_limit}))


def _lanes(outlook: Outlook, wanted: _Asked) -> Iterator[Lane]:
    start = wanted.plan.start_time
    start_us = outlook.now_us if start is None else max(outlook.now_us, int(start.timestamp() * US))
    for mailbox, count in wanted.counts.items():
        if not count or not can_send(outlook.facts.boxes.get(mailbox)):
            continue
        ready_us, why = start_us, Pace.START
        if (waiting := outlook.waiting.get((wanted.campaign, mailbox))) is not None:
            ready_us, why = waiting.ready_us, waiting.why
            if why is Pace.START:
                # Its start lies ahead, and may be moved by the plan that is asked for.
                ready_us = start_us
        yield Lane(wanted.campaign, mailbox, count, ready_us, wanted.plan.delay_us, why)


def _answer(outlook: Outlook, wanted: _Asked, traces: dict[Place, Trace]) -> pb.ForecastCampaignResponse:
    mine = {mailbox: traces.get((wanted.campaign, mailbox), Trace()) for mailbox in wanted.counts}
    ends = [trace.last_us for trace in mine.values() if trace.last_us is not None]
    begins = [trace.first_us for trace in mine.values() if trace.first_us is not None]
    blocked = [mailbox for mailbox, count in wanted.counts.items() if count and mine[mailbox].last_us is None]
    found = pb.ForecastCampaignResponse(
        recipients=sum(wanted.counts.values()),
        first_time=timestamp_us(min(begins, default=None)),
        last_time=timestamp_us(None if blocked else max(ends, default=None)),
        shares=(_share(mailbox, wanted.counts[mailbox], trace) for mailbox, trace in mine.items()),
    )
    _tell_hours(found, mine, min(begins, default=0), max(ends, default=0))
    for mailbox, trace in mine.items():
        found.holds.extend(_hold(mailbox, wait) for wait in trace.waits[:MOST_HOLDS])
    for mailbox in blocked:
        paused = Wait(Pace.PAUSED, outlook.now_us, 0)
        found.holds.append(_hold(mailbox, paused))
    if blocked:
        found.binding.CopyFrom(_binding(blocked[0], report.Binding(Pace.PAUSED, outlook.now_us)))
    elif (last := report.ends_last(mine.items())) is not None and (bound := report.binding(last[1])) is not None:
        found.binding.CopyFrom(_binding(last[0], bound))
    return found


def _share(mailbox: int, count: int, trace: Trace) -> pb.ForecastShare:
    return pb.ForecastShare(
        mailbox_id=str(mailbox),
        count=count,
        first_time=timestamp_us(trace.first_us),
        last_time=timestamp_us(trace.last_us),
        runs=(
            pb.ForecastRun(start_time=timestamp_us(run.start_us), count=run.count, gap=duration(run.step_us))
            for run in report.first_runs(trace, MOST_RUNS)
        ),
    )


def _tell_hours(found: pb.ForecastCampaignResponse, mine: dict[int, Trace], first_us: int, last_us: int) -> None:
    # The clock's, whatever the windows of limits are.
    until_us = first_us - first_us % HOUR_US + DETAILED_HOURS * HOUR_US
    counted = {mailbox: report.by_hour(trace, HOUR_US, until_us) for mailbox, trace in mine.items()}
    for hour in sorted({hour for counts in counted.values() for hour in counts}):
        planned = [
            pb.ForecastPlanned(mailbox_id=str(mailbox), count=counts[hour])
            for mailbox, counts in counted.items()
            if counts[hour]
        ]
        if planned:
            found.hours.append(pb.ForecastHour(start_time=timestamp_us(hour), planned=planned))
    found.truncated = last_us >= until_us


def _hold(mailbox: int, wait: Wait) -> pb.ForecastHold:
    return pb.ForecastHold(
        mailbox_id=str(mailbox),
        reason=_reason(wait.reason),
        from_time=timestamp_us(wait.from_us),
        until_time=timestamp_us(wait.until_us or None),
        limit=wait.limit,
    )


def _binding(mailbox: int, bound: report.Binding) -> pb.ForecastBinding:
    return pb.ForecastBinding(
        reason=_reason(bound.reason),
        mailbox_id=str(mailbox),
        limit=bound.limit,
        from_time=timestamp_us(bound.from_us),
    )


def _reason(pace: Pace) -> pb.PaceReason.ValueType:
    return cast(pb.PaceReason.ValueType, int(pace))


async def _suggest(outlooks: Outlooks, outlook: Outlook, wanted: _Asked, found: pb.ForecastCampaignResponse) -> None:
    """The one change, of those that are tried, that ends it the earliest; none where none ends it much earlier."""
    end_us = found.last_time.ToMicroseconds()
    worth_us = end_us - (end_us - outlook.now_us) * _WORTH
    best = None
    for kind, mailbox, changed in _changes(outlook, wanted, found.binding.reason):
        traces = await outlooks.run(lambda changed=changed: _forecast(outlook, changed))  # type: ignore[misc]
        ends = [trace.last_us or 0 for (campaign, _), trace in traces.items() if campaign == wanted.campaign]
        if ends and max(ends) < worth_us and (best is None or max(ends) < best[0]):
            best = (max(ends), kind, mailbox)
    if best is not None:
        last_us, kind, mailbox = best
        found.suggestion.CopyFrom(pb.ForecastSuggestion(kind=kind, mailbox_id=mailbox, last_time=timestamp_us(last_us)))


def _changes(
    outlook: Outlook, wanted: _Asked, reason: int
) -> Iterator[tuple[pb.SuggestionKind.ValueType, str, _Asked]]:
    plan = wanted.plan
    if reason == pb.PACE_REASON_CAMPAIGN_LIMIT:
        yield pb.SUGGESTION_KIND_LIFT_CAMPAIGN_LIMIT, "", replace(wanted, plan=replace(plan, hourly_limit=None))
    if reason == pb.PACE_REASON_DELAY and plan.delay_us > 1:
        yield pb.SUGGESTION_KIND_HALVE_DELAY, "", replace(wanted, plan=replace(plan, delay_us=plan.delay_us // 2))
    if not wanted.started and (spare := _spare(outlook, plan.mailbox_ids)) is not None:
        more = replace(plan, mailbox_ids=(*plan.mailbox_ids, spare))
        counts = _divided(outlook, more, sum(wanted.counts.values()))
        yield pb.SUGGESTION_KIND_ADD_MAILBOX, str(spare), replace(wanted, plan=more, counts=counts)


def _spare(outlook: Outlook, used: Sequence[int]) -> int | None:
    """The mailbox with the highest limit that the plan does not use; of those that can send."""
    spare = [box for box in outlook.facts.boxes.values() if box.id not in used and can_send(box)]
    return max(spare, key=lambda box: (box.hourly_limit, -box.id)).id if spare else None
