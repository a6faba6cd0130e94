"""Previews and tests of messages, over gRPC."""

import asyncio

import grpc
import pytest
from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1 import message_service_pb2 as message_pb
from maillane_scheduler.store import sent_tests
from sqlalchemy import text

from .making import make_campaign, make_mailbox, start
from .scheduler_api import chunks, refused

TEMPLATE = pb.Template(
    subject="Hi {{name|there}}",
    text="{{name|there}} of {{company}}",
    html="<p>{{company}}</p><a href='{{unsubscribe_url}}'>",
)


async def listed(client, count=3):
    """A draft with recipients of different values."""
    campaign = await make_campaign(client, template=TEMPLATE)
    rows = [(f"r{n}@example.com", {"name": f"N{n}", "company": f"A&B {n}"}) for n in range(count)]
    await client.ImportRecipients(chunks(campaign.id, rows))
    return campaign


async def test_a_preview_shows_the_first_recipients_message_as_it_would_be_sent(tenant):
    """Values escaped in HTML only, from whom, and of how many."""
    campaign = await listed(tenant.editor)
    shown = await tenant.viewer.PreviewMessage(pb.PreviewMessageRequest(campaign_id=campaign.id))

    mailbox = await tenant.viewer.GetMailbox(mailbox_pb.GetMailboxRequest(mailbox_id=campaign.mailbox_ids[0]))
    assert (shown.recipient, getattr(shown, "from")) == ("r0@example.com", mailbox.mailbox.address)
    assert (shown.subject, shown.text) == ("Hi N0", "N0 of A&B 0")
    assert shown.html == "<p>A&amp;B 0</p><a href='https://mail.example.com/u/preview'>"
    assert (shown.recipients, list(shown.missing)) == (3, [])
    assert shown.variables["company"] == "A&B 0"


async def test_a_preview_shows_the_nth_recipient_and_each_by_its_message(tenant):
    """By index, and by the id that this gave."""
    campaign = await listed(tenant.editor)
    nth = await tenant.viewer.PreviewMessage(pb.PreviewMessageRequest(campaign_id=campaign.id, index=2))
    by_id = await tenant.viewer.PreviewMessage(
        pb.PreviewMessageRequest(campaign_id=campaign.id, message_id=nth.message_id)
    )

    assert nth.recipient == by_id.recipient == "r2@example.com"


async def test_what_is_missing_is_named_and_shown_as_it_is_written(tenant):
    """Of a template that is saved nowhere, as somebody who is made up."""
    asked = pb.PreviewMessageRequest(template=TEMPLATE, sample=pb.Recipient(variables={"name": "<Zoë>"}))
    shown = await tenant.viewer.PreviewMessage(asked)

    assert (shown.subject, shown.text) == ("Hi <Zoë>", "<Zoë> of {{company}}")
    assert list(shown.missing) == ["company"]


async def test_a_template_that_is_given_is_shown_with_the_campaigns_recipients(tenant):
    """As somebody types it."""
    campaign = await listed(tenant.editor)
    asked = pb.PreviewMessageRequest(campaign_id=campaign.id, template=pb.Template(text="{{company}}!"), index=1)

    assert (await tenant.viewer.PreviewMessage(asked)).text == "A&B 1!"


