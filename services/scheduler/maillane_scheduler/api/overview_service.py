"""A workspace as a whole: counts, what waits for a person, and how limits are used."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import cast

from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1 import message_service_pb2 as message_pb
from maillane.scheduler.v1 import overview_service_pb2 as pb
from maillane.scheduler.v1.overview_service_pb2_grpc import OverviewServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from maillane_scheduler.api.caller import Context, workspace
from maillane_scheduler.api.holds import lane_state
from maillane_scheduler.api.times import timestamp, timestamp_us
from maillane_scheduler.api.watches import Watches
from maillane_scheduler.dispatch.meter import Used
from maillane_scheduler.failure import WORTH_RETRY
from maillane_scheduler.forecast import report
from maillane_scheduler.outlook import Outlook, Outlooks
from maillane_scheduler.states import CampaignState, LaneState, StopReason
from maillane_scheduler.store import outcome_hours, outcome_pages, overviews
from maillane_scheduler.store.outlooks import Box, gate_parks
from maillane_scheduler.store.overviews import Failed, Totals
from maillane_scheduler.validation import overviews as rules
from maillane_scheduler.validation.messages import Filters

WATCH_EVERY_S = 1.0
# Workspaces at once, in one process: each look takes some 20 ms.
MAX_WATCHED = 200
# Their number stays as it is when a campaign is cancelled, when one grows old, and when one fails again otherwise.
FAILURES_US = 60_000_000
MOST_MAILBOXES = 200
# In the strip "This hour".
SHOWN = 5
# A server that has taken nothing for so long will not by itself, or not soon.
STOPPED_US = 3_600_000_000
_MOST_INT32 = 2**31 - 1


class OverviewService(OverviewServiceServicer):
    """Reads only."""

    def __init__(self, engine: AsyncEngine, outlooks: Outlooks) -> None:
        self._engine = engine
        self._outlooks = outlooks
        self._watches = Watches(self._overview, every_s=WATCH_EVERY_S, most=MAX_WATCHED)
        # By workspace: failures as of (how many there were, when), for they are dear to look at and seldom change.
        self._failures: dict[int, tuple[tuple[int, int], list[Failed]]] = {}

    def end_watches(self) -> None:
        """Ends the streams: before the server is stopped, which waits for them otherwise."""
        self._watches.close()

    async def GetOverview(self, request: pb.GetOverviewRequest, context: Context) -> pb.GetOverviewResponse:
        return pb.GetOverviewResponse(overview=await self._overview(workspace(context)))

    async def WatchOverview(
        self, request: pb.WatchOverviewRequest, context: Context
    ) -> AsyncIterator[pb.WatchOverviewResponse]:
        async for overview in self._watches.follow(workspace(context)):
            yield pb.WatchOverviewResponse(overview=overview)

    async def GetAttention(self, request: pb.GetAttentionRequest, context: Context) -> pb.GetAttentionResponse:
        whose = workspace(context)
        outlook = await self._outlooks.look(whose)
        async with self._engine.connect() as connection:
            return await self._attention(connection, whose, outlook, await overviews.totals(connection, whose))

    async def GetUsage(self, request: pb.GetUsageRequest, context: Context) -> pb.GetUsageResponse:
        violations, whose = Violations(), workspace(context)
        outlook = await self._outlooks.look(whose)
        asked = rules.usage(violations, request, outlook.now_us)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            filters = Filters(campaign_id=asked.campaign_id, mailbox_id=asked.mailbox_id)
            campaigns = await outcome_pages.campaigns_of(connection, whose, filters)
            past = await outcome_hours.between(connection, campaigns, asked.mailbox_id, asked.start_us, asked.end_us)
        planned = await self._planned(outlook, asked)
        return pb.GetUsageResponse(
            hours=[
                pb.UsageHour(
                    start_time=timestamp_us(hour),
                    sent=past.get(hour, (0, 0, 0))[0],
                    failed=past.get(hour, (0, 0, 0))[1],
                    unconfirmed=past.get(hour, (0, 0, 0))[2],
                    planned=planned[hour],
                )
                for hour in sorted({*past, *planned})
            ],
            mailboxes=[_usage(outlook, box) for box in self._boxes(outlook, asked)],
        )

    async def _planned(self, outlook: Outlook, asked: rules.UsageAsked) -> Counter[int]:
        traces = await self._outlooks.forecast(outlook)
        planned: Counter[int] = Counter()
        for (campaign, mailbox), trace in traces.items():
            if asked.campaign_id in (None, campaign) and asked.mailbox_id in (None, mailbox):
                planned += report.by_hour(trace, rules.HOUR_US, asked.end_us)
        return Counter({hour: count for hour, count in planned.items() if hour >= asked.start_us})

    @staticmethod
    def _boxes(outlook: Outlook, asked: rules.UsageAsked) -> list[Box]:
        boxes = outlook.facts.boxes
        if asked.mailbox_id is not None:
            return [boxes[asked.mailbox_id]] if asked.mailbox_id in boxes else []
        if asked.campaign_id is not None:
            lanes = outlook.of_campaign(asked.campaign_id)
            return [boxes[lane.lane.mailbox] for lane in lanes if lane.lane.mailbox in boxes]
        return list(boxes.values())[:MOST_MAILBOXES]

    async def _overview(self, workspace_id: int) -> pb.Overview:
        outlook = await self._outlooks.look(workspace_id)
        async with self._engine.connect() as connection:
            totals = await overviews.totals(connection, workspace_id)
            attention = await self._attention(connection, workspace_id, outlook, totals)
        waiting = _waiting(outlook)
        busy = sorted(
            (box for box in outlook.facts.boxes.values() if waiting[box.id]),
            key=lambda box: (-outlook.hours.get(box.id, Used()).used / box.hourly_limit, box.id),
        )
        return pb.Overview(
            scheduled=min(totals.scheduled, _MOST_INT32),
            sent=min(totals.sent, _MOST_INT32),
            attention=attention.decisions,
            active_campaigns=totals.active_campaigns,
            this_hour=[_hour(outlook, box, waiting[box.id]) for box in busy[:SHOWN]],
            stopped=outlook.facts.stopped,
            lanes=_lanes(outlook),
        )

    async def _attention(
        self, connection: AsyncConnection, workspace_id: int, outlook: Outlook, totals: Totals
    ) -> pb.GetAttentionResponse:
        unconfirmed = await overviews.unconfirmed(connection, workspace_id) if totals.unconfirmed else []
        paused = await overviews.paused(connection, workspace_id)
        failures = await self._failed(connection, workspace_id, (totals.failed, outlook.now_us // FAILURES_US))
        stopped = _stopped(outlook)
        answer = pb.GetAttentionResponse(
            unconfirmed=[
                pb.UnconfirmedGroup(campaign_id=str(u.campaign), count=u.count, message_ids=map(str, u.first_ids))
                for u in unconfirmed
            ],
            mailboxes=stopped,
            campaigns=[
                pb.StoppedCampaign(
                    campaign_id=str(p.campaign),
                    reason=p.reason,
                    since_time=timestamp_us(p.since_us),
                    waiting=p.waiting,
                )
                for p in paused
            ],
            failures=map(_failure, failures),
        )
        worth = sum(group.worth_retry for group in answer.failures)
        answer.decisions = sum(u.count for u in unconfirmed) + len(stopped) + len(paused) + worth
        return answer

    async def _failed(self, connection: AsyncConnection, workspace_id: int, as_of: tuple[int, int]) -> list[Failed]:
        known = self._failures.get(workspace_id)
        if known is None or known[0] != as_of:
            if len(self._failures) >= MAX_WATCHED:
                self._failures.clear()
            known = (as_of, await overviews.failures(connection, workspace_id) if as_of[0] else [])
            self._failures[workspace_id] = known
        return known[1]


def _waiting(outlook: Outlook) -> Counter[int]:
    """Messages of active campaigns that wait in each mailbox."""
    found: Counter[int] = Counter()
    for waiting in outlook.waiting.values():
        if waiting.lane.state is CampaignState.ACTIVE:
            found[waiting.lane.mailbox] += waiting.count
    return found


def _lanes(outlook: Outlook) -> list[pb.LaneCount]:
    found: Counter[LaneState] = Counter()
    for waiting in outlook.waiting.values():
        if waiting.lane.state is CampaignState.ACTIVE:
            found[lane_state(outlook, waiting)] += waiting.count
    return [
        pb.LaneCount(state=cast(message_pb.LaneState.ValueType, int(state)), waiting=min(found[state], _MOST_INT32))
        for state in LaneState
        if found[state]
    ]


def _stopped(outlook: Outlook) -> list[pb.StoppedMailbox]:
    waiting = _waiting(outlook)
    found = []
    for box in outlook.facts.boxes.values():
        lasts = box.stop_us is not None and box.stop_us <= outlook.now_us - STOPPED_US
        is_server = box.stop_reason == StopReason.SERVER and lasts and waiting[box.id]
        if box.stop_reason == StopReason.PASSWORD_REFUSED or is_server:
            found.append(pb.StoppedMailbox(mailbox_id=str(box.id), stop=_stop(box), waiting=waiting[box.id]))
    return found[: overviews.MOST_GROUPS]


def _stop(box: Box) -> mailbox_pb.Stop | None:
    if not box.stop_reason:
        return None
    reason = cast(mailbox_pb.StopReason.ValueType, box.stop_reason)
    return mailbox_pb.Stop(reason=reason, since_time=timestamp_us(box.stop_us), detail=box.stop_detail)


def _hour(outlook: Outlook, box: Box, waiting: int) -> pb.MailboxHour:
    parks = sorted((p for p in gate_parks(box) if p.until_us > outlook.now_us), key=lambda p: -p.until_us)
    return pb.MailboxHour(
        mailbox_id=str(box.id),
        address=box.address,
        used=outlook.hours.get(box.id, Used()).used,
        limit=box.hourly_limit,
        state=cast(mailbox_pb.MailboxState.ValueType, int(box.state)),
        parks=[
            mailbox_pb.Park(
                reason=cast(mailbox_pb.ParkReason.ValueType, int(park.reason)),
                until_time=timestamp_us(park.until_us),
                detail=park.detail,
            )
            for park in parks
        ],
        stop=_stop(box),
        waiting=waiting,
    )


def _usage(outlook: Outlook, box: Box) -> pb.MailboxUsage:
    day = None if box.daily_limit is None else _use(outlook.days.get(box.id, Used()), box.daily_limit)
    return pb.MailboxUsage(
        mailbox_id=str(box.id), hour=_use(outlook.hours.get(box.id, Used()), box.hourly_limit), day=day
    )


def _use(used: Used, limit: int) -> pb.LimitUse:
    return pb.LimitUse(used=used.used, limit=limit, reset_time=timestamp(used.reset_time))


def _failure(failed: Failed) -> pb.FailureGroup:
    return pb.FailureGroup(
        campaign_id=str(failed.campaign),
        kind=cast(pb.FailureKind.ValueType, int(failed.kind)),
        code=failed.code,
        reply=failed.reply,
        count=failed.count,
        worth_retry=failed.kind in WORTH_RETRY,
    )
