"""The states of campaigns, mailboxes and messages, with the numbers that the tables and the protos share."""

from enum import IntEnum


class CampaignState(IntEnum):
    """`DRAFT → ACTIVE ⇄ PAUSED → COMPLETED`, and `CANCELLED` from any of the first three."""

    DRAFT = 1
    ACTIVE = 2
    PAUSED = 3
    COMPLETED = 4
    CANCELLED = 5

    @property
    def ended(self) -> bool:
        """Nothing of it will be sent any more."""
        return self in (CampaignState.COMPLETED, CampaignState.CANCELLED)


class CampaignKind(IntEnum):
    """What a campaign is there for. The number of a test stands in the predicate of an index."""

    CAMPAIGN = 1
    TEST = 2


class LaneState(IntEnum):
    """How a campaign's messages in one mailbox stand; the numbers are the proto's."""

    LEAVING = 1
    NOT_STARTED = 2
    AT_LIMIT = 3
    SLOWED = 4
    STOPPED = 5


class StopReason(IntEnum):
    """Why a mailbox sends nothing, beyond its limits."""

    PAUSED = 1
    PASSWORD_REFUSED = 2
    SERVER = 3


class MailboxState(IntEnum):
    """Whether a person lets it send. Parks are not states: they end by themselves."""

    ACTIVE = 1
    PAUSED = 2


class MessageState(IntEnum):
    """`PENDING → SENDING → SENT | FAILED | UNCONFIRMED`, and the ends that need no sending."""

    PENDING = 1
    SENDING = 2
    SENT = 3
    FAILED = 4
    UNCONFIRMED = 5
    SUPPRESSED = 6
    CANCELLED = 7


class UnconfirmedPolicy(IntEnum):
    """What becomes of messages of which nobody knows whether they arrived."""

    HOLD = 1
    RESEND = 2


class Resolution(IntEnum):
    """What a person makes of an unconfirmed message."""

    RESEND = 1
    ACCEPT = 2


class ParkReason(IntEnum):
    """Why a gate or a lane is set aside until an instant."""

    LIMIT = 1
    BACKOFF = 2
    WINDOW = 3


class SuppressionReason(IntEnum):
    """Why a workspace does not write to an address."""

    MANUAL = 1
    DEAD_ADDRESS = 2
    UNSUBSCRIBED = 3
