"""Moves and stops of mailboxes, over gRPC."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from maillane.scheduler.v1 import audit_service_pb2 as audit_pb
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as pb
from maillane_scheduler import mover
from maillane_scheduler.store import moves, parks
from maillane_scheduler.store.engine import dispatch_pool

from .making import make_campaign, make_mailbox, start
from .scheduler_api import chunks, refused


async def get(client, campaign_id):
    return (await client.GetCampaign(campaign_pb.GetCampaignRequest(campaign_id=campaign_id))).campaign


async def stop_of(client, mailbox_id):
    mailbox = (await client.GetMailbox(pb.GetMailboxRequest(mailbox_id=mailbox_id))).mailbox
    return mailbox.stop if mailbox.HasField("stop") else None


def moving(campaign, other, **more):
    return pb.MoveMessagesRequest(mailbox_id=campaign.mailbox_ids[0], to_mailbox_ids=[other.id], **more)


async def test_a_mailbox_that_was_left_can_be_deleted_and_new_recipients_go_elsewhere(api, tenant):
    """A draft's and a started campaign's messages alike; the campaign names the mailboxes that it uses."""
    other = await make_mailbox(tenant.editor)
    draft = await make_campaign(tenant.editor, 3)
    started = await make_campaign(tenant.editor, 2, mailbox_ids=list(draft.mailbox_ids))
    await start(tenant.editor, started.id)
    in_use = await refused(tenant.editor.DeleteMailbox(pb.DeleteMailboxRequest(mailbox_id=draft.mailbox_ids[0])))
    answer = await tenant.editor.MoveMessages(moving(draft, other, leave=True))
    await tenant.editor.ImportRecipients(chunks(started.id, ["new@example.com"]))
    await tenant.editor.DeleteMailbox(pb.DeleteMailboxRequest(mailbox_id=draft.mailbox_ids[0]))

    assert in_use.reason == "MAILBOX_IN_USE"
    assert (answer.moved, answer.more) == (5, False)
    assert [list((await get(tenant.viewer, one.id)).mailbox_ids) for one in (draft, started)] == [[other.id]] * 2
    rows = await api.sql("SELECT DISTINCT mailbox_id FROM messages WHERE campaign_id = :c", c=int(started.id))
    assert rows == [(int(other.id),)]
    assert (await start(tenant.editor, draft.id)).state == campaign_pb.CAMPAIGN_STATE_ACTIVE


async def test_a_mailbox_that_was_not_left_is_used_on(tenant):
    """What waited has moved; the campaign still has it."""
    other = await make_mailbox(tenant.editor)
    campaign = await make_campaign(tenant.editor, 3)
    await tenant.editor.MoveMessages(moving(campaign, other))

    assert list((await get(tenant.viewer, campaign.id)).mailbox_ids) == [*campaign.mailbox_ids, other.id]


async def test_a_move_is_audited_and_repeating_it_moves_nothing(tenant):
    """With how many, from where and to where."""
    other = await make_mailbox(tenant.editor)
    campaign = await make_campaign(tenant.editor, 3)
    answers = [(await tenant.editor.MoveMessages(moving(campaign, other))).moved for _ in range(2)]
    entries = (await tenant.admin.ListAudit(audit_pb.ListAuditRequest(resource=f"campaigns/{campaign.id}"))).entries

    assert answers == [3, 0]
    [detail] = [dict(entry.detail) for entry in entries if entry.verb == "messages.move"]
    assert detail == {"messages": "3", "from": campaign.mailbox_ids[0], "to": other.id}


async def test_a_call_moves_a_bounded_number_and_says_that_there_is_more(tenant, monkeypatch):
    """A repeat goes on."""
    monkeypatch.setattr(moves, "BATCH", 2)
    monkeypatch.setattr(mover, "BATCHES", 2)
    other = await make_mailbox(tenant.editor)
    campaign = await make_campaign(tenant.editor, 5)
    answers = [await tenant.editor.MoveMessages(moving(campaign, other)) for _ in range(2)]

    assert [(answer.moved, answer.more) for answer in answers] == [(4, True), (1, False)]


@pytest.mark.parametrize("to", [[], ["x"], ["own"], ["other", "other"], [str(n) for n in range(1, 52)]])
async def test_targets_are_other_mailboxes_none_twice(tenant, to):
    """One to fifty."""
    other = await make_mailbox(tenant.editor)
    campaign = await make_campaign(tenant.editor, 1)
    names = {"own": campaign.mailbox_ids[0], "other": other.id}
    request = pb.MoveMessagesRequest(
        mailbox_id=campaign.mailbox_ids[0], to_mailbox_ids=[names.get(one, one) for one in to]
    )

    refusal = await refused(tenant.editor.MoveMessages(request))
    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert all(field.startswith("to_mailbox_ids") for field in refusal.fields)


async def test_nothing_moves_to_or_from_another_workspace(api, tenant):
    """Neither its mailboxes, nor its campaigns."""
    foreign = await make_campaign((await api.tenant("other")).editor, 1)
    own = await make_campaign(tenant.editor, 1)
    theirs, ours = foreign.mailbox_ids[0], own.mailbox_ids[0]
    spare = await make_mailbox(tenant.editor)
    asked = [
        pb.MoveMessagesRequest(mailbox_id=ours, to_mailbox_ids=[theirs]),
        pb.MoveMessagesRequest(mailbox_id=theirs, to_mailbox_ids=[ours]),
        pb.MoveMessagesRequest(mailbox_id=ours, to_mailbox_ids=[spare.id], campaign_id=foreign.id),
    ]

    refusals = [await refused(tenant.editor.MoveMessages(request)) for request in asked]
    assert {refusal.code for refusal in refusals} == {grpc.StatusCode.NOT_FOUND}


async def test_how_long_a_campaign_waits_for_a_stopped_mailbox_can_be_set_and_unset(tenant):
    """A minute to a week, at any time."""
    campaign = await make_campaign(tenant.editor, 1, move_after=Duration(seconds=3600))
    await start(tenant.editor, campaign.id)
    first = (await get(tenant.viewer, campaign.id)).move_after
    unset = campaign_pb.UpdateCampaignRequest(
        campaign_id=campaign.id, campaign=campaign_pb.Campaign(), update_mask=FieldMask(paths=["move_after"])
    )
    changed = (await tenant.editor.UpdateCampaign(unset)).campaign
    unset.campaign.move_after.FromSeconds(59)

    assert first == Duration(seconds=3600)
    assert not changed.HasField("move_after")
    assert (await refused(tenant.editor.UpdateCampaign(unset))).fields.keys() == {"campaign.move_after"}


async def test_a_paused_mailbox_says_by_whom_and_since_when(tenant):
    """And nothing once it is resumed."""
    mailbox = await make_mailbox(tenant.editor)
    never = await stop_of(tenant.viewer, mailbox.id)
    await tenant.editor.PauseMailbox(pb.PauseMailboxRequest(mailbox_id=mailbox.id))
    paused = await stop_of(tenant.viewer, mailbox.id)
    await tenant.editor.ResumeMailbox(pb.ResumeMailboxRequest(mailbox_id=mailbox.id))

    assert never is None
    assert (paused.reason, paused.detail) == (pb.STOP_REASON_PAUSED, "paused by editor")
    assert paused.since_time.seconds > 0
    assert await stop_of(tenant.viewer, mailbox.id) is None


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("535 5.7.8 not accepted", pb.STOP_REASON_PASSWORD_REFUSED),
        ("534-5.7.9 use an app password", pb.STOP_REASON_PASSWORD_REFUSED),
        ("421 4.7.0 slow down", pb.STOP_REASON_SERVER),
        ("connect: no answer in time", pb.STOP_REASON_SERVER),
    ],
)
async def test_a_mailbox_that_rests_says_why_since_the_first_time(api, api_database, tenant, reply, reason):
    """Through all tries in between, until its server takes a message."""
    mailbox = await make_mailbox(tenant.editor)
    async with dispatch_pool(api_database, 1) as pool:
        await parks.back_off(pool, int(mailbox.id), 0.001, 0.001, reply)
        first = await stop_of(tenant.viewer, mailbox.id)
        await api.sql("UPDATE parks SET until_time = now() - interval '1 s' WHERE mailbox_id = :m", m=int(mailbox.id))
        await parks.back_off(pool, int(mailbox.id), 30, 30, reply + " again")
        second = await stop_of(tenant.viewer, mailbox.id)
        await parks.recover(pool, [int(mailbox.id)])

    assert (first.reason, first.detail) == (reason, reply)
    assert (second.reason, second.detail, second.since_time) == (reason, reply + " again", first.since_time)
    assert await stop_of(tenant.viewer, mailbox.id) is None


async def test_another_password_is_tried_at_once(api, api_database, tenant):
    """What the mailbox rested for may be over."""
    mailbox = await make_mailbox(tenant.editor)
    async with dispatch_pool(api_database, 1) as pool:
        await parks.back_off(pool, int(mailbox.id), 3000, 3000, "535 5.7.8 not accepted")
    changed = pb.Mailbox(smtp=pb.Smtp(password="better"))
    request = pb.UpdateMailboxRequest(
        mailbox_id=mailbox.id, mailbox=changed, update_mask=FieldMask(paths=["smtp.password"])
    )
    updated = (await tenant.editor.UpdateMailbox(request)).mailbox

    assert not updated.parks
    assert not updated.HasField("stop")
