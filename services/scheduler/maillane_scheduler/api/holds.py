"""Why a message waits, and until when, in the words of a lane's outlook."""

from maillane_scheduler.forecast.trace import Trace
from maillane_scheduler.forecast.world import LIMITS, Pace
from maillane_scheduler.message import FIRST_TRY, PARKED, Hold, HoldReason, Message
from maillane_scheduler.outlook import Outlook, Waiting
from maillane_scheduler.states import CampaignState, LaneState, MailboxState, ParkReason, StopReason
from maillane_scheduler.store.outlooks import gate_parks
from maillane_scheduler.store.parks import GATE

_AHEAD = {
    Pace.HOURLY_LIMIT: HoldReason.HOURLY_LIMIT,
    Pace.DAILY_LIMIT: HoldReason.DAILY_LIMIT,
    Pace.CAMPAIGN_LIMIT: HoldReason.CAMPAIGN_LIMIT,
}
"""What a limit that a forecast meets will be told as, once it binds."""


def explained(outlook: Outlook, waiting: Waiting, trace: Trace, message: Message, expected_us: int | None) -> Hold:
    """What holds a pending message: what only a person lifts comes first, then what holds it now, then what will.

    Args:
        trace: of its lane; empty where the lane does not send.
        expected_us: when it leaves, as things stand.
    """
    by_person = _by_person(outlook, waiting)
    if by_person is not None:
        return by_person
    due_us, gap_us = message.due_us, waiting.lane.delay_us
    if waiting.lane.base_us > outlook.now_us:
        return Hold(HoldReason.NOT_STARTED, waiting.lane.base_us, expected_us=expected_us)
    if due_us is not None and due_us > outlook.now_us:
        if message.is_retry:
            return Hold(HoldReason.RETRY, due_us, message.last_reply, expected_us)
        return _ahead(trace, due_us, expected_us) or Hold(
            HoldReason.NOT_DUE, due_us, expected_us=expected_us, gap_us=gap_us
        )
    now = _parked(outlook, waiting, expected_us) or _used_up(outlook, waiting, expected_us)
    if now is not None:
        return now
    ahead = _ahead(trace, outlook.now_us, expected_us)
    return ahead or Hold(HoldReason.TURN, expected_us, expected_us=expected_us, gap_us=gap_us)


def explained_resend(outlook: Outlook, waiting: Waiting, ready_us: int) -> Hold:
    """What holds a resend whose first try may still succeed until an instant."""
    return _by_person(outlook, waiting) or Hold(HoldReason.RETRY, max(ready_us, outlook.now_us), FIRST_TRY)


def lane_state(outlook: Outlook, waiting: Waiting) -> LaneState:
    """What holds the first message of a lane of an active campaign now, in the order of `explained`."""
    if _by_person(outlook, waiting) is not None:
        return LaneState.STOPPED
    if waiting.lane.base_us > outlook.now_us:
        return LaneState.NOT_STARTED
    if _parked(outlook, waiting, None) is not None:
        return LaneState.SLOWED
    return LaneState.AT_LIMIT if _used_up(outlook, waiting, None) is not None else LaneState.LEAVING


def _by_person(outlook: Outlook, waiting: Waiting) -> Hold | None:
    box = outlook.facts.boxes.get(waiting.lane.mailbox)
    if outlook.facts.stopped:
        return Hold(HoldReason.WORKSPACE_STOPPED)
    if waiting.lane.state is CampaignState.PAUSED:
        return Hold(HoldReason.CAMPAIGN_PAUSED)
    if box is None or box.state is not MailboxState.ACTIVE:
        return Hold(HoldReason.MAILBOX_PAUSED)
    if box.stop_reason == StopReason.PASSWORD_REFUSED:
        return Hold(HoldReason.PASSWORD_REFUSED, detail=box.stop_detail)
    return None


def _parked(outlook: Outlook, waiting: Waiting, expected_us: int | None) -> Hold | None:
    box = outlook.facts.boxes[waiting.lane.mailbox]
    for park in gate_parks(box):
        if park.until_us > outlook.now_us and park.reason is not ParkReason.LIMIT:
            reason, words = PARKED[park.reason]
            return Hold(reason, park.until_us, park.detail or words, expected_us)
    return None


def _used_up(outlook: Outlook, waiting: Waiting, expected_us: int | None) -> Hold | None:
    box, campaign = outlook.facts.boxes[waiting.lane.mailbox], waiting.lane.campaign
    hour_end = outlook.now_us - outlook.now_us % outlook.hour_us + outlook.hour_us
    day_end = outlook.now_us - outlook.now_us % outlook.day_us + outlook.day_us
    limits = (
        (HoldReason.DAILY_LIMIT, box.daily_limit, outlook.days.get(box.id), day_end),
        (HoldReason.HOURLY_LIMIT, box.hourly_limit, outlook.hours.get(box.id), hour_end),
        (HoldReason.CAMPAIGN_LIMIT, waiting.lane.campaign_limit, outlook.campaign_hours.get(campaign), hour_end),
    )
    for reason, limit, used, until_us in limits:
        if limit is not None and used is not None and used.used >= limit:
            return Hold(reason, until_us, "", expected_us, limit, used.used)
    for park in box.parks:
        # Of the others the limiter has just said that they have room, if it was there to say so.
        binds = park.until_us > outlook.now_us and (park.of_deployment or not outlook.hours)
        if park.reason is ParkReason.LIMIT and park.campaign in (GATE, campaign) and binds:
            return Hold(HoldReason.LIMIT, park.until_us, park.detail, expected_us)
    return None


def _ahead(trace: Trace, from_us: int, expected_us: int | None) -> Hold | None:
    """A limit that is used up before its turn comes."""
    if expected_us is None:
        return None
    met = [wait for wait in trace.waits if wait.reason in LIMITS and from_us < wait.until_us <= expected_us]
    if not met:
        return None
    last = met[-1]
    return Hold(HoldReason.LIMIT_AHEAD, last.until_us, "", expected_us, last.limit, ahead=_AHEAD[last.reason])
