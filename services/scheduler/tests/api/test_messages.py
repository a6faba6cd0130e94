"""Messages over gRPC: lists by each filter, and one with all that is known of it."""

import grpc
import pytest
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane_scheduler.api import message_service
from maillane_scheduler.states import MessageState
from maillane_scheduler.store import message_pages, retries
from maillane_scheduler.validation.messages import Filters
from sqlalchemy import text

from .making import make_campaign, make_mailbox, start
from .scheduler_api import RESEND_WAIT_S, chunks, refused

PENDING, SENDING, SENT, FAILED, UNCONFIRMED = 1, 2, 3, 4, 5


async def pages(client, **filters):
    """All pages, as lists of recipients' local parts."""
    found, token = [], ""
    while True:
        page = await client.ListMessages(pb.ListMessagesRequest(page_token=token, **filters))
        found.append([message.recipient.partition("@")[0] for message in page.messages])
        token = page.next_page_token
        if not token:
            return found


async def listed(client, **filters):
    return [name for page in await pages(client, **filters) for name in page]


async def settle(api, campaign_id, local, state, reply="250 ok", number=1):
    """What a sender's report leaves of a message."""
    await api.sql(
        "WITH m AS (UPDATE messages SET state = :state, attempt = :number WHERE campaign_id = :id AND email = :email"
        " RETURNING id, mailbox_id) INSERT INTO attempts"
        " SELECT id, :id, now(), now() + :number * interval '1 s', mailbox_id, :number, :state, 250, :reply FROM m",
        id=int(campaign_id),
        email=f"{local}@example.com",
        state=int(state),
        number=number,
        reply=reply,
    )


async def claim(api, campaign_id, local):
    """What a hand-out leaves of a message."""
    await api.sql(
        "WITH m AS (UPDATE messages SET state = 2, token = id WHERE campaign_id = :id AND email = :email RETURNING id)"
        " INSERT INTO claims (token, claim_id, sender_id, incarnation, lease_until, ids)"
        " SELECT id, id, 's', 'i', now(), ARRAY[id] FROM m",
        id=int(campaign_id),
        email=f"{local}@example.com",
    )


async def message_of(client, campaign_id, local):
    page = await client.ListMessages(pb.ListMessagesRequest(campaign_id=campaign_id, recipient=f"{local}@example.com"))
    return (await client.GetMessage(pb.GetMessageRequest(message_id=page.messages[0].id))).message


async def test_messages_come_in_campaign_order_the_newest_campaign_first(tenant):
    """Each once, whatever the size of pages."""
    await make_campaign(tenant.editor, 3)
    await make_campaign(tenant.editor)
    await make_campaign(tenant.editor, 2)

    for size in (1, 2, 3, 200):
        assert await listed(tenant.viewer, page_size=size) == ["r0", "r1", "r0", "r1", "r2"]


async def test_each_filter_leaves_what_it_names(api, tenant):
    """Alone and together, over several pages."""
    boxes = [(await make_mailbox(tenant.editor)).id for _ in range(2)]
    campaign = await make_campaign(tenant.editor, 6, mailbox_ids=boxes)
    await settle(api, campaign.id, "r1", FAILED, "550 no")
    await settle(api, campaign.id, "r1", SENT, number=2)
    await settle(api, campaign.id, "r2", FAILED)
    await settle(api, campaign.id, "r4", SENT)
    await settle(api, campaign.id, "r5", UNCONFIRMED)
    await claim(api, campaign.id, "r0")
    ask = {"campaign_id": campaign.id, "page_size": 1}

    assert await listed(tenant.viewer, **ask, state=SENT) == ["r1", "r4"]
    assert await listed(tenant.viewer, **ask, state=FAILED) == ["r2"]
    assert await listed(tenant.viewer, **ask, state=UNCONFIRMED) == ["r5"]
    assert await listed(tenant.viewer, **ask, state=PENDING) == ["r3"]
    assert await listed(tenant.viewer, **ask, state=SENDING) == ["r0"]
    assert await listed(tenant.viewer, **ask, recipient="r1@example.com", state=SENT) == ["r1"]
    assert await listed(tenant.viewer, **ask, mailbox_id=boxes[1]) == ["r1", "r3", "r5"]
    assert await listed(tenant.viewer, **ask, mailbox_id=boxes[1], state=SENT) == ["r1"]
    assert await listed(tenant.viewer, **ask, recipient="r3@EXAMPLE.com") == ["r3"]
    assert await listed(tenant.viewer, recipient="r3@example.com", state=SENT) == []
    assert await listed(tenant.viewer, state=SENT, page_size=1) == ["r1", "r4"]


