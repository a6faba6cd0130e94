"""Campaigns over gRPC: drafts, verbs, and what each refuses."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane_scheduler.store import locks

from .making import campaign_of, make_campaign, make_mailbox, start
from .scheduler_api import chunks, refused

DRAFT, ACTIVE, PAUSED, COMPLETED, CANCELLED = (
    pb.CAMPAIGN_STATE_DRAFT,
    pb.CAMPAIGN_STATE_ACTIVE,
    pb.CAMPAIGN_STATE_PAUSED,
    pb.CAMPAIGN_STATE_COMPLETED,
    pb.CAMPAIGN_STATE_CANCELLED,
)
YEAR_2100_S = 4_102_444_800


async def get(client, campaign_id):
    return (await client.GetCampaign(pb.GetCampaignRequest(campaign_id=campaign_id))).campaign


async def verb(client, name, campaign_id):
    request = getattr(pb, f"{name}CampaignRequest")(campaign_id=campaign_id)
    return (await getattr(client, f"{name}Campaign")(request)).campaign


def update(campaign_id, campaign, *paths):
    return pb.UpdateCampaignRequest(campaign_id=campaign_id, campaign=campaign, update_mask=FieldMask(paths=paths))


async def test_what_is_unconfirmed_is_held_unless_a_campaign_says_otherwise(tenant):
    """Said at any time before its end."""
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    resend = pb.Campaign(unconfirmed_policy=pb.UNCONFIRMED_POLICY_RESEND)
    changed = await tenant.editor.UpdateCampaign(update(campaign.id, resend, "unconfirmed_policy"))
    unknown: Any = 7
    bad = update(campaign.id, pb.Campaign(unconfirmed_policy=unknown), "unconfirmed_policy")

    assert campaign.unconfirmed_policy == pb.UNCONFIRMED_POLICY_HOLD
    assert changed.campaign.unconfirmed_policy == pb.UNCONFIRMED_POLICY_RESEND
    assert set((await refused(tenant.editor.UpdateCampaign(bad))).fields) == {"campaign.unconfirmed_policy"}


async def test_a_changed_limit_lifts_the_parks_of_the_old_one(api, tenant):
    """In Postgres and in the queue, for its lanes and no others; other changes lift nothing."""
    campaign = await make_campaign(tenant.editor, 1, hourly_limit=1)
    mailbox, own = int(campaign.mailbox_ids[0]), int(campaign.id)
    await start(tenant.editor, campaign.id)
    await api.sync.close()
    parked = "INSERT INTO parks VALUES (:m, :c, 1, now() + interval '1 h', 'hour'), (:m, 0, 2, now() + '1 h', '454')"
    await api.sql(parked, m=mailbox, c=own)

    async def is_offered():
        return own in {offer.campaign for offer in (await api.queue.due(1000)).offers}

    await tenant.editor.UpdateCampaign(update(campaign.id, pb.Campaign(name="x"), "name"))
    before = await is_offered()
    await tenant.editor.UpdateCampaign(update(campaign.id, pb.Campaign(hourly_limit=9), "hourly_limit"))
    left = await api.sql("SELECT campaign_id FROM parks WHERE mailbox_id = :m", m=mailbox)

    assert (before, await is_offered()) == (False, True)
    assert left == [(0,)]


async def lanes(api, campaign_id):
    """(mailbox, size) of each lane, in order."""
    return await api.sql(
        "SELECT mailbox_id::text, size FROM lanes WHERE campaign_id = :id ORDER BY position", id=int(campaign_id)
    )


async def plan(api, campaign_id):
    """Seconds from the first due time to each, in order of ids."""
    rows = await api.sql(
        "SELECT extract(epoch FROM l.base + m.ordinal * c.delay_us * interval '1 microsecond')::float8"
        " FROM messages m JOIN lanes l USING (campaign_id, mailbox_id) JOIN campaigns c ON c.id = m.campaign_id"
        " WHERE m.campaign_id = :id ORDER BY m.id",
        id=int(campaign_id),
    )
    return [round(row[0] - rows[0][0], 3) for row in rows]


async def test_a_draft_comes_back_as_it_was_made(tenant):
    """With its counts, all zero."""
    made = await make_campaign(tenant.editor, hourly_limit=100, start_time=Timestamp(seconds=YEAR_2100_S))

    campaign = await get(tenant.viewer, made.id)
    assert campaign == made
    assert (campaign.state, campaign.name, campaign.hourly_limit) == (DRAFT, "Spring", 100)
    assert campaign.delay == Duration(seconds=5)
    assert campaign.start_time.seconds == YEAR_2100_S
    assert campaign.counts == pb.Counts()


async def test_a_hundred_creates_with_one_request_id_make_one_campaign(tenant):
    """All of them get the same answer."""
    mailbox = await make_mailbox(tenant.editor)
    request = pb.CreateCampaignRequest(request_id="once", campaign=campaign_of(mailbox.id))
    answers = await asyncio.gather(*(tenant.editor.CreateCampaign(request) for _ in range(100)))
    listed = await tenant.viewer.ListCampaigns(pb.ListCampaignsRequest())

    assert {answer.campaign.id for answer in answers} == {listed.campaigns[0].id}
    assert len(listed.campaigns) == 1


async def test_a_request_id_is_not_reused_for_another_body(tenant):
    """Nor by another method."""
    mailbox = await make_mailbox(tenant.editor)
    request = pb.CreateCampaignRequest(request_id="mine", campaign=campaign_of(mailbox.id))
    await tenant.editor.CreateCampaign(request)
    request.campaign.name = "Another"
    refusal = await refused(tenant.editor.CreateCampaign(request))
    of_mailbox = mailbox_pb.CreateMailboxRequest(request_id="mine", mailbox=mailbox_pb.Mailbox(address="x@example.com"))
    of_mailbox.mailbox.smtp.CopyFrom(mailbox.smtp)
    other = await refused(tenant.editor.CreateMailbox(of_mailbox))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REQUEST_ID_REUSED")
    assert other.reason == "REQUEST_ID_REUSED"


async def test_a_request_id_of_another_workspace_is_another_one(api, tenant):
    """Request ids belong to their workspace."""
    other = await api.tenant("other")
    one = await tenant.editor.CreateCampaign(pb.CreateCampaignRequest(request_id="same", campaign=campaign_of()))
    two = await other.editor.CreateCampaign(pb.CreateCampaignRequest(request_id="same", campaign=campaign_of()))

    assert one.campaign.id != two.campaign.id


async def test_every_bad_field_is_named_at_once(tenant):
    """With what is allowed."""
    campaign = pb.Campaign(
        name="x" * 201,
        mailbox_ids=["1", "1", "x"],
        template=pb.Template(subject="Hi\r\nBcc: eve@example.com", text="{{first name}}", html="x" * (1024 * 1024 + 1)),
        start_time=Timestamp(seconds=253402300799),
        delay=Duration(seconds=86_401),
        hourly_limit=0,
    )
    refusal = await refused(tenant.editor.CreateCampaign(pb.CreateCampaignRequest(campaign=campaign)))

    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {
        "campaign.name",
        "campaign.mailbox_ids[1]",
        "campaign.mailbox_ids[2]",
        "campaign.template.subject",
        "campaign.template.text",
        "campaign.template.html",
        "campaign.start_time",
        "campaign.delay",
        "campaign.hourly_limit",
    }


async def test_mailboxes_of_a_campaign_must_be_there(api, tenant):
    """Another workspace's are not; nothing is made."""
    other = await make_mailbox((await api.tenant("other")).editor)
    call = tenant.editor.CreateCampaign(pb.CreateCampaignRequest(campaign=campaign_of(other.id, str(2**40))))
    refusal = await refused(call)

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "MAILBOX_NOT_FOUND")
    assert not (await tenant.viewer.ListCampaigns(pb.ListCampaignsRequest())).campaigns


