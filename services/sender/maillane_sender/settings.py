"""What the sender is told by its environment: `MAILLANE_<NAME>`."""

from __future__ import annotations

import re
import socket
from typing import Final

from maillane_chassis.reach import PRIVATE
from maillane_chassis.settings import Port, ServiceSettings
from pydantic import Field, field_validator

from maillane_sender.smtp.guard import Guard
from maillane_sender.smtp.protocol import Timeouts

MAX_SENDER_ID_CHARS: Final = 64
"""As the contract has it."""

_NOT_IN_SENDER_ID = re.compile(r"[^A-Za-z0-9_.:-]")


class Settings(ServiceSettings):
    """The settings of every service, and the sender's own. Durations are in seconds."""

    # 0 lets the system choose one.
    sender_port: Port = 50053
    scheduler_target: str = "127.0.0.1:50051"
    # Empty: made from the host's name and the port. Two processes of one name would replace each other.
    sender_id: str = Field(default="", max_length=MAX_SENDER_ID_CHARS, pattern=r"^[A-Za-z0-9_.:-]*$")
    # SMTP transactions at once. Three times as many messages are held, which the contract bounds at 1,000.
    sender_concurrency: int = Field(default=5, ge=1, le=200)

    # Whether mail servers may be on this machine or in private networks, and at which ports beside 25, 465, 587, 2525.
    smtp_allow_private: bool = False
    smtp_ports: str = ""
    # Whether SECURITY_NONE may leave this machine; never with a password.
    smtp_allow_plaintext: bool = False
    # The name for EHLO; empty: the address of the connection's own end.
    smtp_ehlo_name: str = Field(default="", max_length=253, pattern=r"^[A-Za-z0-9.:\[\]-]*$")
    smtp_connect_s: float = Field(default=30, ge=0.1, le=300)
    smtp_envelope_s: float = Field(default=60, ge=0.1, le=600)
    smtp_content_s: float = Field(default=600, ge=0.1, le=3600)

    @field_validator("smtp_ports")
    @classmethod
    def _are_ports(cls, value: str) -> str:
        for part in filter(None, map(str.strip, value.split(","))):
            if not part.isdigit() or not 1 <= int(part) <= 65535:
                raise ValueError("must be port numbers from 1 to 65535, separated by commas")
        return value

    @property
    def guard(self) -> Guard:
        """Which hosts and ports mailboxes may name."""
        ports = frozenset(int(part) for part in self.smtp_ports.split(",") if part.strip())
        return Guard(allowed=PRIVATE if self.smtp_allow_private else (), extra_ports=ports)

    @property
    def timeouts(self) -> Timeouts:
        """The deadlines of SMTP."""
        return Timeouts(self.smtp_connect_s, self.smtp_envelope_s, self.smtp_content_s)

    def name(self, incarnation: str) -> str:
        """The sender's id: as set, else from host and port, so that it is the same after a restart.

        Where the port is the system's choice, a part of the incarnation stands for it: that tells processes apart, too.
        """
        if self.sender_id:
            return self.sender_id
        last = f"-{self.sender_port or incarnation[:8]}"
        host = _NOT_IN_SENDER_ID.sub("-", socket.gethostname())
        return host[: MAX_SENDER_ID_CHARS - len(last)] + last