async def test_a_page_looks_at_a_bounded_number_of_messages(api, tenant, monkeypatch):
    """It may be short with more behind it; none is lost."""
    monkeypatch.setattr(message_pages, "SCANNED", 4)
    campaign = await make_campaign(tenant.editor, 10)
    for name in ("r0", "r9"):
        await settle(api, campaign.id, name, SENT)
        await api.sql(
            "UPDATE messages SET state = 7 WHERE campaign_id = :id AND email = :email",
            id=int(campaign.id),
            email=f"{name}@example.com",
        )

    assert await pages(tenant.viewer, campaign_id=campaign.id, state=7) == [["r0"], [], ["r9"]]


async def test_a_page_reads_what_it_looks_at_also_before_statistics(api, tenant, monkeypatch):
    """Postgres knows nothing yet of a campaign that was imported a moment ago, and reads no more of it for that."""
    monkeypatch.setattr(message_pages, "SCANNED", 200)
    campaign = await make_campaign(tenant.editor, 1)
    await api.sql(
        "INSERT INTO messages (id, campaign_id, mailbox_id, ordinal, line, email, variables) "
        "SELECT 1000000000 + n, campaign_id, mailbox_id, n, n, 'n' || n || '@example.com', '{}' "
        "FROM messages, generate_series(1, 20000) n WHERE campaign_id = :id",
        id=int(campaign.id),
    )
    filters = Filters(campaign_id=int(campaign.id), state=MessageState.PENDING)
    async with api.engine.connect() as connection:
        page = await message_pages.list_page(connection, tenant.id, filters, None, 50)
        read = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'messages'")
        rows = (await connection.execute(read)).scalar()

    assert len(page.messages) == 50
    assert rows < 1000


async def test_a_page_looks_at_a_bounded_number_of_campaigns(tenant, monkeypatch):
    """Many empty campaigns do not make a page long in coming."""
    monkeypatch.setattr(message_pages, "CAMPAIGNS", 2)
    mailbox = (await make_mailbox(tenant.editor)).id
    await make_campaign(tenant.editor, 1, mailbox_ids=[mailbox])
    for _ in range(4):
        await make_campaign(tenant.editor, mailbox_ids=[mailbox])

    assert await pages(tenant.viewer) == [[], [], ["r0"]]


async def test_a_message_tells_what_became_of_it(api, tenant):
    """In a list: the last reply and the send time. Alone: each attempt and the variables too."""
    campaign = await make_campaign(tenant.editor)
    await tenant.editor.ImportRecipients(chunks(campaign.id, [("a@example.com", {"x": "1", "y": 'é"'})]))
    await start(tenant.editor, campaign.id)
    await settle(api, campaign.id, "a", PENDING, "451 later")
    await settle(api, campaign.id, "a", SENT, "250 taken", number=2)
    in_list = (await tenant.viewer.ListMessages(pb.ListMessagesRequest(campaign_id=campaign.id))).messages[0]
    message = await message_of(tenant.viewer, campaign.id, "a")

    assert (in_list.state, in_list.attempts, in_list.last_reply) == (pb.MESSAGE_STATE_SENT, 2, "250 taken")
    assert in_list.HasField("send_time")
    assert in_list.HasField("due_time")
    assert [(attempt.number, attempt.reply) for attempt in message.history] == [(1, "451 later"), (2, "250 taken")]
    assert dict(message.variables) == {"x": "1", "y": 'é"'}
    assert not message.HasField("hold")


async def test_a_message_of_a_draft_has_no_due_time(tenant):
    """It is held by its campaign being one."""
    campaign = await make_campaign(tenant.editor, 1)
    message = await message_of(tenant.viewer, campaign.id, "r0")

    assert not message.HasField("due_time")
    assert message.hold.reason == pb.HOLD_REASON_DRAFT


HOLDS = [
    ("UPDATE workspaces SET stopped = true WHERE id = :w", pb.HOLD_REASON_WORKSPACE_STOPPED),
    ("UPDATE campaigns SET state = 3 WHERE id = :c", pb.HOLD_REASON_CAMPAIGN_PAUSED),
    ("UPDATE mailboxes SET state = 2 WHERE id = :m", pb.HOLD_REASON_MAILBOX_PAUSED),
    ("UPDATE lanes SET base = now() + interval '1 hour' WHERE campaign_id = :c", pb.HOLD_REASON_NOT_STARTED),
    ("UPDATE messages SET retry_time = now() + interval '1 hour' WHERE campaign_id = :c", pb.HOLD_REASON_RETRY),
    ("INSERT INTO parks VALUES (:m, 0, 1, now() + interval '1 hour', 'hour')", pb.HOLD_REASON_LIMIT),
    ("INSERT INTO parks VALUES (:m, :c, 1, now() + interval '1 hour', 'hour')", pb.HOLD_REASON_LIMIT),
    ("INSERT INTO parks VALUES (:m, 0, 2, now() + interval '1 hour', '454')", pb.HOLD_REASON_BACKOFF),
    ("INSERT INTO parks VALUES (:m, 7, 2, now() + interval '1 hour', 'another lane')", pb.HOLD_REASON_TURN),
    ("SELECT 1 WHERE :w = :w", pb.HOLD_REASON_TURN),
]


