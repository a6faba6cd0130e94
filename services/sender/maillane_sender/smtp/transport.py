"""How a mailbox's server is reached, and the envelope of one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Security(StrEnum):
    """How the connection is encrypted."""

    TLS = "TLS"
    """From the first byte (port 465)."""
    STARTTLS = "STARTTLS"
    """Upgraded before anything is said; a server that does not offer it is refused, for the offer can be stripped."""
    NONE = "NONE"
    """In clear: to loopback, or where a setting allows it; with credentials only to loopback."""


@dataclass(frozen=True, slots=True)
class Transport:
    """One mailbox's way out. Its `repr` never shows the password.

    Equal transports share connections, whatever their revisions and limits.
    `host` is a name or an address literal, `username` empty means no AUTH, `revision` rises with every change of the
    mailbox, and at most `max_connections` (at least one) are open at a time.
    """

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    mailbox_id: str
    revision: int = field(compare=False)
    max_connections: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Whom SMTP is told that a message is from and for: addr-specs with their domains in ASCII.

    `smtputf8` says that a local part is not ASCII, so that only a server that offers SMTPUTF8 (RFC 6531) can take it.
    """

    sender: str
    recipient: str
    smtputf8: bool = False
