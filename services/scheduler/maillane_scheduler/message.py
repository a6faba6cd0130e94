"""What a message is made of, as values, and what holds one that waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from maillane_scheduler.states import CampaignState, MailboxState, MessageState, ParkReason

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Message:
    """An email to one recipient as it is now. `due_us` None: its campaign is a draft.

    Attributes:
        settle_time: when its last try brought it to its state; None where none did.
        is_retry: it is due by a retry's time, not by its place in the plan.
    """

    id: int
    campaign_id: int
    mailbox_id: int
    recipient: str
    state: MessageState
    due_us: int | None
    send_time: datetime | None
    attempts: int
    last_reply: str
    settle_time: datetime | None = None
    last_code: int = 0
    line: int = 0
    subject: str = ""
    recipient_name: str = ""
    is_retry: bool = False


def header_id(message_id: int, key: str, address: str) -> str:
    """The Message-ID header of each try of a message: of its campaign's key and its mailbox's normalised address."""
    digits = ""
    while message_id:
        message_id, digit = divmod(message_id, 36)
        digits = _DIGITS[digit] + digits
    return f"<{digits or '0'}.{key}@{address.rpartition('@')[2]}>"


def name_of(variables: Mapping[str, str]) -> str:
    """Whom a message is for, where its variables say so."""
    whole = variables.get("name") or variables.get("full_name")
    return whole or " ".join(filter(None, (variables.get("first_name"), variables.get("last_name"))))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a message. `code` 0: the server said nothing."""

    number: int
    mailbox_id: int
    claim_time: datetime
    settle_time: datetime
    state: MessageState
    code: int
    reply: str


class HoldReason(IntEnum):
    """Why a message waits; the numbers are the proto's."""

    DRAFT = 1
    CAMPAIGN_PAUSED = 2
    MAILBOX_PAUSED = 3
    NOT_DUE = 4
    RETRY = 5
    LIMIT = 6
    BACKOFF = 7
    TURN = 8
    WORKSPACE_STOPPED = 9
    NOT_STARTED = 10
    HOURLY_LIMIT = 11
    DAILY_LIMIT = 12
    CAMPAIGN_LIMIT = 13
    LIMIT_AHEAD = 14
    WINDOW = 15
    PASSWORD_REFUSED = 16


@dataclass(frozen=True, slots=True)
class Hold:
    """What binds a message that waits, and until when, as far as is known.

    Attributes:
        ahead: of a limit that lies ahead: which one.
    """

    reason: HoldReason
    until_us: int | None = None
    detail: str = ""
    expected_us: int | None = None
    limit: int | None = None
    used: int | None = None
    gap_us: int | None = None
    ahead: HoldReason | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that may hold a message, at one instant. Parks are of its mailbox and of its lane.

    Attributes:
        resend_us: where its first try may still succeed: until when at least.
    """

    now_us: int
    stopped: bool
    campaign_state: CampaignState
    mailbox_state: MailboxState
    due_us: int | None
    retry_us: int | None
    parks: Sequence[tuple[ParkReason, int, str]]
    resend_us: int | None = None


def hold(state: MessageState, about: Circumstances) -> Hold | None:
    """What holds a message; None where nothing does any more, for it is not pending or its campaign has ended.

    What only a person lifts comes first; of what time lifts, that which lasts longest binds.
    """
    if state is not MessageState.PENDING or about.campaign_state.ended:
        return None
    by_person = (
        (about.stopped, HoldReason.WORKSPACE_STOPPED),
        (about.campaign_state is CampaignState.DRAFT, HoldReason.DRAFT),
        (about.campaign_state is CampaignState.PAUSED, HoldReason.CAMPAIGN_PAUSED),
        (about.mailbox_state is MailboxState.PAUSED, HoldReason.MAILBOX_PAUSED),
    )
    for holds, reason in by_person:
        if holds:
            return Hold(reason)
    if about.resend_us is not None:
        return Hold(HoldReason.RETRY, max(about.resend_us, about.now_us), FIRST_TRY)
    return _by_time(about)


FIRST_TRY = "its first try may still succeed until then"
"""Why a resend is held."""

PARKED = {
    ParkReason.LIMIT: (HoldReason.LIMIT, "a limit is used up"),
    ParkReason.BACKOFF: (HoldReason.BACKOFF, "the mail server asked for patience"),
    ParkReason.WINDOW: (HoldReason.WINDOW, "it is outside the sending hours"),
}


def _by_time(about: Circumstances) -> Hold:
    holds = [Hold(PARKED[reason][0], until, detail or PARKED[reason][1]) for reason, until, detail in about.parks]
    if about.due_us is not None:
        retried = about.retry_us is not None and about.retry_us >= about.due_us
        holds.append(Hold(HoldReason.RETRY if retried else HoldReason.NOT_DUE, about.due_us))
    ahead = [hold for hold in holds if hold.until_us is not None and hold.until_us > about.now_us]
    if not ahead:
        return Hold(HoldReason.TURN, detail="it is due, and others of its mailbox are before it")
    return max(ahead, key=lambda hold: hold.until_us or 0)
