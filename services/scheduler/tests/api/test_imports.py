"""Imports over gRPC: what is kept, what comes back, and that a repeat changes nothing."""

import asyncio
import json

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane.scheduler.v1 import message_service_pb2 as message_pb
from redis.exceptions import ConnectionError as RedisAwayError

from .making import campaign_of, make_campaign, make_mailbox, start
from .scheduler_api import chunks, refused


async def counts(client, campaign_id):
    return (await client.GetCampaign(pb.GetCampaignRequest(campaign_id=campaign_id))).campaign.counts


async def kept(api, campaign_id):
    """(line, email) of each message, in order of ids."""
    rows = await api.sql("SELECT line, email FROM messages WHERE campaign_id = :id ORDER BY id", id=int(campaign_id))
    return [tuple(row) for row in rows]


async def test_recipients_are_kept_in_their_order_over_chunks(api, tenant):
    """With their lines, counted through the stream where they have none, and their variables as they came."""
    campaign = await make_campaign(tenant.editor)
    odd = {"name": 'Ødé "x" \\ \n\t\u2028 {{y}}', "empty": "", "_2": "'"}
    parts = ["a@example.com", ("b@example.com", odd)], [pb.Recipient(email="c@EXAMPLE.com", line=77)], ["d@example.com"]
    answer = await tenant.editor.ImportRecipients(chunks(campaign.id, *parts))
    ((variables,),) = await api.sql(
        "SELECT variables FROM messages WHERE campaign_id = :id AND line = 2", id=int(campaign.id)
    )

    assert answer == pb.ImportRecipientsResponse(accepted=4)
    assert await kept(api, campaign.id) == [
        (1, "a@example.com"),
        (2, "b@example.com"),
        (77, "c@example.com"),
        (4, "d@example.com"),
    ]
    assert json.loads(variables) == {"name": odd["name"], "_2": "'"}


async def test_sending_a_file_again_changes_nothing(api, tenant):
    """Duplicates are counted and kept once, within a chunk, over chunks, and over imports."""
    campaign = await make_campaign(tenant.editor)
    parts = ["a@example.com", "b@example.com", "a@EXAMPLE.com"], ["b@example.com", "c@example.com"]
    first = await tenant.editor.ImportRecipients(chunks(campaign.id, *parts))
    before = await kept(api, campaign.id)
    again = await tenant.editor.ImportRecipients(chunks(campaign.id, *parts))

    assert (first.accepted, first.duplicates) == (3, 2)
    assert (again.accepted, again.duplicates) == (0, 5)
    assert await kept(api, campaign.id) == before
    assert (await counts(tenant.viewer, campaign.id)).total == 3


async def test_two_addresses_that_differ_only_in_case_are_one_recipient(api, tenant):
    """Kept as it came first; also beyond ASCII, and where Postgres and Python disagree about what lower case is."""
    campaign = await make_campaign(tenant.editor)
    first = await tenant.editor.ImportRecipients(
        chunks(campaign.id, ["Ada@example.com", "ADA@example.com", "É@x.example"], ["ada@example.com", "é@x.example"])
    )
    odd = ["ΑΣ@x.example", "ας@x.example", "ασ@x.example", "İ@x.example", "i̇@x.example", "i@x.example"]
    second = await tenant.editor.ImportRecipients(chunks(campaign.id, odd, odd))
    stored = await api.sql("SELECT email FROM messages WHERE campaign_id = :id ORDER BY id", id=int(campaign.id))
    found = await tenant.viewer.ListMessages(
        message_pb.ListMessagesRequest(campaign_id=campaign.id, recipient="aDA@example.com")
    )

    assert (first.accepted, first.duplicates) == (2, 3)
    assert second.accepted + second.duplicates == 2 * len(odd)
    assert stored[:2] == [("Ada@example.com",), ("É@x.example",)]
    assert [message.recipient for message in found.messages] == ["Ada@example.com"]


