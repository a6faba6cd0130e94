"""Messages across campaigns: as they leave, as they were settled, by search, and as a file."""

import asyncio
import csv
import io

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane.scheduler.v1.overview_service_pb2 import GetOverviewRequest
from maillane_scheduler.api.message_lists import MessageLists
from maillane_scheduler.store import outcome_pages

from .making import make_campaign, make_mailbox, start
from .scheduler_api import chunks, refused
from .test_forecasts import at

LEAVING, LATEST = pb.MESSAGE_ORDER_LEAVING, pb.MESSAGE_ORDER_LATEST


async def listed(client, size=2, **filters):
    """All messages of a list, read page by page."""
    found, token = [], ""
    for _ in range(50):
        answer = await client.ListMessages(pb.ListMessagesRequest(page_size=size, page_token=token, **filters))
        found += answer.messages
        token = answer.next_page_token
        if not token:
            return found
    raise AssertionError("the list does not end")


async def started(tenant, emails, **changes):
    """A campaign that goes on, and that the queue knows."""
    return await begun(tenant, await make_campaign(tenant.editor, **changes), emails)


async def begun(tenant, campaign, emails):
    """A draft, with recipients and started, once the queue knows all of it."""
    await tenant.editor.ImportRecipients(chunks(campaign.id, emails))
    await start(tenant.editor, campaign.id)
    async with asyncio.timeout(10):
        while len(await listed(tenant.viewer, 200, order=LEAVING, campaign_id=campaign.id)) < len(emails):
            pass
    return campaign


async def settle(api, message_id, state, minute, code=250, reply="ok"):
    """As a sender would have it settled, so many minutes after nine."""
    await api.sql(f"UPDATE messages SET state = {state} WHERE id = {message_id}")
    await api.sql(
        "INSERT INTO attempts "
        "(message_id, campaign_id, claim_time, settle_time, mailbox_id, number, state, code, reply) "
        f"SELECT id, campaign_id, now(), timestamptz '2026-03-01 09:00Z' + {minute} * interval '1 minute', "
        "mailbox_id, 1, :state, :code, :reply FROM messages WHERE id = :id",
        id=int(message_id),
        state=int(state),
        code=code,
        reply=reply,
    )


async def test_what_waits_is_listed_as_it_leaves(tenant):
    """Of two campaigns in two mailboxes, in turns as their times are; each with why and when."""
    await started(
        tenant, ["a1@x.example", "a2@x.example", "a3@x.example"], start_time=at(0), delay=Duration(seconds=100)
    )
    await started(tenant, ["b1@x.example", "b2@x.example"], start_time=at(0), delay=Duration(seconds=150))

    found = await listed(tenant.viewer, order=LEAVING)

    assert [message.recipient[:2] for message in found] == ["a1", "b1", "a2", "b2", "a3"]
    assert [m.hold.expected_time.seconds - at(0).seconds for m in found] == [0, 0, 100, 150, 200]
    assert {message.hold.reason for message in found} == {pb.HOLD_REASON_NOT_STARTED}


async def test_what_leaves_at_one_instant_is_listed_whole(tenant):
    """However many lanes have a message at it, in whatever order those were imported, and wherever pages end."""
    drafts = [await make_campaign(tenant.editor, start_time=at(0), delay=Duration(seconds=100)) for _ in range(5)]
    for number, draft in reversed(list(enumerate(drafts))):
        await begun(tenant, draft, [f"{number}a@x.example", f"{number}b@x.example"])

    found = await listed(tenant.viewer, order=LEAVING)

    assert [m.recipient[:2] for m in found] == [f"{number}{each}" for each in "ab" for number in (4, 3, 2, 1, 0)]


