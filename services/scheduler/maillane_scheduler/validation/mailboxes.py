"""Rules of mailboxes."""

import re
from dataclasses import dataclass
from datetime import timedelta

from maillane.scheduler.v1 import mailbox_service_pb2 as pb
from maillane_chassis import reach
from maillane_chassis.violations import Violations

from maillane_scheduler import addresses
from maillane_scheduler.mailbox import Changes, Move, Settings, Smtp
from maillane_scheduler.validation import dkim, masks

MAX_DISPLAY_NAME = 128
MAX_HOST = 253
MAX_USERNAME = 320
MAX_PASSWORD = 1024
MAX_HOURLY_LIMIT = 100_000
MAX_DAILY_LIMIT = 1_000_000
MAX_GAP = timedelta(hours=1)
# More than any provider allows an account: Exchange Online 3, Gmail some 10.
MAX_CONNECTIONS = 50
DEFAULT_CONNECTIONS = 5
# As many as a campaign has.
MAX_TARGETS = 50
# Mail's own ports (RFC 5321, 8314, 6409), and the one that providers offer where 25 and 587 are blocked.
PORTS = frozenset((25, 465, 587, 2525))

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_SECURITIES = {int(value): name for name, value in pb.Security.items() if value != pb.SECURITY_UNSPECIFIED}
_SMTP = frozenset(("host", "port", "security", "username", "password"))
_PATHS = {
    **masks.leaves("address", "display_name"),
    "smtp": _SMTP,
    **masks.leaves("smtp.host", "smtp.port", "smtp.security", "smtp.username", "smtp.password"),
    **masks.leaves("hourly_limit", "daily_limit"),
    "min_gap": frozenset(("min_gap_us",)),
    **masks.leaves("max_connections"),
    **dkim.PATHS,
}
_ALL = frozenset(field for fields in _PATHS.values() for field in fields)


@dataclass(frozen=True, slots=True)
class MailboxRules:
    """What the deployment decides: defaults for what is unset, and where mail may go.

    Attributes:
        extra_ports: allowed beside PORTS.
        allow_plaintext: SECURITY_NONE to any host, not to loopback alone.
        allow_private: mail servers on this machine and in private networks. What a name leads to, senders find out.
    """

    default_hourly_limit: int
    default_min_gap_us: int
    extra_ports: frozenset[int] = frozenset()
    allow_plaintext: bool = False
    allow_private: bool = False

    @property
    def ports(self) -> frozenset[int]:
        """All ports that are allowed."""
        return PORTS | self.extra_ports


def settings(violations: Violations, mailbox: pb.Mailbox, rules: MailboxRules) -> Settings:
    """The settings of a new mailbox."""
    if not mailbox.HasField("smtp"):
        violations.add("mailbox.smtp", "must be given")
        return _settings(violations, mailbox, _ALL - _SMTP, rules)
    made = _settings(violations, mailbox, _ALL, rules)
    check_security(violations, made.smtp, rules)
    dkim.check(violations, made.address, made.dkim, has_key=made.dkim.private_key is not None)
    return made


def changes(violations: Violations, request: pb.UpdateMailboxRequest, rules: MailboxRules) -> Changes:
    """What an update changes; only what its mask names is looked at.

    What must fit together as it will be, `check_security` and `dkim.check` say once the rest of the row is known.
    """
    fields = masks.changed(violations, request.update_mask.paths, _PATHS, pb.Mailbox.DESCRIPTOR)
    if "password" in fields and not request.mailbox.smtp.HasField("password"):
        fields -= {"password"}
    if not request.mailbox.dkim.HasField("private_key"):
        fields -= {"dkim_private_key"}
    return Changes(fields, _settings(violations, request.mailbox, fields, rules))


def move(violations: Violations, request: pb.MoveMessagesRequest) -> tuple[int | None, Move]:
    """What is to be moved; of which campaign, None: of all."""
    mailbox_id = violations.identifier("mailbox_id", request.mailbox_id)
    given = request.to_mailbox_ids
    violations.count("to_mailbox_ids", given, 1, MAX_TARGETS, "mailbox id")
    to_ids: list[int] = []
    for index, value in enumerate(given[:MAX_TARGETS]):
        field = f"to_mailbox_ids[{index}]"
        to_id = violations.identifier(field, value)
        if to_id and to_id in (*to_ids, mailbox_id):
            violations.add(field, "must not name the mailbox itself, or one twice")
        to_ids.append(to_id)
    campaign_id = violations.identifier("campaign_id", request.campaign_id) if request.campaign_id else None
    return campaign_id, Move(mailbox_id, tuple(to_ids), request.leave)