async def test_repeats_leave_no_gaps_in_lanes(api, tenant):
    """Ordinals are given to what is accepted, in order."""
    boxes = [(await make_mailbox(tenant.editor)).id for _ in range(2)]
    campaign = await make_campaign(tenant.editor, mailbox_ids=boxes)
    for emails in (["a", "b", "c"], ["c", "d", "a", "e"], ["f", "a"]):
        part = [f"{name}@example.com" for name in emails]
        await tenant.editor.ImportRecipients(chunks(campaign.id, part))
    rows = await api.sql(
        "SELECT mailbox_id::text, ordinal FROM messages WHERE campaign_id = :id ORDER BY id", id=int(campaign.id)
    )

    assert [tuple(row) for row in rows] == [(boxes[n % 2], n // 2) for n in range(6)]


BAD = [
    ("", {}, "", "has no address"),
    ("a@b.example,c@d.example", {}, "a@b.example,c@d.example", "is not one address"),
    ("a\nb@example.com", {}, "a\nb@example.com", "is not one address"),
    ("x" * 300 + "@example.com", {}, "x" * 100, "is not one address"),
    ("v1@example.com", {"first name": "x"}, "first name", "a variable's name"),
    ("v2@example.com", {"1st": "x"}, "1st", "a variable's name"),
    ("v3@example.com", {"": "x"}, "", "a variable's name"),
    ("v4@example.com", {"a": "x\0y"}, "a", "NUL"),
    ("v5@example.com", {"a": "x" * 4097}, "a", "4,096 characters"),
    ("v6@example.com", {f"v{n}": "x" for n in range(101)}, "", "100 variables"),
    ("v7@example.com", {f"v{n}": "x" * 4096 for n in range(5)}, "", "16 KiB"),
    ("v8@example.com", {f"v{n}": "\u0416" * 100 for n in range(90)}, "", "16 KiB"),
]


async def test_each_bad_row_comes_back_with_its_line_and_reason(tenant):
    """And the good ones between them are kept."""
    campaign = await make_campaign(tenant.editor)
    rows = [row for email, variables, *_ in BAD for row in ((email, variables), f"good{len(email)}@example.com")]
    answer = await tenant.editor.ImportRecipients(chunks(campaign.id, rows))

    assert [(row.line, row.value) for row in answer.rejected] == [
        (2 * n + 1, value) for n, (_, _, value, _) in enumerate(BAD)
    ]
    assert all(reason in row.reason for row, (*_, reason) in zip(answer.rejected, BAD, strict=True))
    assert answer.rejected_count == len(BAD)
    assert answer.accepted + answer.duplicates == len(BAD)


async def test_the_first_thousand_bad_rows_are_named_and_all_are_counted(tenant):
    """An answer is bounded."""
    campaign = await make_campaign(tenant.editor)
    answer = await tenant.editor.ImportRecipients(chunks(campaign.id, ["x"] * 700, ["x"] * 700))

    assert (len(answer.rejected), answer.rejected_count) == (1000, 1400)
    assert [row.line for row in answer.rejected] == list(range(1, 1001))


async def test_a_started_campaign_takes_recipients_into_its_queue(api, tenant):
    """In the order of the import, at their places in the plan."""
    campaign = await make_campaign(tenant.editor, 2)
    await start(tenant.editor, campaign.id)
    # What is imported while a lane is loaded waits for that, with its mark.
    await api.sync.close()
    await tenant.editor.ImportRecipients(chunks(campaign.id, ["x@example.com"], ["y@example.com", "r0@example.com"]))
    await api.sync.close()
    marks = await api.sql("SELECT count(*) FROM marks WHERE campaign_id = :id", id=int(campaign.id))

    assert (await counts(tenant.viewer, campaign.id)).pending == 4
    assert await api.queue.lane_size(int(campaign.mailbox_ids[0]), int(campaign.id)) == 4
    assert marks == [(0,)]


async def test_a_queue_that_is_away_does_not_stop_an_import(api, tenant, monkeypatch):
    """What is durable is marked: the sweep tells the queue of it."""
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    await api.sync.close()

    async def away(*args, **kwargs):
        raise RedisAwayError

    monkeypatch.setattr(api.queue, "enqueue", away)
    answer = await tenant.editor.ImportRecipients(chunks(campaign.id, ["x@example.com"], ["y@example.com"]))
    marks = await api.sql("SELECT count(*) FROM marks WHERE campaign_id = :id", id=int(campaign.id))

    assert answer.accepted == 2
    assert marks == [(2,)]


async def test_a_started_campaign_rejects_rows_that_lack_what_its_template_needs(tenant):
    """One by one, named with what they lack."""
    template = pb.Template(subject="{{first}} {{last|x}}", text="{{city}}")
    campaign = await make_campaign(tenant.editor, template=template)
    whole = {"first": "A", "city": "B"}
    await tenant.editor.ImportRecipients(chunks(campaign.id, [("a@example.com", whole)]))
    await start(tenant.editor, campaign.id)
    rows = [("b@example.com", {"last": "x"}), ("c@example.com", whole), ("d@example.com", {"first": "", "city": "x"})]
    answer = await tenant.editor.ImportRecipients(chunks(campaign.id, rows))

    assert (answer.accepted, answer.rejected_count) == (1, 2)
    assert [(row.line, row.value) for row in answer.rejected] == [(1, "city, first"), (3, "first")]


async def test_an_import_holds_its_campaign_open_and_lets_go_at_its_end(api, tenant):
    """A campaign may be started while its recipients come."""
    campaign = await make_campaign(tenant.editor)
    more = asyncio.Event()

    async def stream():
        yield pb.ImportRecipientsRequest(campaign_id=campaign.id)
        await more.wait()
        yield pb.ImportRecipientsRequest(recipients=[pb.Recipient(email="a@example.com")])

    importing = asyncio.ensure_future(tenant.editor.ImportRecipients(stream()))
    while not (opened := await open_imports(api, campaign.id)):
        await asyncio.sleep(0.01)
    started = await start(tenant.editor, campaign.id)
    more.set()
    answer = await importing

    assert opened == 1
    assert started.state == pb.CAMPAIGN_STATE_ACTIVE
    assert answer.accepted == 1
    assert await open_imports(api, campaign.id) == 0


async def open_imports(api, campaign_id):
    ((number,),) = await api.sql("SELECT count(*) FROM imports WHERE campaign_id = :id", id=int(campaign_id))
    return number


async def test_a_caller_that_goes_away_leaves_what_was_accepted_and_no_open_import(api, tenant):
    """Its last chunk is finished, not torn."""
    campaign = await make_campaign(tenant.editor)

    async def stream():
        yield pb.ImportRecipientsRequest(
            campaign_id=campaign.id, recipients=[pb.Recipient(email=f"a{n}@example.com") for n in range(100)]
        )
        await asyncio.Event().wait()

    call = tenant.editor.ImportRecipients(stream())
    while not (await counts(tenant.viewer, campaign.id)).total:
        await asyncio.sleep(0.01)
    call.cancel()
    while await open_imports(api, campaign.id):
        await asyncio.sleep(0.01)

    assert (await counts(tenant.viewer, campaign.id)).total == 100


async def test_two_imports_at_once_keep_each_address_once(api, tenant):
    """They take turns at the campaign's row."""
    campaign = await make_campaign(tenant.editor)
    emails = [f"a{n}@example.com" for n in range(300)]
    parts = [emails[at : at + 50] for at in range(0, 300, 50)]
    one, two = await asyncio.gather(
        tenant.editor.ImportRecipients(chunks(campaign.id, *parts)),
        tenant.editor.ImportRecipients(chunks(campaign.id, *parts[::-1])),
    )
    ordinals = await api.sql("SELECT ordinal FROM messages WHERE campaign_id = :id ORDER BY id", id=int(campaign.id))

    assert one.accepted + two.accepted == 300
    assert one.duplicates + two.duplicates == 300
    assert [row.ordinal for row in ordinals] == list(range(300))


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ({"campaign_id": ""}, {}, "campaign_id"),
        ({"campaign_id": "x"}, {}, "campaign_id"),
        ({}, {"campaign_id": "12345"}, "campaign_id"),
        ({"recipients": [pb.Recipient(email="a@example.com")] * 10_001}, {}, "recipients"),
    ],
)
async def test_a_bad_chunk_ends_the_import(tenant, first, second, field):
    """As the field it is."""
    campaign = await make_campaign(tenant.editor)

    async def stream():
        yield pb.ImportRecipientsRequest(**{"campaign_id": campaign.id, **first})
        yield pb.ImportRecipientsRequest(**second)

    refusal = await refused(tenant.editor.ImportRecipients(stream()))
    assert (refusal.code, set(refusal.fields)) == (grpc.StatusCode.INVALID_ARGUMENT, {field})