async def test_starting_makes_messages_due_one_each_delay_in_each_mailbox(api, tenant):
    """And puts them into the queue, in both lanes."""
    boxes = [(await make_mailbox(tenant.editor)).id for _ in range(2)]
    campaign = await make_campaign(tenant.editor, 6, mailbox_ids=boxes)
    started = await start(tenant.editor, campaign.id)
    await api.sync.close()

    assert (started.state, started.counts.pending, started.counts.total) == (ACTIVE, 6, 6)
    assert await plan(api, campaign.id) == [0, 0, 5, 5, 10, 10]
    assert [await api.queue.lane_size(int(box), int(campaign.id)) for box in boxes] == [3, 3]


async def test_a_start_time_ahead_is_the_plan_and_one_that_is_past_means_now(api, tenant):
    """Start in the past starts now."""
    ahead = await make_campaign(tenant.editor, 1, start_time=Timestamp(seconds=YEAR_2100_S))
    past = await make_campaign(tenant.editor, 1, start_time=Timestamp(seconds=1))
    await start(tenant.editor, ahead.id)
    await start(tenant.editor, past.id)
    rows = await api.sql(
        "SELECT extract(epoch FROM base)::bigint, abs(extract(epoch FROM base - now())) < 60 FROM lanes"
        " WHERE campaign_id IN (:a, :b) ORDER BY campaign_id",
        a=int(ahead.id),
        b=int(past.id),
    )

    assert rows[0][0] == YEAR_2100_S
    assert rows[1][1]


