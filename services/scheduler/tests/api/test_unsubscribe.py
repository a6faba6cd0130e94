"""Links that end mail: who holds one ends mail to one recipient, and nothing else."""

import grpc
import pytest
from maillane.scheduler.v1 import audit_service_pb2 as audit_pb
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1 import message_service_pb2 as message_pb
from maillane.scheduler.v1 import suppression_service_pb2 as pb
from maillane_scheduler.unsubscribe_link import UnsubscribeLinks

from .making import make_campaign, start
from .scheduler_api import LINKS, refused


async def token_of(tenant):
    """The campaign and the token of a message to R0@example.com."""
    campaign = await make_campaign(tenant.editor, 1)
    [message] = (await tenant.viewer.ListMessages(message_pb.ListMessagesRequest(campaign_id=campaign.id))).messages
    return campaign, LINKS.token(int(message.id))


async def suppressed(tenant):
    return (await tenant.viewer.ListSuppressions(pb.ListSuppressionsRequest())).suppressions


@pytest.fixture
def nobody(api):
    """Somebody without any credential."""
    return api.client("")


async def test_the_link_of_a_message_suppresses_its_recipient_with_reason_and_campaign(api, tenant, nobody):
    """At once, without a credential, and audited; doing it again changes nothing."""
    campaign, token = await token_of(tenant)
    answers = [await nobody.Unsubscribe(pb.UnsubscribeRequest(token=token)) for _ in range(2)]

    mailbox = await tenant.viewer.GetMailbox(mailbox_pb.GetMailboxRequest(mailbox_id=campaign.mailbox_ids[0]))
    assert answers[0] == answers[1]
    assert (answers[0].sender, answers[0].masked_recipient) == (mailbox.mailbox.address, "r…@example.com")
    assert answers[0].unsubscribed
    [one] = await suppressed(tenant)
    assert (one.email, one.reason) == ("r0@example.com", pb.SUPPRESSION_REASON_UNSUBSCRIBED)
    assert one.campaign_id == campaign.id
    verbs = [entry.verb for entry in (await tenant.admin.ListAudit(audit_pb.ListAuditRequest())).entries]
    assert verbs.count("suppressions.unsubscribe") == 1


async def test_looking_at_a_link_changes_nothing(api, tenant, nobody):
    """What follows every link of a mail unsubscribes nobody."""
    _, token = await token_of(tenant)
    looked = await nobody.Unsubscribe(pb.UnsubscribeRequest(token=token, validate_only=True))

    assert not looked.unsubscribed
    assert not await suppressed(tenant)


async def test_a_link_ends_mail_of_its_own_workspace_only(api, tenant, nobody):
    """The token names a message, the message its workspace: another's list stays as it is."""
    other = await api.tenant("other")
    await token_of(other)
    _, token = await token_of(tenant)
    await nobody.Unsubscribe(pb.UnsubscribeRequest(token=token))

    assert len(await suppressed(tenant)) == 1
    assert not await suppressed(other)


async def test_what_was_not_made_here_is_not_found(api, tenant, nobody):
    """Another key, a changed bit, a message that is gone, and no token at all: all the same."""
    _, token = await token_of(tenant)
    forged = UnsubscribeLinks(bytes(32), "https://x.example").token(int.from_bytes(b"\0" * 7 + b"\1", "big"))
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    for bad in (forged, changed, token[:-1], "", "é" * 32, "x" * 200, LINKS.token(2**62)):
        refusal = await refused(nobody.Unsubscribe(pb.UnsubscribeRequest(token=bad)))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "UNSUBSCRIBE_TOKEN_INVALID")
    assert not await suppressed(tenant)


async def test_the_link_of_a_test_changes_nothing(api, tenant, nobody):
    """Who tries a test's link is told so, and goes on to get mail."""
    campaign = await make_campaign(tenant.editor)
    asked = campaign_pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com")
    message = (await tenant.editor.SendTestMessage(asked)).message
    answer = await nobody.Unsubscribe(pb.UnsubscribeRequest(token=LINKS.token(int(message.id))))

    assert (answer.test, answer.unsubscribed) == (True, False)
    assert not await suppressed(tenant)


async def test_a_template_may_use_the_link_without_anybody_importing_it(api, tenant):
    """It is the deployment that gives it."""
    template = campaign_pb.Template(subject="Hi", text="{{unsubscribe_url}}")
    campaign = await make_campaign(tenant.editor, 1, template=template)

    assert (await start(tenant.editor, campaign.id)).state == campaign_pb.CAMPAIGN_STATE_ACTIVE


def test_a_deployment_without_a_public_address_has_no_links():
    """Nor do its messages."""
    none = UnsubscribeLinks(bytes(32), "")

    assert (bool(none), none.url(1)) == (False, "")


def test_tokens_read_as_what_they_were_made_of():
    """Any id."""
    ids = [1, 2**31, 2**62, 2**63 - 1]

    assert [LINKS.read(LINKS.token(id_)) for id_ in ids] == ids