async def test_what_a_person_holds_up_comes_last(tenant):
    """Page by page to its end, without a time."""
    mailbox = await make_mailbox(tenant.editor)
    await started(tenant, [f"p{n}@x.example" for n in range(5)], mailbox_ids=[mailbox.id])
    await started(tenant, ["a@x.example", "b@x.example"], start_time=at(0))
    await tenant.editor.PauseMailbox(mailbox_pb.PauseMailboxRequest(mailbox_id=mailbox.id))

    found = await listed(tenant.viewer, order=LEAVING)

    assert [m.recipient[0] for m in found] == ["a", "b", "p", "p", "p", "p", "p"]
    assert [m.recipient for m in found[2:]] == [f"p{n}@x.example" for n in range(5)]
    assert {m.hold.reason for m in found[2:]} == {pb.HOLD_REASON_MAILBOX_PAUSED}
    assert not found[-1].hold.HasField("expected_time")


@pytest.mark.parametrize(
    ("mailbox_limits", "campaign_limits", "met"),
    [
        ({"hourly_limit": 2}, {}, pb.HOLD_REASON_HOURLY_LIMIT),
        ({"daily_limit": 2}, {}, pb.HOLD_REASON_DAILY_LIMIT),
        ({}, {"hourly_limit": 2}, pb.HOLD_REASON_CAMPAIGN_LIMIT),
    ],
)
async def test_a_message_tells_when_it_will_leave_and_which_limit_it_will_meet(
    tenant, mailbox_limits, campaign_limits, met
):
    """The third where two an hour, or two a day, may leave."""
    mailbox = await make_mailbox(tenant.editor, **mailbox_limits)
    emails = ["a@x.example", "b@x.example", "c@x.example"]
    await started(tenant, emails, mailbox_ids=[mailbox.id], start_time=at(-60), **campaign_limits)
    [third] = await listed(tenant.viewer, order=LEAVING, query="c@")

    hold = (await tenant.viewer.GetMessage(pb.GetMessageRequest(message_id=third.id))).message.hold

    assert hold.expected_time.seconds % 3600 == 0
    assert (hold.reason, hold.ahead, hold.limit) == (pb.HOLD_REASON_LIMIT_AHEAD, met, 2)


async def test_a_resend_is_listed_while_its_first_try_may_succeed(api, tenant):
    """With all that is counted as scheduled, at its known time, wherever pages end; a search finds it."""
    campaign = await started(tenant, [f"{name}@x.example" for name in "abc"], start_time=at(0))
    for message in (await listed(tenant.viewer, campaign_id=campaign.id))[:2]:
        await settle(api, message.id, pb.MESSAGE_STATE_UNCONFIRMED, 0)
        await api.queue.forget(int(message.mailbox_id), int(campaign.id), [int(message.id)])
        request = pb.ResolveMessageRequest(message_id=message.id, resolution=pb.RESOLUTION_RESEND)
        await tenant.editor.ResolveMessage(request)

    found = await listed(tenant.viewer, 1, order=LEAVING)
    [searched] = await listed(tenant.viewer, order=LEAVING, query="b@")

    resent = [message for message in found if message.hold.reason == pb.HOLD_REASON_RETRY]
    assert sorted(message.recipient[0] for message in found) == ["a", "b", "c"]
    assert [message.recipient[0] for message in resent] == ["a", "b"]
    assert all("first try" in m.hold.detail and m.hold.HasField("until_time") for m in (*resent, searched))


LANES = [
    (pb.LANE_STATE_LEAVING, {}, "SELECT :m"),
    (pb.LANE_STATE_NOT_STARTED, {"start_time": at(0)}, "SELECT :m"),
    (pb.LANE_STATE_AT_LIMIT, {}, "INSERT INTO parks VALUES (:m, 0, 1, now() + interval '1 hour', 'hour')"),
    (pb.LANE_STATE_SLOWED, {}, "INSERT INTO parks VALUES (:m, 0, 2, now() + interval '1 hour', '454 slow down')"),
    (pb.LANE_STATE_STOPPED, {}, "UPDATE mailboxes SET stop_reason = 2, stop_time = now() WHERE id = :m"),
]