async def test_a_start_says_all_that_is_missing(tenant):
    """Name, mailboxes, subject and body at once."""
    made = await tenant.editor.CreateCampaign(pb.CreateCampaignRequest(campaign=pb.Campaign()))
    refusal = await refused(verb(tenant.editor, "Start", made.campaign.id))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAMPAIGN_INCOMPLETE")
    assert set(refusal.fields) == {
        "campaign.name",
        "campaign.mailbox_ids",
        "campaign.template.subject",
        "campaign.template",
    }


async def test_a_start_without_recipients_is_refused(tenant):
    """There is nothing to send."""
    campaign = await make_campaign(tenant.editor)

    assert (await refused(verb(tenant.editor, "Start", campaign.id))).reason == "CAMPAIGN_EMPTY"


async def test_a_start_names_the_first_lines_that_lack_a_variable(tenant):
    """For each variable without a fallback; an empty value is none."""
    template = pb.Template(subject="{{first}} {{last}} {{city|there}}", html="<p>{{first}}</p>")
    campaign = await make_campaign(tenant.editor, template=template)
    people = [
        pb.Recipient(email="a@example.com", line=2, variables={"first": "A", "last": "A", "x": '"last":'}),
        pb.Recipient(email="b@example.com", line=3, variables={"first": "B", "last": ""}),
        pb.Recipient(email="c@example.com", line=4, variables={"first": "C", "xlast": "C", "x": '\\","last":'}),
    ]
    await tenant.editor.ImportRecipients(chunks(campaign.id, people))
    refusal = await refused(verb(tenant.editor, "Start", campaign.id))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "VARIABLES_MISSING")
    assert refusal.fields == {"variables.last": "missing in lines 3, 4"}
    assert (await get(tenant.viewer, campaign.id)).state == DRAFT


VERBS = [
    # state, verb, state after it or reason
    (DRAFT, "Pause", "CAMPAIGN_NOT_STARTED"),
    (DRAFT, "Resume", "CAMPAIGN_NOT_STARTED"),
    (DRAFT, "Cancel", CANCELLED),
    (DRAFT, "Start", ACTIVE),
    (ACTIVE, "Start", ACTIVE),
    (ACTIVE, "Pause", PAUSED),
    (ACTIVE, "Resume", ACTIVE),
    (ACTIVE, "Cancel", CANCELLED),
    (ACTIVE, "Delete", "CAMPAIGN_NOT_DRAFT"),
    (PAUSED, "Start", "CAMPAIGN_PAUSED"),
    (PAUSED, "Pause", PAUSED),
    (PAUSED, "Resume", ACTIVE),
    (PAUSED, "Cancel", CANCELLED),
    (PAUSED, "Delete", "CAMPAIGN_NOT_DRAFT"),
    (COMPLETED, "Start", "CAMPAIGN_ENDED"),
    (COMPLETED, "Pause", "CAMPAIGN_ENDED"),
    (COMPLETED, "Resume", "CAMPAIGN_ENDED"),
    (COMPLETED, "Cancel", "CAMPAIGN_ENDED"),
    (COMPLETED, "Delete", "CAMPAIGN_NOT_DRAFT"),
    (CANCELLED, "Start", "CAMPAIGN_ENDED"),
    (CANCELLED, "Pause", "CAMPAIGN_ENDED"),
    (CANCELLED, "Resume", "CAMPAIGN_ENDED"),
    (CANCELLED, "Cancel", CANCELLED),
    (CANCELLED, "Delete", "CAMPAIGN_NOT_DRAFT"),
]


