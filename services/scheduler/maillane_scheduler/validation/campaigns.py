"""Rules of campaigns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane_chassis.errors import FailedPrecondition, Violation
from maillane_chassis.violations import Violations

from maillane_scheduler import templates, unsubscribe_link
from maillane_scheduler.campaign import Campaign, Changes, Plan, Template
from maillane_scheduler.states import CampaignState, UnconfirmedPolicy
from maillane_scheduler.validation import masks

MAX_NAME = 200
MAX_QUERY = 200
MAX_MAILBOXES = 50
# The longest line that a mail may have (RFC 5322 §2.1.1), which is more than any reader shows.
MAX_SUBJECT = 998
# Bytes. Gmail cuts HTML off after 102 KB; what is beyond these is no mail but an attachment.
MAX_TEXT = 512 * 1024
MAX_HTML = 1024 * 1024
MAX_DELAY = timedelta(hours=24)
MAX_HOURLY_LIMIT = 1_000_000
# Shorter, and a server that asks for a little patience would scatter a campaign over its mailboxes.
MOVE_AFTER = (timedelta(minutes=1), timedelta(days=7))
# Far enough for any plan, and well within what scores of the delay queue hold exactly.
LAST_START = datetime(2200, 1, 1, tzinfo=UTC)
_FIRST_INSTANT_S = -62_135_596_800  # the year 1, where Timestamp and datetime begin
_NANOS = 1_000_000_000

_BODY_CONTROLS = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BODY = frozenset(("subject", "text", "html"))
_PATHS = {
    **masks.leaves("name", "mailbox_ids"),
    "template": _BODY,
    **masks.leaves("template.subject", "template.text", "template.html", "start_time", "hourly_limit"),
    **masks.leaves("unconfirmed_policy"),
    "delay": frozenset(("delay_us",)),
    "move_after": frozenset(("move_after_us",)),
}
_ALL = frozenset(
    ("name", "mailbox_ids", *_BODY, "start_time", "delay_us", "hourly_limit", "unconfirmed_policy", "move_after_us")
)


_PACE = frozenset(("mailbox_ids", "start_time", "delay_us", "hourly_limit"))


@dataclass(frozen=True, slots=True)
class Filters:
    """Which campaigns; None: whichever."""

    state: CampaignState | None = None
    mailbox_id: int | None = None
    query: str = ""


def filters(violations: Violations, request: pb.ListCampaignsRequest) -> Filters:
    """The filters of a list."""
    states = {int(state): f"CAMPAIGN_STATE_{state.name}" for state in CampaignState}
    known = not request.state or violations.member("state", request.state, states) in states
    return Filters(
        state=CampaignState(request.state) if request.state and known else None,
        mailbox_id=violations.identifier("mailbox_id", request.mailbox_id) if request.mailbox_id else None,
        query=violations.text("query", request.query, high=MAX_QUERY),
    )


def plan(violations: Violations, campaign: pb.Campaign) -> Plan:
    """The plan of a new draft. It may lack what only a start needs."""
    return _plan(violations, campaign, _ALL)


def pace(violations: Violations, campaign: pb.Campaign) -> Plan:
    """Of a plan, what says when messages leave: its mailboxes, start, delay and hourly limit."""
    return _plan(violations, campaign, _PACE)


def changes(violations: Violations, request: pb.UpdateCampaignRequest) -> Changes:
    """What an update changes; only what its mask names is looked at."""
    fields = masks.changed(violations, request.update_mask.paths, _PATHS, pb.Campaign.DESCRIPTOR)
    return Changes(fields, _plan(violations, request.campaign, fields))


def template(violations: Violations, given: pb.Template, path: str, fields: frozenset[str] = _BODY) -> Template:
    """A template that stands at a path of its request, of which the named fields are looked at."""
    if "subject" in fields:
        violations.text(f"{path}.subject", given.subject, high=MAX_SUBJECT)
        _placeholders(violations, f"{path}.subject", given.subject)
    if "text" in fields:
        _body(violations, f"{path}.text", given.text, MAX_TEXT)
    if "html" in fields:
        _body(violations, f"{path}.html", given.html, MAX_HTML)
    return Template(given.subject, given.text, given.html)


def check_startable(campaign: Campaign, *, has_links: bool) -> None:
    """What a campaign must have to be started.

    Args:
        has_links: messages carry links to unsubscribe, so that the template may use one.

    Raises:
        FailedPrecondition: CAMPAIGN_INCOMPLETE, with all that is missing.
    """
    plan = campaign.plan
    name = [] if plan.name else [Violation("campaign.name", "must be given before the campaign is started")]
    _refuse(name + _lacking(plan.template, plan.mailbox_ids, has_links=has_links))


def check_complete(template: Template, mailbox_ids: Sequence[int], *, has_links: bool) -> None:
    """What a test of a campaign must have to be sent.

    Raises:
        FailedPrecondition: CAMPAIGN_INCOMPLETE, with all that is missing.
    """
    _refuse(_lacking(template, mailbox_ids, has_links=has_links))


def _lacking(template: Template, mailbox_ids: Sequence[int], *, has_links: bool) -> list[Violation]:
    return [
        Violation(field, description)
        for present, field, description in (
            (mailbox_ids, "campaign.mailbox_ids", "must name at least one mailbox"),
            (template.subject, "campaign.template.subject", "must be given before the campaign is started"),
            (template.text or template.html, "campaign.template", "must have a text or an HTML body"),
            (
                has_links or unsubscribe_link.VARIABLE not in _needed(template),
                "campaign.template",
                f"must not use {{{{{unsubscribe_link.VARIABLE}}}}}: this deployment has no public address",
            ),
        )
        if not present
    ]


def _refuse(missing: list[Violation]) -> None:
    if missing:
        names = ", ".join(violation.field for violation in missing)
        raise FailedPrecondition(
            f"the campaign is not complete: {names}", reason="CAMPAIGN_INCOMPLETE", violations=missing
        )


def needed_variables(template: Template) -> list[str]:
    """The variables that every recipient must have."""
    return [name for name in _needed(template) if name != unsubscribe_link.VARIABLE]


def _needed(template: Template) -> list[str]:
    return templates.needed(template.subject, template.text, template.html)


def _plan(violations: Violations, campaign: pb.Campaign, fields: frozenset[str]) -> Plan:
    name = campaign.name
    if "name" in fields:
        violations.text("campaign.name", name, high=MAX_NAME)
    return Plan(
        name=name,
        mailbox_ids=_mailbox_ids(violations, campaign) if "mailbox_ids" in fields else (),
        template=template(violations, campaign.template, "campaign.template", fields),
        start_time=_start_time(violations, campaign) if "start_time" in fields else None,
        delay_us=_delay_us(violations, campaign) if "delay_us" in fields else 0,
        hourly_limit=_hourly_limit(violations, campaign) if "hourly_limit" in fields else None,
        unconfirmed_policy=_policy(violations, campaign) if "unconfirmed_policy" in fields else UnconfirmedPolicy.HOLD,
        move_after_us=_move_after_us(violations, campaign) if "move_after_us" in fields else None,
    )


def _mailbox_ids(violations: Violations, campaign: pb.Campaign) -> tuple[int, ...]:
    given = campaign.mailbox_ids
    violations.count("campaign.mailbox_ids", given, 0, MAX_MAILBOXES, "mailbox id")
    ids: list[int] = []
    for index, value in enumerate(given[:MAX_MAILBOXES]):
        field = f"campaign.mailbox_ids[{index}]"
        mailbox_id = violations.identifier(field, value)
        if mailbox_id and mailbox_id in ids:
            violations.add(field, "must not name the same mailbox twice")
        ids.append(mailbox_id)
    return tuple(ids)


def _body(violations: Violations, field: str, value: str, most: int) -> None:
    if len(value.encode()) > most:
        violations.add(field, f"must have at most {most // 1024:,} KiB")
        return
    if _BODY_CONTROLS.search(value):
        violations.add(field, "must have no control characters other than line breaks and tabs")
    _placeholders(violations, field, value)


def _placeholders(violations: Violations, field: str, value: str) -> None:
    try:
        for _ in templates.placeholders(value):
            pass
    except templates.TemplateError as error:
        violations.add(field, str(error))


def _start_time(violations: Violations, campaign: pb.Campaign) -> datetime | None:
    if not campaign.HasField("start_time"):
        return None
    given = campaign.start_time
    if not _FIRST_INSTANT_S <= given.seconds <= LAST_START.timestamp() or not 0 <= given.nanos < _NANOS:
        violations.add("campaign.start_time", f"must be a time before {LAST_START:%Y-%m-%d}")
        return None
    return given.ToDatetime(tzinfo=UTC)


def _delay_us(violations: Violations, campaign: pb.Campaign) -> int:
    return violations.duration("campaign.delay", campaign.delay, timedelta(0), MAX_DELAY)


def _hourly_limit(violations: Violations, campaign: pb.Campaign) -> int | None:
    if not campaign.HasField("hourly_limit"):
        return None
    return violations.integer("campaign.hourly_limit", campaign.hourly_limit, 1, MAX_HOURLY_LIMIT)


def _move_after_us(violations: Violations, campaign: pb.Campaign) -> int | None:
    if not campaign.HasField("move_after"):
        return None
    return violations.duration("campaign.move_after", campaign.move_after, *MOVE_AFTER)


def _policy(violations: Violations, campaign: pb.Campaign) -> UnconfirmedPolicy:
    given = campaign.unconfirmed_policy or pb.UNCONFIRMED_POLICY_HOLD
    policies = {int(policy): f"UNCONFIRMED_POLICY_{policy.name}" for policy in UnconfirmedPolicy}
    known = violations.member("campaign.unconfirmed_policy", given, policies) in policies
    return UnconfirmedPolicy(given) if known else UnconfirmedPolicy.HOLD
