"""Rules of the filters of messages."""

from dataclasses import dataclass

from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.states import MessageState
from maillane_scheduler.validation import suppressions


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