async def test_a_pending_message_tells_what_holds_it(api, tenant):
    """One reason each."""
    found = []
    for statement, _ in HOLDS:
        own = await api.tenant()
        campaign = await make_campaign(own.editor, 1)
        await start(own.editor, campaign.id)
        known = {"w": own.id, "c": int(campaign.id), "m": int(campaign.mailbox_ids[0])}
        await api.sql(statement, **{name: value for name, value in known.items() if f":{name}" in statement})
        found.append((await message_of(own.viewer, campaign.id, "r0")).hold.reason)

    assert found == [reason for _, reason in HOLDS]


async def test_a_cancelled_message_is_held_by_nothing(tenant):
    """It has ended."""
    campaign = await make_campaign(tenant.editor, 1)
    await tenant.editor.CancelCampaign(campaign_pb.CancelCampaignRequest(campaign_id=campaign.id))
    message = await message_of(tenant.viewer, campaign.id, "r0")

    assert message.state == pb.MESSAGE_STATE_CANCELLED
    assert not message.HasField("hold")


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"campaign_id": "x"}, "campaign_id"),
        ({"mailbox_id": "-1"}, "mailbox_id"),
        ({"state": 99}, "state"),
        ({"lane_state": pb.LANE_STATE_STOPPED}, "lane_state"),
        ({"order": pb.MESSAGE_ORDER_LEAVING, "lane_state": 99}, "lane_state"),
        ({"recipient": "a b@example.com"}, "recipient"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "zzz"}, "page_token"),
    ],
)
async def test_a_bad_filter_is_named(tenant, filters, field):
    """As the field it is."""
    refusal = await refused(tenant.viewer.ListMessages(pb.ListMessagesRequest(**filters)))

    assert (refusal.code, set(refusal.fields)) == (grpc.StatusCode.INVALID_ARGUMENT, {field})


async def test_a_page_token_is_good_with_its_filters_only(tenant):
    """Another filter, another list."""
    campaign = await make_campaign(tenant.editor, 2)
    page = await tenant.viewer.ListMessages(pb.ListMessagesRequest(page_size=1))
    other = pb.ListMessagesRequest(page_size=1, page_token=page.next_page_token, campaign_id=campaign.id)

    assert set((await refused(tenant.viewer.ListMessages(other))).fields) == {"page_token"}


async def resolve(client, message_id, resolution):
    request = pb.ResolveMessageRequest(message_id=message_id, resolution=resolution)
    return (await client.ResolveMessage(request)).message


async def unconfirmed(api, tenant):
    """A message of which nobody knows, in a campaign that goes on."""
    campaign = await make_campaign(tenant.editor, 2)
    await start(tenant.editor, campaign.id)
    await settle(api, campaign.id, "r0", UNCONFIRMED, "the sender vanished")
    await api.sql(
        "UPDATE campaign_counts SET pending = pending - 1, unconfirmed = 1 WHERE campaign_id = :id",
        id=int(campaign.id),
    )
    return campaign, await message_of(tenant.viewer, campaign.id, "r0")


async def counted(tenant, campaign):
    request = campaign_pb.GetCampaignRequest(campaign_id=campaign.id)
    counts = (await tenant.viewer.GetCampaign(request)).campaign.counts
    return {name.name: number for name, number in counts.ListFields()}


async def test_a_resend_tells_what_it_waits_for(api, tenant):
    """Its first try; resolving it again so changes nothing."""
    campaign, message = await unconfirmed(api, tenant)
    pending = await resolve(tenant.editor, message.id, pb.RESOLUTION_RESEND)
    again = await resolve(tenant.editor, message.id, pb.RESOLUTION_RESEND)
    (listed_one, _) = (await tenant.viewer.ListMessages(pb.ListMessagesRequest(campaign_id=campaign.id))).messages
    verbs = await api.sql("SELECT verb FROM audit WHERE resource = :r", r=f"messages/{message.id}")

    assert (pending.state, pending.hold.reason) == (pb.MESSAGE_STATE_PENDING, pb.HOLD_REASON_RETRY)
    assert again == pending
    wait_s = pending.hold.until_time.ToSeconds() - pending.history[-1].settle_time.ToSeconds()
    assert (wait_s, listed_one.due_time) == (RESEND_WAIT_S, pending.hold.until_time)
    assert await counted(tenant, campaign) == {"total": 2, "pending": 2}
    assert verbs == [("message.resend",)]