async def test_what_waits_is_listed_and_counted_by_how_its_lane_stands(api, tenant):
    """A lane of each state, with as many messages as the state's number."""
    for state, changes, statement in LANES:
        campaign = await started(tenant, [f"{state}{n}@x.example" for n in range(state)], **changes)
        await api.sql(statement, m=int(campaign.mailbox_ids[0]))

    counted = (await tenant.viewer.GetOverview(GetOverviewRequest())).overview.lanes
    found = {state: await listed(tenant.viewer, order=LEAVING, lane_state=state) for state, _, _ in LANES}

    assert [(each.state, each.waiting) for each in counted] == [(state, state) for state, _, _ in LANES]
    assert {state: [m.recipient[0] for m in each] for state, each in found.items()} == {
        state: [str(state)] * state for state, _, _ in LANES
    }


async def test_outcomes_are_listed_the_latest_first(api, tenant):
    """Over campaigns; by state and time; what was tried again since is not among them."""
    one = await started(tenant, ["a@x.example", "b@x.example", "c@x.example"])
    two = await started(tenant, ["d@x.example", "e@x.example"])
    by_name = {m.recipient[0]: m.id for m in await listed(tenant.viewer, 100)}
    for name, state, minute in (("a", 3, 1), ("d", 4, 2), ("b", 3, 3), ("e", 5, 4), ("c", 4, 5)):
        await settle(api, by_name[name], state, minute)
    await api.sql(f"UPDATE messages SET state = 1 WHERE id = {by_name['c']}")

    async def names(**filters):
        return "".join(m.recipient[0] for m in await listed(tenant.viewer, order=LATEST, **filters))

    assert await names() == "ebda"
    assert await names(size=100) == "ebda"
    assert await names(state=pb.MESSAGE_STATE_SENT) == "ba"
    assert await names(campaign_id=one.id) == "ba"
    assert await names(mailbox_id=two.mailbox_ids[0]) == "ed"
    assert await names(query="b") == "b"
    begin, end = (instant(f"2026-03-01T09:0{minute}:00Z") for minute in (2, 4))
    assert await names(start_time=begin, end_time=end) == "bd"


async def test_what_was_settled_together_is_listed_whole(api, tenant, monkeypatch):
    """Also where a page ends, for it has looked at enough, between two messages of one commit."""
    monkeypatch.setattr(outcome_pages, "SCANNED", 3)
    await started(tenant, [f"{name}@x.example" for name in "abcdefghij"])
    by_name = {m.recipient[0]: m.id for m in await listed(tenant.viewer, 100)}
    for name, message_id in by_name.items():
        await settle(api, message_id, 3 if name in "aej" else 4, 1)

    found = await listed(tenant.viewer, 1, order=LATEST, state=pb.MESSAGE_STATE_SENT)

    assert [m.recipient[0] for m in found] == ["j", "e", "a"]


def instant(text):
    made = campaign_pb.Campaign().start_time
    made.FromJsonString(text)
    return made


@pytest.mark.parametrize("order", [LEAVING, LATEST])
async def test_what_goes_to_one_recipient_is_on_the_first_page(api, tenant, order):
    """However many others are before it, and not what goes to an address that begins so."""
    await started(tenant, ["Ann@x.example", *(f"r{n}@x.example" for n in range(5)), "ann@x.example.org"])
    if order == LATEST:
        for message in await listed(tenant.viewer, 100):
            await settle(api, message.id, 3, int(message.line))
    request = pb.ListMessagesRequest(page_size=1, order=order, recipient="ann@X.example")

    answer = await tenant.viewer.ListMessages(request)

    assert [message.recipient for message in answer.messages] == ["Ann@x.example"]


@pytest.mark.parametrize("order", [pb.MESSAGE_ORDER_CAMPAIGN, LEAVING])
async def test_recipients_are_found_by_the_beginning_of_address_or_domain(tenant, order):
    """Whatever the case of letters; signs of patterns are just signs."""
    await started(tenant, ["Ann_1@blue.example", "annx1@red.example", "bob@anna.example"], start_time=at(0))

    async def found(query):
        return sorted(m.recipient for m in await listed(tenant.viewer, order=order, query=query))

    assert await found("ANN") == ["Ann_1@blue.example", "annx1@red.example", "bob@anna.example"]
    assert await found("ann_") == ["Ann_1@blue.example"]
    assert await found("@blue") == ["Ann_1@blue.example"]
    assert await found("%") == []


