"""The workspace as a whole: counts, decisions, use by the hour."""

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1 import overview_service_pb2 as pb
from maillane_scheduler.api import overview_service

from .making import make_mailbox
from .scheduler_api import refused
from .test_forecasts import at
from .test_message_lists import listed, started


async def overview(client):
    return (await client.GetOverview(pb.GetOverviewRequest())).overview


async def attention(client):
    return await client.GetAttention(pb.GetAttentionRequest())


async def become(api, campaign_id, states):
    """Messages of a campaign are settled so, an hour ago: by (name, state, code, reply)."""
    for name, state, code, reply in states:
        await api.sql(
            "WITH m AS (UPDATE messages SET state = :state WHERE campaign_id = :campaign AND email LIKE :name "
            "  RETURNING id, campaign_id, mailbox_id) "
            "INSERT INTO attempts "
            "(message_id, campaign_id, claim_time, settle_time, mailbox_id, number, state, code, reply) "
            "SELECT id, campaign_id, now(), now() - interval '1 hour', mailbox_id, 1, :state, :code, :reply FROM m",
            campaign=int(campaign_id),
            name=name + "@%",
            state=state,
            code=code,
            reply=reply,
        )
    column = {3: "sent", 4: "failed", 5: "unconfirmed"}
    for _, state, _, _ in states:
        await api.sql(
            f"UPDATE campaign_counts SET pending = pending - 1, {column[state]} = {column[state]} + 1 "
            "WHERE campaign_id = :campaign "
            "AND slot = (SELECT min(slot) FROM campaign_counts WHERE campaign_id = :campaign)",
            campaign=int(campaign_id),
        )


async def test_an_overview_counts_what_waits_was_sent_and_needs_a_person(api, tenant):
    """Of active campaigns, and of mailboxes that have mail to send."""
    idle = await make_mailbox(tenant.editor)
    campaign = await started(tenant, [f"{name}@x.example" for name in "abcd"], start_time=at(0))
    await become(api, campaign.id, [("a", 3, 250, "ok"), ("b", 5, 0, "lost")])

    found = await overview(tenant.viewer)

    assert (found.scheduled, found.sent, found.attention, found.active_campaigns) == (2, 1, 1, 1)
    assert [hour.mailbox_id for hour in found.this_hour] == list(campaign.mailbox_ids)
    assert idle.id not in campaign.mailbox_ids


async def test_a_watch_tells_of_a_change(api, tenant):
    """The first at once, the next once something has changed."""
    stream = tenant.viewer.WatchOverview(pb.WatchOverviewRequest())
    first = await stream.read()
    await started(tenant, ["a@x.example"], start_time=at(0))
    async with asyncio.timeout(10):
        while (latest := await stream.read()).overview.scheduled != 1:
            pass
    stream.cancel()

    assert (first.overview.scheduled, latest.overview.active_campaigns) == (0, 1)


async def test_many_watchers_of_a_workspace_share_one_look(api, tenant):
    """However many pages are open; a server that stops ends all of their streams."""
    streams = [tenant.viewer.WatchOverview(pb.WatchOverviewRequest()) for _ in range(10)]
    answers = [await stream.read() for stream in streams]
    looks = len(api.overviews._watches._watches)
    api.overviews.end_watches()

    assert looks == 1
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert {(await refused(stream.read())).code for stream in streams} == {grpc.StatusCode.UNAVAILABLE}


async def test_failures_of_a_cancelled_campaign_are_no_decision(api, tenant, monkeypatch):
    """Some time after it was cancelled: as many have failed as before."""
    monkeypatch.setattr(overview_service, "FAILURES_US", 1)
    campaign = await started(tenant, ["a@x.example", "b@x.example"], start_time=at(0))
    await become(api, campaign.id, [("a", 4, 552, "552 5.2.2 a is full")])
    before = (await attention(tenant.viewer)).decisions
    await tenant.editor.CancelCampaign(campaign_pb.CancelCampaignRequest(campaign_id=campaign.id))

    assert (before, (await attention(tenant.viewer)).decisions) == (1, 0)


