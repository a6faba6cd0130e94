"""Rules of messages: filters, and what is asked of them."""

from dataclasses import dataclass

from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.states import MessageState, Resolution
from maillane_scheduler.validation import suppressions

MAX_REPLY_CONTAINS = 200
_RESOLUTIONS = {int(resolution): f"RESOLUTION_{resolution.name}" for resolution in Resolution}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages; None: whichever."""

    campaign_id: int | None = None
    state: MessageState | None = None
    mailbox_id: int | None = None
    recipient: str | None = None


def filters(violations: Violations, request: pb.ListMessagesRequest) -> Filters:
    """The filters of a list."""
    states = {int(state): f"MESSAGE_STATE_{state.name}" for state in MessageState}
    known = request.state == pb.MESSAGE_STATE_UNSPECIFIED or violations.member("state", request.state, states) in states
    return Filters(
        campaign_id=violations.identifier("campaign_id", request.campaign_id) if request.campaign_id else None,
        state=MessageState(request.state) if request.state and known else None,
        mailbox_id=violations.identifier("mailbox_id", request.mailbox_id) if request.mailbox_id else None,
        recipient=suppressions.email(violations, request.recipient, "recipient") if request.recipient else None,
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