async def test_each_verb_in_each_state(api, tenant):
    """Reaches its state, or says why not and changes nothing."""
    wrong = []
    for state, name, expected in VERBS:
        campaign = await make_campaign(tenant.editor, 1)
        await api.sql("UPDATE campaigns SET state = :state WHERE id = :id", state=int(state), id=int(campaign.id))
        await api.sql("UPDATE lanes SET base = now() WHERE campaign_id = :id", id=int(campaign.id))
        if isinstance(expected, str):
            got = (await refused(verb(tenant.editor, name, campaign.id))).reason
            unchanged = (await get(tenant.viewer, campaign.id)).state == state
        else:
            got, unchanged = (await verb(tenant.editor, name, campaign.id)).state, True
        if got != expected or not unchanged:
            wrong.append((state, name, got))

    assert not wrong


async def test_a_cancel_cancels_what_is_pending_and_empties_the_queue(api, tenant):
    """In one call where there is not too much of it."""
    campaign = await make_campaign(tenant.editor, 25)
    await start(tenant.editor, campaign.id)
    await api.sync.close()
    cancelled = await verb(tenant.editor, "Cancel", campaign.id)

    assert (cancelled.counts.cancelled, cancelled.counts.pending, cancelled.counts.total) == (25, 0, 25)
    assert cancelled.HasField("end_time")
    assert await api.queue.lane_size(int(campaign.mailbox_ids[0]), int(campaign.id)) == 0


async def test_a_pause_waits_for_the_claims_that_began_before_it(api, tenant):
    """It answers once none of them can commit any more."""
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    async with api.engine.begin() as claim:
        await claim.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({locks.DISPATCH}, {tenant.id})")
        pausing = asyncio.ensure_future(verb(tenant.editor, "Pause", campaign.id))
        while (await get(tenant.viewer, campaign.id)).state != PAUSED:
            await asyncio.sleep(0.01)
        waited = not pausing.done()

    assert waited
    assert (await pausing).state_reason == "paused by editor"


async def test_resuming_with_nothing_left_completes(api, tenant):
    """There is nothing to wait for."""
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    await verb(tenant.editor, "Pause", campaign.id)
    await api.sql("UPDATE campaign_counts SET pending = 0, sent = 1 WHERE campaign_id = :id", id=int(campaign.id))
    resumed = await verb(tenant.editor, "Resume", campaign.id)

    assert resumed.state == COMPLETED
    assert resumed.HasField("end_time")


async def test_verbs_leave_audit_rows_and_repeats_leave_none(api, tenant):
    """Who did what."""
    campaign = await make_campaign(tenant.editor, 1)
    for name in ("Start", "Start", "Pause", "Pause", "Resume", "Cancel", "Cancel"):
        await verb(tenant.editor, name, campaign.id)
    rows = await api.sql(
        "SELECT a.verb, t.name FROM audit a JOIN tokens t ON t.id = a.token_id"
        " WHERE a.workspace_id = :w AND resource = :r ORDER BY a.id",
        w=tenant.id,
        r=f"campaigns/{campaign.id}",
    )

    assert [row.verb for row in rows] == [
        f"campaign.{name}" for name in ("create", "start", "pause", "resume", "cancel")
    ]
    assert {row.name for row in rows} == {"editor"}


