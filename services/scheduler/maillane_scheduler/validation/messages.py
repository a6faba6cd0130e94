"""Rules of messages: filters, and what is asked of them."""

from dataclasses import dataclass
from enum import IntEnum

from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.states import LaneState, MessageState, Resolution
from maillane_scheduler.validation import suppressions
from maillane_scheduler.validation.requests import instant_us

MAX_REPLY_CONTAINS = 200
MAX_QUERY = 254
_RESOLUTIONS = {int(resolution): f"RESOLUTION_{resolution.name}" for resolution in Resolution}


class Order(IntEnum):
    """In which order messages are listed; the numbers are the proto's."""

    CAMPAIGN = 1
    LEAVING = 2
    LATEST = 3


_LANE_STATES = {int(state): f"LANE_STATE_{state.name}" for state in LaneState}
_STATES = {
    Order.CAMPAIGN: frozenset(range(len(MessageState) + 1)),
    Order.LEAVING: frozenset((0, int(MessageState.PENDING))),
    Order.LATEST: frozenset(map(int, (0, MessageState.SENT, MessageState.FAILED, MessageState.UNCONFIRMED))),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages; None: whichever."""

    campaign_id: int | None = None
    state: MessageState | None = None
    mailbox_id: int | None = None
    recipient: str | None = None
    query: str = ""
    start_us: int | None = None
    end_us: int | None = None
    order: Order = Order.CAMPAIGN
    lane_state: LaneState | None = None


def filters(violations: Violations, request: pb.ListMessagesRequest | pb.ExportMessagesRequest) -> Filters:
    """The filters of a list, and its order."""
    order = request.order or pb.MESSAGE_ORDER_CAMPAIGN
    orders = {int(each): f"MESSAGE_ORDER_{each.name}" for each in Order}
    ordered = Order(order) if violations.member("order", order, orders) in orders else Order.CAMPAIGN
    if request.state not in _STATES[ordered]:
        violations.add("state", "must be one that is listed in this order, or unset")
    for field in ("start_time", "end_time"):
        if request.HasField(field) and ordered is not Order.LATEST:
            violations.add(field, "must be unset in this order")
    if request.lane_state and ordered is not Order.LEAVING:
        violations.add("lane_state", "must be unset in this order")
    lanes = request.lane_state and violations.member("lane_state", request.lane_state, _LANE_STATES) in _LANE_STATES
    states = {int(state): f"MESSAGE_STATE_{state.name}" for state in MessageState}
    known = request.state == pb.MESSAGE_STATE_UNSPECIFIED or violations.member("state", request.state, states) in states
    return Filters(
        campaign_id=violations.identifier("campaign_id", request.campaign_id) if request.campaign_id else None,
        state=MessageState(request.state) if request.state and known else None,
        mailbox_id=violations.identifier("mailbox_id", request.mailbox_id) if request.mailbox_id else None,
        recipient=suppressions.email(violations, request.recipient, "recipient") if request.recipient else None,
        query=violations.text("query", request.query, high=MAX_QUERY),
        start_us=instant_us(violations, "start_time", request.start_time) if request.HasField("start_time") else None,
        end_us=instant_us(violations, "end_time", request.end_time) if request.HasField("end_time") else None,
        order=ordered,
        lane_state=LaneState(request.lane_state) if lanes else None,
    )


@dataclass(frozen=True, slots=True)
class RetryFilters:
    """Which failed messages; code 0 and an empty text: whichever."""

    code: int = 0
    reply_contains: str = ""


def retry_filters(violations: Violations, request: pb.RetryMessagesRequest) -> RetryFilters:
    """Which failed messages are to be tried again."""
    if request.code and not 200 <= request.code <= 599:
        violations.add("code", "must be 0, or from 200 to 599")
    violations.text("reply_contains", request.reply_contains, high=MAX_REPLY_CONTAINS)
    return RetryFilters(request.code, request.reply_contains)


def resolution(violations: Violations, request: pb.ResolveMessageRequest) -> Resolution | None:
    """What is to be made of an unconfirmed message; None where that is no resolution."""
    known = violations.member("resolution", request.resolution, _RESOLUTIONS) in _RESOLUTIONS
    return Resolution(request.resolution) if known else None
