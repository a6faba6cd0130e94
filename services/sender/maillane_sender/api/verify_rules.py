"""Rules of what is to be verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.sender.v1 import sender_service_pb2 as pb

from maillane_sender.smtp import Security, Transport

if TYPE_CHECKING:
    from maillane_chassis.violations import Violations

MAX_HOST_CHARS: Final = 253
MAX_USERNAME_CHARS: Final = 320
MAX_PASSWORD_CHARS: Final = 1024

_SECURITIES: Final = {
    pb.SECURITY_TLS: Security.TLS,
    pb.SECURITY_STARTTLS: Security.STARTTLS,
    pb.SECURITY_NONE: Security.NONE,
}


def transport(violations: Violations, asked: pb.VerifyMailboxRequest) -> Transport:
    """The mail server that is to be tried.

    Raises:
        InvalidArgument: a field is out of range.
    """
    violations.text("host", asked.host, low=1, high=MAX_HOST_CHARS)
    violations.integer("port", asked.port, 1, 65535)
    violations.member("security", asked.security, {value: pb.Security.Name(value) for value in _SECURITIES})
    violations.text("username", asked.username, high=MAX_USERNAME_CHARS)
    violations.text("password", asked.password, high=MAX_PASSWORD_CHARS)
    violations.raise_if_any()
    return Transport(
        host=asked.host,
        port=asked.port,
        security=_SECURITIES[asked.security],
        username=asked.username,
        password=asked.password,
        # A connection of its own: these concern only what is reused.
        mailbox_id="",
        revision=0,
        max_connections=1,
    )


def fill(asked: pb.VerifyMailboxRequest, own: mailbox_pb.Smtp) -> None:
    """Sets what is not given to what a mailbox has."""
    asked.host = asked.host or own.host
    asked.port = asked.port or own.port
    # The two enums have the same numbers.
    asked.security = asked.security or pb.Security.ValueType(own.security)
    asked.username = asked.username or own.username


def may_use_password(asked: pb.VerifyMailboxRequest, own: mailbox_pb.Smtp) -> bool:
    """Whether a mailbox's password may go there: to the host that it was given for, and not in the clear beyond that.

    Else whoever may verify a mailbox, and may never read its password, could have it sent to a server of their own.
    """
    same_host = asked.host.rstrip(".").lower() == own.host.rstrip(".").lower()
    in_the_clear = asked.security == pb.SECURITY_NONE and own.security != mailbox_pb.SECURITY_NONE
    return same_host and not in_the_clear