async def test_attention_lists_decisions(api, tenant):
    """Each unconfirmed message, each kind of failure that is worth a retry, each mailbox and campaign that stopped."""
    one = await started(tenant, [f"{name}@x.example" for name in "abcdefg"], start_time=at(0))
    two = await started(tenant, ["h@x.example"], start_time=at(0))
    await become(
        api,
        one.id,
        [
            ("a", 5, 0, "lost"),
            ("b", 5, 0, "lost"),
            ("c", 4, 552, "552 5.2.2 c is full"),
            ("d", 4, 552, "552 5.2.2 d is full"),
            ("e", 4, 550, "550 5.1.1 no such user"),
        ],
    )
    await api.sql("UPDATE mailboxes SET stop_reason = 2, stop_time = now(), stop_detail = '535 no' WHERE id = :id",
                  id=int(one.mailbox_ids[0]))  # fmt: skip
    await api.sql(
        "UPDATE campaigns SET state = 3, state_reason = 'too many are refused' WHERE id = :id", id=int(two.id)
    )

    found = await attention(tenant.viewer)

    ids = {m.recipient[0]: m.id for m in await listed(tenant.viewer, 100)}
    [unconfirmed], [mailbox], [paused] = found.unconfirmed, found.mailboxes, found.campaigns
    assert (unconfirmed.count, list(unconfirmed.message_ids)) == (2, [ids["a"], ids["b"]])
    assert (mailbox.stop.reason, mailbox.stop.detail) == (mailbox_pb.STOP_REASON_PASSWORD_REFUSED, "535 no")
    assert (paused.campaign_id, paused.reason, paused.waiting) == (two.id, "too many are refused", 1)
    assert {(group.kind, group.count, group.worth_retry) for group in found.failures} == {
        (pb.FAILURE_KIND_MAILBOX_FULL, 2, True),
        (pb.FAILURE_KIND_NO_SUCH_ADDRESS, 1, False),
    }
    assert found.decisions == 2 + 1 + 1 + 1
    assert (await overview(tenant.viewer)).attention == found.decisions


async def test_what_a_person_paused_is_no_decision(tenant):
    """They know of it."""
    campaign = await started(tenant, ["a@x.example"], start_time=at(0))
    await tenant.editor.PauseCampaign(campaign_pb.PauseCampaignRequest(campaign_id=campaign.id))

    assert (await attention(tenant.viewer)).decisions == 0


async def test_use_is_told_by_the_hour(api, tenant):
    """What was sent and failed an hour ago, and what will leave."""
    campaign = await started(tenant, [f"{name}@x.example" for name in "abcd"], start_time=at(0))
    await become(api, campaign.id, [("a", 3, 250, "ok"), ("b", 4, 550, "no")])
    begin, end = Timestamp(), Timestamp()
    begin.FromDatetime(datetime.now(UTC) - timedelta(hours=3))
    end.FromDatetime(at(1).ToDatetime(tzinfo=UTC))

    found = await tenant.viewer.GetUsage(pb.GetUsageRequest(start_time=begin, end_time=end, campaign_id=campaign.id))

    past, planned = found.hours
    assert (past.sent, past.failed, past.planned) == (1, 1, 0)
    assert (planned.start_time, planned.planned) == (at(0), 4)
    assert [usage.mailbox_id for usage in found.mailboxes] == list(campaign.mailbox_ids)


async def test_use_that_is_planned_begins_where_it_is_asked_from(tenant):
    """What leaves in the hours before is not told."""
    campaign = await started(tenant, ["a@x.example", "b@x.example"], start_time=at(0), delay=Duration(seconds=7200))
    request = pb.GetUsageRequest(campaign_id=campaign.id, start_time=at(1), end_time=at(5))

    found = await tenant.viewer.GetUsage(request)

    assert [(hour.start_time, hour.planned) for hour in found.hours] == [(at(2), 1)]


async def test_use_of_more_than_31_days_is_refused(tenant):
    """Nobody looks at so many hours."""
    begin, end = Timestamp(seconds=1_700_000_000), Timestamp(seconds=1_800_000_000)

    found = await refused(tenant.viewer.GetUsage(pb.GetUsageRequest(start_time=begin, end_time=end)))

    assert set(found.fields) == {"end_time"}