@pytest.mark.parametrize(
    ("request_", "reason", "code"),
    [
        ({"index": 3}, "RECIPIENT_NOT_FOUND", grpc.StatusCode.NOT_FOUND),
        ({"message_id": "999999999999"}, "MESSAGE_NOT_FOUND", grpc.StatusCode.NOT_FOUND),
        ({"mailbox_id": "999999999"}, "MAILBOX_NOT_FOUND", grpc.StatusCode.NOT_FOUND),
        ({"index": -1}, "", grpc.StatusCode.INVALID_ARGUMENT),
        ({"template": pb.Template(text="{{no good")}, "", grpc.StatusCode.INVALID_ARGUMENT),
        ({"sample": pb.Recipient(email="no")}, "", grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_what_cannot_be_previewed_is_refused(tenant, request_, reason, code):
    """With its reason, or the field."""
    campaign = await listed(tenant.editor)
    refusal = await refused(tenant.viewer.PreviewMessage(pb.PreviewMessageRequest(campaign_id=campaign.id, **request_)))

    assert refusal.code == code
    assert refusal.reason == reason or refusal.fields


async def test_a_small_template_does_not_make_an_endless_message(tenant):
    """A long value that is asked for again and again is refused, and nothing is made of it."""
    template = pb.Template(text="{{name}}" * 60_000)
    asked = pb.PreviewMessageRequest(template=template, sample=pb.Recipient(variables={"name": "x" * 4096}))

    assert (await refused(tenant.viewer.PreviewMessage(asked))).fields.keys() == {"template"}


async def test_mailboxes_of_others_are_no_senders(api, tenant):
    """Neither of a preview, nor of a test."""
    foreign = await make_mailbox((await api.tenant("other")).editor)
    campaign = await listed(tenant.editor)
    asked = pb.PreviewMessageRequest(campaign_id=campaign.id, mailbox_id=foreign.id)
    test = pb.SendTestMessageRequest(campaign_id=campaign.id, mailbox_id=foreign.id, recipient="me@example.com")

    assert (await refused(tenant.editor.PreviewMessage(asked))).reason == "MAILBOX_NOT_FOUND"
    assert (await refused(tenant.editor.SendTestMessage(test))).reason == "MAILBOX_NOT_FOUND"


async def test_a_test_waits_in_the_ordinary_queue_and_the_campaign_does_not_change(api, tenant):
    """Due at once, in the campaign's first mailbox, in no list and in no count of the campaign."""
    campaign = await listed(tenant.editor)
    before = await tenant.viewer.GetCampaign(pb.GetCampaignRequest(campaign_id=campaign.id))
    asked = pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com", index=1)
    message = (await tenant.editor.SendTestMessage(asked)).message
    await api.sync.close()

    assert (message.recipient, message.state) == ("me@example.com", message_pb.MESSAGE_STATE_PENDING)
    assert message.mailbox_id == campaign.mailbox_ids[0]
    assert await api.queue.lane_size(int(message.mailbox_id), int(message.campaign_id)) == 1
    detail = await tenant.viewer.GetMessage(message_pb.GetMessageRequest(message_id=message.id))
    assert detail.message.variables["company"] == "A&B 1"
    assert await tenant.viewer.GetCampaign(pb.GetCampaignRequest(campaign_id=campaign.id)) == before
    assert [one.id for one in (await tenant.viewer.ListCampaigns(pb.ListCampaignsRequest())).campaigns] == [campaign.id]
    everything = await tenant.viewer.ListMessages(message_pb.ListMessagesRequest())
    assert {one.campaign_id for one in everything.messages} == {campaign.id}


async def test_a_test_keeps_the_template_that_it_was_sent_with(api, tenant):
    """A snapshot: what is written meanwhile changes nothing of it."""
    campaign = await listed(tenant.editor)
    asked = pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com")
    message = (await tenant.editor.SendTestMessage(asked)).message

    [[kind, subject]] = await api.sql("SELECT kind, subject FROM campaigns WHERE id = :id", id=int(message.campaign_id))
    assert (kind, subject) == (2, TEMPLATE.subject)


async def test_a_repeated_test_with_its_request_id_is_one(tenant):
    """Another body under it is refused."""
    campaign = await listed(tenant.editor)
    asked = pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com", request_id="once")
    first, again = [(await tenant.editor.SendTestMessage(asked)).message.id for _ in range(2)]
    asked.recipient = "you@example.com"

    assert first == again
    assert (await refused(tenant.editor.SendTestMessage(asked))).reason == "REQUEST_ID_REUSED"


async def test_a_test_that_lacks_something_is_refused_with_all_of_it(tenant):
    """Values, subject, body, mailbox."""
    campaign = await make_campaign(tenant.editor, template=TEMPLATE)
    asked = pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com")
    lacking = await refused(tenant.editor.SendTestMessage(asked))
    empty = await make_campaign(tenant.editor, template=pb.Template())
    asked.campaign_id = empty.id

    assert (lacking.reason, set(lacking.fields)) == ("VARIABLES_MISSING", {"variables.company"})
    incomplete = await refused(tenant.editor.SendTestMessage(asked))
    assert (incomplete.reason, len(incomplete.fields)) == ("CAMPAIGN_INCOMPLETE", 2)


async def test_nobody_is_imported_into_a_test(tenant):
    """It is a campaign of its own, but of one message."""
    campaign = await listed(tenant.editor)
    asked = pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com")
    message = (await tenant.editor.SendTestMessage(asked)).message

    refusal = await refused(tenant.editor.ImportRecipients(chunks(message.campaign_id, ["x@example.com"])))
    assert refusal.code == grpc.StatusCode.NOT_FOUND


async def test_a_workspace_has_a_bounded_number_of_tests_waiting(api, tenant, monkeypatch):
    """The next is taken once one has left."""
    monkeypatch.setattr(sent_tests, "MAX_OPEN", 2)
    campaign = await listed(tenant.editor)
    asked = pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com")
    for _ in range(2):
        await tenant.editor.SendTestMessage(asked)

    assert (await refused(tenant.editor.SendTestMessage(asked))).reason == "TOO_MANY_TESTS"


async def test_tests_that_race_are_bounded_as_well(api, tenant, monkeypatch):
    """None counts before another has committed."""
    monkeypatch.setattr(sent_tests, "MAX_OPEN", 2)
    campaign = await listed(tenant.editor)
    asked = pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com")
    answers = await asyncio.gather(*(tenant.editor.SendTestMessage(asked) for _ in range(10)), return_exceptions=True)

    assert sum(isinstance(answer, pb.SendTestMessageResponse) for answer in answers) == 2


async def test_a_test_that_has_not_left_within_an_hour_is_cancelled(api, tenant):
    """And no other: neither a younger one, nor a campaign."""
    campaign = await listed(tenant.editor)
    await start(tenant.editor, campaign.id)
    asked = pb.SendTestMessageRequest(campaign_id=campaign.id, recipient="me@example.com")
    old, young = [(await tenant.editor.SendTestMessage(asked)).message for _ in range(2)]
    await api.sql(
        "UPDATE campaigns SET create_time = now() - interval '61 minutes' WHERE id IN (:old, :campaign)",
        old=int(old.campaign_id),
        campaign=int(campaign.id),
    )
    async with api.engine.begin() as connection:
        expired = await sent_tests.expire(connection)
        states = await connection.execute(
            text("SELECT id, state FROM campaigns WHERE id IN (:old, :young, :campaign)"),
            {"old": int(old.campaign_id), "young": int(young.campaign_id), "campaign": int(campaign.id)},
        )

    assert int(old.campaign_id) in expired
    assert dict(states.all()) == {int(old.campaign_id): 5, int(young.campaign_id): 2, int(campaign.id): 2}
