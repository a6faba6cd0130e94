"""What a campaign is made of, as values."""

from dataclasses import dataclass, replace
from datetime import datetime

from maillane_scheduler.states import CampaignState, UnconfirmedPolicy

# The counters of a campaign, in the order of MessageState: columns of campaign_counts and fields of the proto alike.
COUNTED = ("pending", "sending", "sent", "failed", "unconfirmed", "suppressed", "cancelled")


@dataclass(frozen=True, slots=True)
class Template:
    """What is sent, with `{{variables}}`; a body that is empty is not sent."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person decides.

    Attributes:
        start_time: None: as soon as it is started.
        hourly_limit: None: none of its own.
        move_after_us: how long a mailbox may be stopped before what waits in it moves to the others; None: for ever.
    """

    name: str
    mailbox_ids: tuple[int, ...]
    template: Template
    start_time: datetime | None
    delay_us: int
    hourly_limit: int | None
    unconfirmed_policy: UnconfirmedPolicy
    move_after_us: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages by state. They are kept by change, so that a sum taken while a cancel goes on is of that moment."""

    pending: int = 0
    sending: int = 0
    sent: int = 0
    failed: int = 0
    unconfirmed: int = 0
    suppressed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, name) for name in COUNTED)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it is now."""

    id: int
    workspace_id: int
    plan: Plan
    state: CampaignState
    state_reason: str
    # Who paused or cancelled it; empty where Maillane did, or nobody.
    state_actor: str
    counts: Counts
    create_time: datetime
    end_time: datetime | None


@dataclass(frozen=True, slots=True)
class Changes:
    """Fields of a plan that change, and to what.

    Fields are name, mailbox_ids, subject, text, html, start_time, delay_us, hourly_limit,
    unconfirmed_policy, move_after_us; of `plan`, only what `fields` names means anything.
    """

    fields: frozenset[str]
    plan: Plan

    def applied(self, plan: Plan) -> Plan:
        """The plan with the changes in it."""
        new = {name: getattr(self.plan, name) for name in _PLAN & self.fields}
        template = {name: getattr(self.plan.template, name) for name in _TEMPLATE & self.fields}
        return replace(plan, template=replace(plan.template, **template), **new)


_PLAN = frozenset(
    ("name", "mailbox_ids", "start_time", "delay_us", "hourly_limit", "unconfirmed_policy", "move_after_us")
)
_TEMPLATE = frozenset(("subject", "text", "html"))