async def test_a_draft_can_be_changed_wholly(tenant):
    """An update changes what its mask names."""
    campaign = await make_campaign(tenant.editor, hourly_limit=10)
    changed = pb.Campaign(name="Autumn", template=pb.Template(html="<p>{{x}}</p>"), delay=Duration(seconds=7))
    answer = await tenant.editor.UpdateCampaign(
        update(campaign.id, changed, "name", "template.html", "delay", "hourly_limit")
    )

    assert answer.campaign.name == "Autumn"
    assert answer.campaign.template == pb.Template(subject="Hi {{name|there}}", text="Hello", html="<p>{{x}}</p>")
    assert answer.campaign.delay == Duration(seconds=7)
    assert not answer.campaign.HasField("hourly_limit")


async def test_a_draft_given_other_mailboxes_deals_its_recipients_anew(api, tenant):
    """In their order, in proportion to the hourly limits."""
    small, large = [(await make_mailbox(tenant.editor, hourly_limit=limit)).id for limit in (100, 200)]
    campaign = await make_campaign(tenant.editor, 9)
    changed = pb.Campaign(mailbox_ids=[small, large])
    await tenant.editor.UpdateCampaign(update(campaign.id, changed, "mailbox_ids"))
    await start(tenant.editor, campaign.id)

    assert await lanes(api, campaign.id) == [(small, 3), (large, 6)]
    assert await plan(api, campaign.id) == [0, 0, 5, 10, 5, 15, 20, 10, 25]


async def test_a_draft_with_recipients_keeps_a_mailbox(tenant):
    """Its recipients would be nowhere."""
    campaign = await make_campaign(tenant.editor, 1)
    refusal = await refused(tenant.editor.UpdateCampaign(update(campaign.id, pb.Campaign(), "mailbox_ids")))

    assert refusal.reason == "CAMPAIGN_INCOMPLETE"


async def test_a_new_delay_holds_from_the_next_message_on(api, tenant):
    """What has left stays where it was; what waits keeps its order."""
    campaign = await make_campaign(tenant.editor, 6)
    await start(tenant.editor, campaign.id)
    await api.sql("UPDATE messages SET state = 3 WHERE campaign_id = :id AND ordinal < 2", id=int(campaign.id))
    # A retry is no place to go on from.
    await api.sql(
        "UPDATE messages SET state = 1, retry_time = now() WHERE campaign_id = :id AND ordinal = 0",
        id=int(campaign.id),
    )
    before = await api.sql("SELECT base FROM lanes WHERE campaign_id = :id", id=int(campaign.id))
    await tenant.editor.UpdateCampaign(update(campaign.id, pb.Campaign(delay=Duration(seconds=60)), "delay"))
    after = await api.sql("SELECT base FROM lanes WHERE campaign_id = :id", id=int(campaign.id))

    assert (after[0][0] - before[0][0]).total_seconds() == 2 * 5 - 2 * 60
    assert await plan(api, campaign.id) == [0, 60, 120, 180, 240, 300]


async def test_a_start_time_that_lies_ahead_can_be_moved(api, tenant):
    """Until it has come."""
    ahead = await make_campaign(tenant.editor, 2, start_time=Timestamp(seconds=YEAR_2100_S))
    await start(tenant.editor, ahead.id)
    later = pb.Campaign(start_time=Timestamp(seconds=YEAR_2100_S + 60))
    await tenant.editor.UpdateCampaign(update(ahead.id, later, "start_time"))
    begun = await make_campaign(tenant.editor, 2)
    await start(tenant.editor, begun.id)
    refusal = await refused(tenant.editor.UpdateCampaign(update(begun.id, later, "start_time")))
    ((base,),) = await api.sql(
        "SELECT extract(epoch FROM base)::bigint FROM lanes WHERE campaign_id = :id", id=int(ahead.id)
    )

    assert base == YEAR_2100_S + 60
    assert refusal.reason == "CAMPAIGN_NOT_DRAFT"