async def test_a_resend_that_a_late_settle_ended_is_due_as_planned(api, tenant):
    """Nothing of its wait is left to be seen."""
    _, message = await unconfirmed(api, tenant)
    await resolve(tenant.editor, message.id, pb.RESOLUTION_RESEND)
    await api.sql("UPDATE messages SET state = 3 WHERE id = :id", id=int(message.id))
    found = (await tenant.viewer.GetMessage(pb.GetMessageRequest(message_id=message.id))).message

    assert (found.due_time, found.HasField("hold")) == (message.due_time, False)


async def test_an_accepted_message_counts_as_sent_and_says_by_whom(api, tenant):
    """Accepting it again changes nothing; it is found among what was sent."""
    campaign, message = await unconfirmed(api, tenant)
    accepted = await resolve(tenant.editor, message.id, pb.RESOLUTION_ACCEPT)
    again = await resolve(tenant.editor, message.id, pb.RESOLUTION_ACCEPT)

    assert (accepted.state, accepted.HasField("send_time")) == (pb.MESSAGE_STATE_SENT, True)
    assert (accepted.last_reply, accepted.attempts) == ("taken as sent by editor", 1)
    assert again == accepted
    assert await listed(tenant.viewer, campaign_id=campaign.id, state=SENT) == ["r0"]
    assert await counted(tenant, campaign) == {"total": 2, "pending": 1, "sent": 1}


@pytest.mark.parametrize("resolution", [pb.RESOLUTION_RESEND, pb.RESOLUTION_ACCEPT])
async def test_only_what_is_unconfirmed_is_resolved(api, tenant, resolution):
    """Of anything else, somebody knows."""
    campaign, _ = await unconfirmed(api, tenant)
    await settle(api, campaign.id, "r1", FAILED)
    message = await message_of(tenant.viewer, campaign.id, "r1")
    request = pb.ResolveMessageRequest(message_id=message.id, resolution=resolution)
    refusal = await refused(tenant.editor.ResolveMessage(request))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "MESSAGE_NOT_UNCONFIRMED")


async def test_a_resolution_must_be_one(tenant):
    """Both bad fields are named."""
    refusal = await refused(tenant.editor.ResolveMessage(pb.ResolveMessageRequest(message_id="x")))

    assert set(refusal.fields) == {"message_id", "resolution"}


async def test_a_retry_goes_on_where_a_call_ends(api, tenant, monkeypatch):
    """A call takes a bounded number, and says that there may be more; each is tried once."""
    monkeypatch.setattr(message_service, "RETRY_BATCHES", 1)
    monkeypatch.setattr(retries, "BATCH", 2)
    monkeypatch.setattr(retries, "_FAILED", text(retries._FAILED.text.replace("LIMIT 5000", "LIMIT 2")))
    campaign = await make_campaign(tenant.editor, 3)
    await start(tenant.editor, campaign.id)
    for name in ("r0", "r1", "r2"):
        await settle(api, campaign.id, name, FAILED)
    await api.sql("UPDATE campaign_counts SET pending = 0, failed = 3 WHERE campaign_id = :id", id=int(campaign.id))
    request = pb.RetryMessagesRequest(campaign_id=campaign.id)
    answers = [await tenant.editor.RetryMessages(request) for _ in range(2)]

    assert [(answer.retried, answer.more) for answer in answers] == [(2, True), (1, False)]
    assert await counted(tenant, campaign) == {"total": 3, "pending": 3}
    assert await api.sql(
        "SELECT detail FROM audit WHERE verb = 'messages.retry' AND workspace_id = :w ORDER BY id", w=tenant.id
    ) == [({"messages": 2},), ({"messages": 1},)]


async def test_a_retry_in_a_cancelled_campaign_is_refused(tenant):
    """It sends nothing any more."""
    campaign = await make_campaign(tenant.editor, 1)
    await tenant.editor.CancelCampaign(campaign_pb.CancelCampaignRequest(campaign_id=campaign.id))
    refusal = await refused(tenant.editor.RetryMessages(pb.RetryMessagesRequest(campaign_id=campaign.id)))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAMPAIGN_ENDED")


async def test_the_filters_of_a_retry_have_rules(tenant):
    """Each bad field is named."""
    request = pb.RetryMessagesRequest(campaign_id="", code=99, reply_contains="x" * 201)
    refusal = await refused(tenant.editor.RetryMessages(request))

    assert set(refusal.fields) == {"campaign_id", "code", "reply_contains"}
