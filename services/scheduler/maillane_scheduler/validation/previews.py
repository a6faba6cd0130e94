"""Rules of previews and tests: as whom a message is shown, or whose values it is sent with."""

from dataclasses import dataclass

from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.campaign import Template
from maillane_scheduler.validation import campaigns, suppressions
from maillane_scheduler.validation.recipients import RecipientChecker

# A campaign has at most so many recipients.
MAX_INDEX = 9_999_999
# Stands for an address that is not given: the rules of recipients ask for one.
_NOBODY = "nobody@example.com"


@dataclass(frozen=True, slots=True)
class Sample:
    """Somebody who is made up; `email` may be empty."""

    email: str
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class As:
    """As whom: the first of these that is not None; all None: the campaign's first recipient, if it has one."""

    message_id: int | None = None
    index: int | None = None
    sample: Sample | None = None


@dataclass(frozen=True, slots=True)
class PreviewAsked:
    """What is to be shown; None: the campaign's own."""

    campaign_id: int | None
    template: Template | None
    mailbox_id: int | None
    as_whom: As


@dataclass(frozen=True, slots=True)
class TestAsked:
    """What is to be sent; `mailbox_id` None: the campaign's first."""

    campaign_id: int
    recipient: str
    mailbox_id: int | None
    as_whom: As


def preview(violations: Violations, request: pb.PreviewMessageRequest) -> PreviewAsked:
    """What is to be shown."""
    template = campaigns.template(violations, request.template, "template") if request.HasField("template") else None
    if not request.campaign_id:
        if template is None:
            violations.add("campaign_id", "must be given where no template is")
        if request.WhichOneof("recipient") in ("message_id", "index"):
            violations.add("campaign_id", "must be given with a message_id or an index")
    message_id = None
    if request.HasField("message_id"):
        message_id = violations.identifier("message_id", request.message_id)
    return PreviewAsked(
        violations.identifier("campaign_id", request.campaign_id) if request.campaign_id else None,
        template,
        violations.identifier("mailbox_id", request.mailbox_id) if request.mailbox_id else None,
        As(message_id, *_index_or_sample(violations, request)),
    )


def test(violations: Violations, request: pb.SendTestMessageRequest) -> TestAsked:
    """What is to be sent."""
    return TestAsked(
        violations.identifier("campaign_id", request.campaign_id),
        suppressions.email(violations, request.recipient, "recipient"),
        violations.identifier("mailbox_id", request.mailbox_id) if request.mailbox_id else None,
        As(None, *_index_or_sample(violations, request)),
    )


def _index_or_sample(
    violations: Violations, request: pb.PreviewMessageRequest | pb.SendTestMessageRequest
) -> tuple[int | None, Sample | None]:
    if request.HasField("index"):
        return violations.integer("index", request.index, 0, MAX_INDEX), None
    return None, _sample(violations, request.sample) if request.HasField("sample") else None


def _sample(violations: Violations, given: pb.Recipient) -> Sample:
    filled = pb.Recipient(email=given.email or _NOBODY, variables=given.variables)
    checked = RecipientChecker().check([filled])
    for rejection in checked.rejected:
        named = f" ({rejection.value})" if rejection.value else ""
        violations.add("sample", f"must be a recipient as for an import: {rejection.reason}{named}")
    return Sample(given.email, dict(given.variables))
