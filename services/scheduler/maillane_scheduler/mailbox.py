"""What a mailbox is made of, as values."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from maillane_scheduler.states import MailboxState, ParkReason, StopReason

# RFC 4954 §6: what servers answer to a user name and password that they do not take, or to none.
_PASSWORD_REFUSED = re.compile(r"(?:432|530|534|535)[ -]")


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server and how to speak to it. `password` None: not given; empty: there is none."""

    host: str
    port: int
    security: int
    username: str
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dkim:
    """Who signs, and with which key; domain and selector empty: nobody. `private_key` None: not given."""

    domain: str
    selector: str
    private_key: str | None = field(repr=False)


UNSIGNED = Dkim("", "", None)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person decides of a mailbox. `daily_limit` None: none."""

    address: str
    display_name: str
    smtp: Smtp
    hourly_limit: int
    daily_limit: int | None
    min_gap_us: int
    max_connections: int
    dkim: Dkim


@dataclass(frozen=True, slots=True)
class Catcher:
    """A mail server of the deployment that delivers nothing, and where a browser sees what it took."""

    host: str
    port: int
    url: str

    @classmethod
    def at(cls, place: str, url: str) -> Self | None:
        """The one at host:port; None: the place is empty, there is none."""
        host, _, port = place.partition(":")
        return cls(host, int(port), url) if host else None


@dataclass(frozen=True, slots=True)
class Park:
    """Set aside until an instant, for one reason."""

    reason: ParkReason
    until_time: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Since when, and why, a mailbox sends nothing beyond its limits."""

    reason: StopReason
    since_time: datetime
    detail: str


def stop_reason(reply: str) -> StopReason:
    """Why a mailbox rests, by what its server said last."""
    return StopReason.PASSWORD_REFUSED if _PASSWORD_REFUSED.match(reply) else StopReason.SERVER


@dataclass(frozen=True, slots=True)
class Learned:
    """How many connections a server was found to allow, fewer than there may be, and when that was last learned."""

    connections: int
    learn_time: datetime


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox as it is now, without its password; `stop` None: nothing stops it; `learned` None: nothing."""

    id: int
    workspace_id: int
    settings: Settings
    has_password: bool
    state: MailboxState
    parks: tuple[Park, ...]
    create_time: datetime
    stop: Stop | None
    learned: Learned | None


@dataclass(frozen=True, slots=True)
class Move:
    """Messages from one mailbox to others; `leaves`: their campaigns do not use it any more afterwards."""

    mailbox_id: int
    to_ids: tuple[int, ...]
    leaves: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """Fields of the settings that change, and to what.

    Fields are address, display_name, host, port, security, username, password, hourly_limit, daily_limit, min_gap_us,
    max_connections, dkim_domain, dkim_selector, dkim_private_key. Of `settings`, only what they name counts.
    """

    fields: frozenset[str]
    settings: Settings

    def applied(self, settings: Settings) -> Settings:
        """The settings with the changes in them."""
        new = {name: getattr(self.settings, name) for name in _SETTINGS & self.fields}
        smtp = {name: getattr(self.settings.smtp, name) for name in _SMTP & self.fields}
        dkim = {name: getattr(self.settings.dkim, name) for name in _DKIM if f"dkim_{name}" in self.fields}
        return replace(settings, smtp=replace(settings.smtp, **smtp), dkim=replace(settings.dkim, **dkim), **new)


_SETTINGS = frozenset(("address", "display_name", "hourly_limit", "daily_limit", "min_gap_us", "max_connections"))
_SMTP = frozenset(("host", "port", "security", "username", "password"))
_DKIM = ("domain", "selector", "private_key")
