"""What a verdict means for the message, its recipient, its mailbox and its campaign."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What becomes of the message."""

    SENT = "SENT"
    FAILED = "FAILED"
    """For good: the same again would get the same answer."""
    RETRY = "RETRY"
    """Refused for now; an attempt is spent."""
    NOT_SENT = "NOT_SENT"
    """Definitely not sent, and not for anything about this message: back to the queue with no attempt spent."""
    UNCONFIRMED = "UNCONFIRMED"
    """Nobody knows: never sent again by itself."""


class Scope(StrEnum):
    """Whom the answer is about, and so who waits or is stopped."""

    RECIPIENT = "RECIPIENT"
    MAILBOX = "MAILBOX"
    SERVER = "SERVER"
    CAMPAIGN = "CAMPAIGN"
    """A run of these pauses the campaign."""
    CONNECTION = "CONNECTION"


class Reason(StrEnum):
    """Why, in one word for metrics, tables and the UI."""

    ACCEPTED = "accepted"
    LOST = "lost"
    DEAD_ADDRESS = "dead_address"
    BAD_ADDRESS = "bad_address"
    MAILBOX_FULL = "mailbox_full"
    GREYLISTED = "greylisted"
    RECIPIENT_RATE = "recipient_rate"
    NOT_NOW = "not_now"
    REFUSED = "refused"
    POLICY = "policy"
    TOO_BIG = "too_big"
    RATE = "rate"
    QUOTA = "quota"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    AUTH = "auth"
    SENDER_REFUSED = "sender_refused"
    SERVER_BUSY = "server_busy"
    PROTOCOL = "protocol"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    HOST_REFUSED = "host_refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to do.

    `suppress`: the address is dead, mail to it harms the sender. `park`: set what `scope` names (mailbox or server)
    aside with growing back-off. `fewer_connections`: lower the mailbox's cap. `refund`: the permit was not used, for
    neither did content begin nor did the server refuse the recipient.
    """

    kind: Kind
    scope: Scope
    reason: Reason
    suppress: bool = False
    park: bool = False
    fewer_connections: bool = False
    refund: bool = False