@pytest.mark.parametrize("path", ["mailbox_ids", "template", "template.subject", "template.text", "template.html"])
async def test_what_was_started_is_not_rewritten(tenant, path):
    """What some have got, the others get."""
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    refusal = await refused(tenant.editor.UpdateCampaign(update(campaign.id, campaign_of(), path)))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAMPAIGN_NOT_DRAFT")
    assert all(field.startswith(f"campaign.{path}") for field in refusal.fields)
    assert refusal.fields


async def test_a_running_campaign_takes_a_name_a_delay_and_an_hourly_limit(tenant):
    """An ended one takes nothing."""
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    new = pb.Campaign(name="New", delay=Duration(seconds=1), hourly_limit=9)
    changed = await tenant.editor.UpdateCampaign(update(campaign.id, new, "name", "delay", "hourly_limit"))
    await verb(tenant.editor, "Cancel", campaign.id)
    refusal = await refused(tenant.editor.UpdateCampaign(update(campaign.id, new, "name")))

    assert (changed.campaign.name, changed.campaign.hourly_limit) == ("New", 9)
    assert refusal.reason == "CAMPAIGN_ENDED"


async def test_a_deleted_draft_leaves_nothing(api, tenant):
    """Recipients, counts and lanes go with it."""
    campaign = await make_campaign(tenant.editor, 3)
    request = pb.DeleteCampaignRequest(campaign_id=campaign.id)
    await tenant.editor.DeleteCampaign(request)
    again = await refused(tenant.editor.DeleteCampaign(request))
    left = await api.sql(
        "SELECT (SELECT count(*) FROM messages WHERE campaign_id = :id)"
        " + (SELECT count(*) FROM lanes WHERE campaign_id = :id)"
        " + (SELECT count(*) FROM campaign_counts WHERE campaign_id = :id)",
        id=int(campaign.id),
    )

    assert again.code == grpc.StatusCode.NOT_FOUND
    assert left == [(0,)]


async def test_pages_hold_each_campaign_once_the_newest_first(tenant):
    """With and without filters."""
    mailbox = (await make_mailbox(tenant.editor)).id
    made = [(await make_campaign(tenant.editor, mailbox_ids=[mailbox])).id for _ in range(5)]
    await make_campaign(tenant.editor)
    await verb(tenant.editor, "Cancel", made[2])

    assert await listed(tenant.viewer, page_size=2, mailbox_id=mailbox) == made[::-1]
    assert await listed(tenant.viewer, page_size=2, state=CANCELLED) == [made[2]]
    assert len(await listed(tenant.viewer, page_size=3)) == 6


async def listed(client, **filters):
    seen, token = [], ""
    while True:
        page = await client.ListCampaigns(pb.ListCampaignsRequest(page_token=token, **filters))
        seen += [campaign.id for campaign in page.campaigns]
        token = page.next_page_token
        if not token:
            return seen


async def test_pages_of_large_templates_fit_into_a_message(tenant):
    """They end early instead, and none is lost."""
    template = pb.Template(subject="x", html="x" * 1024 * 1000)
    made = [(await make_campaign(tenant.editor, template=template)).id for _ in range(5)]
    first = await tenant.viewer.ListCampaigns(pb.ListCampaignsRequest())

    assert len(first.campaigns) == 2
    assert await listed(tenant.viewer) == made[::-1]


@pytest.mark.parametrize("token", ["x", "!!!", "WzFd", "é", "a" * 2000, "bnVsbA"])
async def test_a_page_token_that_nobody_gave_is_refused(tenant, token):
    """As the field it is."""
    refusal = await refused(tenant.viewer.ListCampaigns(pb.ListCampaignsRequest(page_token=token)))

    assert set(refusal.fields) == {"page_token"}


async def test_a_page_token_is_good_with_its_filters_only(tenant):
    """Another filter, another list."""
    for _ in range(2):
        await make_campaign(tenant.editor)
    page = await tenant.viewer.ListCampaigns(pb.ListCampaignsRequest(page_size=1))
    other = pb.ListCampaignsRequest(page_size=1, page_token=page.next_page_token, state=DRAFT)

    assert set((await refused(tenant.viewer.ListCampaigns(other))).fields) == {"page_token"}