async def test_an_import_without_a_chunk_names_no_campaign(tenant):
    """An empty stream is no import."""

    async def stream():
        return
        yield

    assert set((await refused(tenant.editor.ImportRecipients(stream()))).fields) == {"campaign_id"}


async def test_an_ended_campaign_and_one_without_mailboxes_take_no_recipients(tenant):
    """Each says which."""
    without = await tenant.editor.CreateCampaign(pb.CreateCampaignRequest(campaign=campaign_of()))
    ended = await make_campaign(tenant.editor)
    await tenant.editor.CancelCampaign(pb.CancelCampaignRequest(campaign_id=ended.id))
    first = await refused(tenant.editor.ImportRecipients(chunks(without.campaign.id, ["a@example.com"])))
    second = await refused(tenant.editor.ImportRecipients(chunks(ended.id, ["a@example.com"])))

    assert (first.code, first.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAMPAIGN_INCOMPLETE")
    assert (second.code, second.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAMPAIGN_ENDED")


async def test_recipients_that_came_before_a_change_of_mailboxes_count_their_variables_still(tenant):
    """What a start looks at follows the recipients, not the lanes."""
    campaign = await make_campaign(tenant.editor, template=pb.Template(subject="{{x}}", text="y"))
    await tenant.editor.ImportRecipients(chunks(campaign.id, [("a@example.com", {"x": "1"})]))
    changed = pb.Campaign(mailbox_ids=[(await make_mailbox(tenant.editor)).id])
    mask = FieldMask(paths=["mailbox_ids"])
    await tenant.editor.UpdateCampaign(
        pb.UpdateCampaignRequest(campaign_id=campaign.id, campaign=changed, update_mask=mask)
    )

    assert (await start(tenant.editor, campaign.id)).state == pb.CAMPAIGN_STATE_ACTIVE