def check_security(violations: Violations, smtp: Smtp, rules: MailboxRules) -> None:
    """Without protection only to loopback, or where the deployment allows it."""
    if smtp.security == pb.SECURITY_NONE and not rules.allow_plaintext and not _is_loopback(smtp.host):
        violations.add(
            "mailbox.smtp.security", "must be SECURITY_TLS or SECURITY_STARTTLS; SECURITY_NONE only to loopback"
        )


def check_kept_password(violations: Violations, smtp: Smtp, was: Smtp) -> None:
    """A password goes only where the person who gave it sent it: not to another host, nor onto the wire in the clear.

    Else whoever may change a mailbox, and may never read its password, could have it sent to a server of their own.
    """
    moved = smtp.host.lower() != was.host.lower()
    bared = smtp.security == pb.SECURITY_NONE != was.security
    if moved or bared:
        why = "for another host" if moved else "for a connection without protection"
        violations.add("mailbox.smtp.password", f"must be given again {why}: the one that is kept does not go there")


def _settings(violations: Violations, mailbox: pb.Mailbox, fields: frozenset[str], rules: MailboxRules) -> Settings:
    if "display_name" in fields:
        violations.text("mailbox.display_name", mailbox.display_name, high=MAX_DISPLAY_NAME)
    return Settings(
        address=_address(violations, mailbox.address) if "address" in fields else "",
        display_name=mailbox.display_name,
        smtp=_smtp(violations, mailbox.smtp, fields, rules),
        hourly_limit=_hourly_limit(violations, mailbox, rules) if "hourly_limit" in fields else 0,
        daily_limit=_daily_limit(violations, mailbox) if "daily_limit" in fields else None,
        min_gap_us=_min_gap_us(violations, mailbox, rules) if "min_gap_us" in fields else 0,
        max_connections=_max_connections(violations, mailbox) if "max_connections" in fields else 0,
        dkim=dkim.settings(violations, mailbox.dkim, fields),
    )


def _address(violations: Violations, value: str) -> str:
    try:
        return addresses.normalise(value)
    except addresses.AddressError as error:
        violations.add("mailbox.address", f"must be one address: it {error}" if value else "must be given")
        return ""


def _smtp(violations: Violations, smtp: pb.Smtp, fields: frozenset[str], rules: MailboxRules) -> Smtp:
    if "host" in fields:
        _host(violations, smtp.host, rules)
    if "port" in fields and smtp.port not in rules.ports:
        violations.add("mailbox.smtp.port", f"must be one of {', '.join(map(str, sorted(rules.ports)))}")
    if "security" in fields:
        violations.member("mailbox.smtp.security", smtp.security, _SECURITIES)
    if "username" in fields:
        violations.text("mailbox.smtp.username", smtp.username, high=MAX_USERNAME)
    password = smtp.password if smtp.HasField("password") else None
    if "password" in fields and password is not None:
        violations.text("mailbox.smtp.password", password, high=MAX_PASSWORD)
    return Smtp(smtp.host, smtp.port, int(smtp.security), smtp.username, password)


def _host(violations: Violations, host: str, rules: MailboxRules) -> None:
    if not _is_host(host):
        violations.add("mailbox.smtp.host", f"must be a host name or an address, of 1 to {MAX_HOST} characters")
        return
    address = reach.literal(host)
    if address is not None and not reach.permits(address, reach.PRIVATE if rules.allow_private else ()):
        violations.add("mailbox.smtp.host", "must be a public address, or a name: this deployment sends to no other")


def _hourly_limit(violations: Violations, mailbox: pb.Mailbox, rules: MailboxRules) -> int:
    if not mailbox.HasField("hourly_limit"):
        return rules.default_hourly_limit
    return violations.integer("mailbox.hourly_limit", mailbox.hourly_limit, 1, MAX_HOURLY_LIMIT)


def _daily_limit(violations: Violations, mailbox: pb.Mailbox) -> int | None:
    if not mailbox.HasField("daily_limit"):
        return None
    return violations.integer("mailbox.daily_limit", mailbox.daily_limit, 1, MAX_DAILY_LIMIT)


def _min_gap_us(violations: Violations, mailbox: pb.Mailbox, rules: MailboxRules) -> int:
    if not mailbox.HasField("min_gap"):
        return rules.default_min_gap_us
    return violations.duration("mailbox.min_gap", mailbox.min_gap, timedelta(0), MAX_GAP)


def _max_connections(violations: Violations, mailbox: pb.Mailbox) -> int:
    if not mailbox.HasField("max_connections"):
        return DEFAULT_CONNECTIONS
    return violations.integer("mailbox.max_connections", mailbox.max_connections, 1, MAX_CONNECTIONS)


def _is_host(host: str) -> bool:
    if not 1 <= len(host) <= MAX_HOST:
        return False
    return _HOST.fullmatch(host) is not None or reach.literal(host) is not None


def _is_loopback(host: str) -> bool:
    address = reach.literal(host)
    return address is not None and reach.is_loopback(address)
