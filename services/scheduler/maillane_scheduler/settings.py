"""The scheduler's settings, from the environment: `MAILLANE_<NAME>`."""

import base64
import binascii

from maillane_chassis.settings import ServiceSettings
from pydantic import Field, SecretStr, field_validator


class Settings(ServiceSettings):
    """What the scheduler is told. Durations are in seconds."""

    scheduler_port: int = Field(default=50051, ge=0, le=65535)
    # Where the limiter answers.
    ratelimit_target: str = "127.0.0.1:50052"
    # Not shown in errors or logs: both hold passwords.
    postgres_url: SecretStr
    redis_url: SecretStr
    # 32 bytes in base64: seals the passwords of mailboxes at rest (AES-256-GCM).
    secret_key: SecretStr

    # Where recipients reach the gateway, with the scheme and without a path: messages carry links to end them there.
    # Empty: they carry none.
    public_url: str = Field(default="", max_length=200, pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$")

    # Used where a mailbox or campaign says nothing of its own.
    max_per_hour_per_mailbox: int = Field(default=200, ge=1, le=100_000)
    min_gap_s: float = Field(default=0, ge=0, le=3600)
    # Over the whole deployment; unset: no cap.
    max_per_hour: int | None = Field(default=None, ge=1, le=1_000_000_000)
    # 0: hours are fixed windows. n: they roll, in n parts.
    window_parts: int = Field(default=0, ge=0, le=60)
    # How long an "hour" and a "day" of limits are. For tests of what happens at a window's end; leave them alone.
    hour_s: int = Field(default=3600, ge=1, le=86_400)
    day_s: int = Field(default=86_400, ge=1, le=86_400 * 7)

    # Whether mail servers may be on this machine or in private networks, whether mailboxes may use SECURITY_NONE beyond
    # loopback, and which ports beside 25, 465, 587 and 2525. Senders are told the same.
    smtp_allow_private: bool = False
    smtp_allow_plaintext: bool = False
    smtp_ports: str = ""
    # A mail server that delivers nothing, as host:port, and where a browser sees what it took: offered to who tries
    # Maillane out. Empty: there is none.
    catcher: str = Field(default="", max_length=260, pattern=r"^([A-Za-z0-9.-]+:[1-9][0-9]{0,4})?$")
    catcher_url: str = Field(default="", max_length=200, pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$")

    # A recipient's next try comes after retry_first × 4ⁿ, up to retry_most, give or take a fifth.
    retry_first_s: float = Field(default=60, ge=0.01, le=86_400)
    retry_most_s: float = Field(default=4 * 3600, ge=0.01, le=7 * 86_400)
    max_attempts: int = Field(default=5, ge=1, le=100)
    # A mailbox whose server asks for patience rests for backoff_first × 2ⁿ, up to backoff_most, give or take a fifth.
    backoff_first_s: float = Field(default=30, ge=0.01, le=3600)
    backoff_most_s: float = Field(default=3600, ge=0.01, le=86_400)

    # What is unconfirmed is not sent again before its lease is over and this long after it: a sender's longest wait for
    # the answer to content, and its drain. Less, and a message may be sent twice at the same time.
    resend_after_s: float = Field(default=610, ge=0, le=86_400)
    # So many messages that servers refuse because of what a campaign sends pause it; ten that are taken make up for
    # one.
    max_rejections: int = Field(default=20, ge=1, le=10_000)

    # Whether people whom nobody invited get a workspace of their own.
    sign_up: bool = False
    # A session ends when it was not used for so long, and in any case after so long.
    session_idle_s: int = Field(default=7 * 86_400, ge=120, le=366 * 86_400)
    session_most_s: int = Field(default=30 * 86_400, ge=120, le=366 * 86_400)

    # How long senders hold what they claimed, unless they renew.
    lease_s: float = Field(default=60, ge=5, le=600)
    # Connections to Postgres: for dispatch, and for everything else.
    dispatch_connections: int = Field(default=4, ge=1, le=100)
    api_connections: int = Field(default=10, ge=2, le=100)

    @field_validator("secret_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        try:
            key = base64.b64decode(value.get_secret_value(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise ValueError("must be 32 bytes in base64")
        return value

    @field_validator("smtp_ports")
    @classmethod
    def _are_ports(cls, value: str) -> str:
        for part in filter(None, map(str.strip, value.split(","))):
            if not part.isdigit() or not 1 <= int(part) <= 65535:
                raise ValueError("must be port numbers from 1 to 65535, separated by commas")
        return value

    @property
    def resend_wait_s(self) -> float:
        """From when a message became unconfirmed until its first try can no longer succeed.

        The lease counts in full: a sender that was replaced under its name goes on until it hears of that, or its lease
        ends.
        """
        return self.lease_s + self.resend_after_s

    @property
    def sealing_key(self) -> bytes:
        """The 32 bytes of `secret_key`."""
        return base64.b64decode(self.secret_key.get_secret_value())

    @property
    def extra_ports(self) -> frozenset[int]:
        """The ports of `smtp_ports`."""
        return frozenset(int(part) for part in self.smtp_ports.split(",") if part.strip())