async def test_rows_have_subjects_and_names(tenant):
    """The template's subject with the recipient's values in it."""
    campaign = await make_campaign(tenant.editor)
    row = campaign_pb.Recipient(email="a@x.example", variables={"name": "Ann"}, line=7)

    async def stream():
        yield campaign_pb.ImportRecipientsRequest(campaign_id=campaign.id, recipients=[row])

    await tenant.editor.ImportRecipients(stream())

    [message] = await listed(tenant.viewer)

    assert (message.subject, message.recipient_name, message.line) == ("Hi Ann", "Ann", 7)


async def test_a_row_is_bounded_whatever_its_values_are(tenant):
    """A small subject can ask for a long value any number of times."""
    template = campaign_pb.Template(subject="{{name}}" * 100, text="Hello")
    campaign = await make_campaign(tenant.editor, template=template)
    row = campaign_pb.Recipient(email="a@x.example", variables={"name": "x" * 4096}, line=1)

    async def stream():
        yield campaign_pb.ImportRecipientsRequest(campaign_id=campaign.id, recipients=[row])

    await tenant.editor.ImportRecipients(stream())

    [message] = await listed(tenant.viewer)

    assert (message.subject, message.recipient_name) == ("x" * 998, "x" * 998)


async def test_an_export_is_a_csv_without_formulas(api, tenant):
    """Every row of the list, in one file; what would be a formula is text."""
    await started(tenant, [f"r{n}@x.example" for n in range(1201)])
    [message] = await listed(tenant.viewer, query="r7@")
    await settle(api, message.id, 4, 1, 550, '=HYPERLINK("http://evil","x")\r\n@SUM(1)')

    parts = [part.body async for part in tenant.viewer.ExportMessages(pb.ExportMessagesRequest())]
    rows = list(csv.DictReader(io.StringIO(b"".join(part.data for part in parts).decode(), newline="")))

    assert {part.content_type for part in parts} == {"text/csv; charset=utf-8"}
    assert [row["recipient"] for row in rows] == [f"r{n}@x.example" for n in range(1201)]
    assert rows[7]["reply"] == '\'=HYPERLINK("http://evil","x")\r\n@SUM(1)'
    assert rows[7]["state"] == "failed"


async def test_slow_exports_of_a_workspace_leave_room_for_others(api, tenant, monkeypatch):
    """Two of it at once; the next once one has ended."""
    taken = asyncio.Event()

    async def as_slow_as_its_caller(self, workspace_id, filters):
        yield None
        await taken.wait()

    monkeypatch.setattr(MessageLists, "pages", as_slow_as_its_caller)
    other = await api.tenant()
    begun = [client.ExportMessages(pb.ExportMessagesRequest()) for client in (tenant.viewer, tenant.viewer)]
    for stream in begun:
        await stream.read()

    assert (await refused(tenant.viewer.ExportMessages(pb.ExportMessagesRequest()))).reason == "TOO_MANY_EXPORTS"
    assert await other.viewer.ExportMessages(pb.ExportMessagesRequest()).read()

    taken.set()
    assert [await stream.read() for stream in begun] == [grpc.aio.EOF] * 2
    assert await tenant.viewer.ExportMessages(pb.ExportMessagesRequest()).read()


async def test_filters_that_do_not_fit_an_order_are_refused(tenant):
    """A state that the order does not list, and times where nothing is settled."""
    found = await refused(
        tenant.viewer.ListMessages(pb.ListMessagesRequest(order=LEAVING, state=pb.MESSAGE_STATE_SENT, start_time=at(0)))
    )

    assert set(found.fields) == {"state", "start_time"}
