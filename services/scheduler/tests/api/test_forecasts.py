"""Forecasts, over the API: of plans, of drafts, of what goes on; limits are those of mailboxes with nothing used."""

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane_scheduler.dispatch.terms import Limits

from .making import make_campaign, make_mailbox, start
from .scheduler_api import refused

HOUR = timedelta(hours=1)


def at(hours):
    """The beginning of an hour of the day after tomorrow, and so many hours later."""
    day = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=2)
    made = Timestamp()
    made.FromDatetime(day + hours * HOUR)
    return made


async def test_a_plan_is_forecast_before_there_is_a_campaign(tenant):
    """100 recipients, 45 s apart, 40 an hour: 40 in each of two hours, 20 in the third, and the limit sets the pace."""
    mailbox = await make_mailbox(tenant.editor, hourly_limit=40)
    plan = pb.Campaign(mailbox_ids=[mailbox.id], start_time=at(0), delay=Duration(seconds=45))

    found = await tenant.viewer.ForecastCampaign(pb.ForecastCampaignRequest(campaign=plan, recipients=100))

    assert [hour.planned[0].count for hour in found.hours] == [40, 40, 20]
    assert (found.first_time, found.last_time.seconds) == (at(0), at(2).seconds + 19 * 45)
    assert (found.binding.reason, found.binding.limit) == (pb.PACE_REASON_HOURLY_LIMIT, 40)
    assert [hold.reason for hold in found.holds] == [
        pb.PACE_REASON_START,
        pb.PACE_REASON_HOURLY_LIMIT,
        pb.PACE_REASON_HOURLY_LIMIT,
    ]


async def test_hours_are_the_clocks_where_limits_roll(api, tenant, monkeypatch):
    """One is counted over 61 minutes then, from its first part on."""
    monkeypatch.setattr(api.outlooks._meter, "limits", Limits(3600, 86_400, 60, None))
    mailbox = await make_mailbox(tenant.editor, hourly_limit=40)
    plan = pb.Campaign(mailbox_ids=[mailbox.id], start_time=at(0), delay=Duration(seconds=45))

    found = await tenant.viewer.ForecastCampaign(pb.ForecastCampaignRequest(campaign=plan, recipients=100))

    assert [hour.start_time for hour in found.hours] == [at(number) for number in range(len(found.hours))]
    assert sum(hour.planned[0].count for hour in found.hours) == 100


async def test_one_more_mailbox_is_suggested_where_it_ends_earlier(tenant):
    """The one with the most to give."""
    mailbox = await make_mailbox(tenant.editor, hourly_limit=40)
    await make_mailbox(tenant.editor, hourly_limit=10)
    spare = await make_mailbox(tenant.editor, hourly_limit=60)
    plan = pb.Campaign(mailbox_ids=[mailbox.id], start_time=at(0))

    found = await tenant.viewer.ForecastCampaign(pb.ForecastCampaignRequest(campaign=plan, recipients=400))

    assert (found.suggestion.kind, found.suggestion.mailbox_id) == (pb.SUGGESTION_KIND_ADD_MAILBOX, spare.id)
    assert found.suggestion.last_time.seconds < found.last_time.seconds


async def test_other_campaigns_of_the_mailbox_count(tenant):
    """Beside a campaign that wants all of the limit, half of it is left."""
    mailbox = await make_mailbox(tenant.editor, hourly_limit=40)
    other = await make_campaign(
        tenant.editor, 400, mailbox_ids=[mailbox.id], start_time=at(0), delay=Duration(seconds=0)
    )
    plan = pb.Campaign(mailbox_ids=[mailbox.id], start_time=at(0), delay=Duration(seconds=0))
    asked = pb.ForecastCampaignRequest(campaign=plan, recipients=40)
    alone = await tenant.viewer.ForecastCampaign(asked)
    await start(tenant.editor, other.id)

    shared = await tenant.viewer.ForecastCampaign(asked)

    assert len(alone.hours) == 1
    assert shared.hours[1].planned[0].count == 20


async def test_a_draft_is_forecast_with_the_recipients_it_has(tenant):
    """In the mailboxes' shares, 5 s apart."""
    campaign = await make_campaign(tenant.editor, 7, start_time=at(0))

    found = await tenant.viewer.ForecastCampaign(pb.ForecastCampaignRequest(campaign_id=campaign.id))

    assert (found.recipients, found.shares[0].count) == (7, 7)
    assert found.last_time.seconds == at(0).seconds + 6 * 5


async def test_a_started_campaign_says_when_it_ends(tenant):
    """In all its mailboxes together, and in each."""
    campaign = await make_campaign(tenant.editor, 7, start_time=at(0))
    await start(tenant.editor, campaign.id)

    found = (await tenant.viewer.GetCampaign(pb.GetCampaignRequest(campaign_id=campaign.id))).campaign
    [listed] = (await tenant.viewer.ListCampaigns(pb.ListCampaignsRequest())).campaigns

    assert found.expected_end_time.seconds == at(0).seconds + 6 * 5
    assert listed.expected_end_time == found.expected_end_time
    assert [(share.total, share.waiting, share.next_time) for share in found.shares] == [(7, 7, at(0))]


async def test_a_slower_pace_is_forecast_before_it_is_saved(tenant):
    """The plan of a call goes before the campaign's; its mailboxes are fixed by now."""
    campaign = await make_campaign(tenant.editor, 7, start_time=at(0))
    await start(tenant.editor, campaign.id)
    plan = pb.Campaign(start_time=at(1), delay=Duration(seconds=60))

    found = await tenant.viewer.ForecastCampaign(pb.ForecastCampaignRequest(campaign_id=campaign.id, campaign=plan))

    assert (found.first_time.seconds, found.last_time.seconds) == (at(1).seconds, at(1).seconds + 6 * 60)


async def test_the_end_is_not_known_where_a_mailbox_is_paused(tenant):
    """And the forecast says why."""
    mailbox = await make_mailbox(tenant.editor)
    await tenant.editor.PauseMailbox(mailbox_pb.PauseMailboxRequest(mailbox_id=mailbox.id))
    plan = pb.Campaign(mailbox_ids=[mailbox.id])

    found = await tenant.viewer.ForecastCampaign(pb.ForecastCampaignRequest(campaign=plan, recipients=3))

    assert not found.HasField("last_time")
    assert found.binding.reason == pb.PACE_REASON_PAUSED


async def test_the_end_is_not_known_where_nothing_is_known_of_a_mailbox(api, tenant):
    """A workspace may have more of them than are looked at."""
    campaign = await make_campaign(tenant.editor, 3)
    await start(tenant.editor, campaign.id)
    await api.sql("UPDATE mailboxes SET delete_time = now() WHERE id = :id", id=int(campaign.mailbox_ids[0]))

    found = await tenant.viewer.ForecastCampaign(pb.ForecastCampaignRequest(campaign_id=campaign.id))

    assert (found.recipients, found.HasField("last_time")) == (3, False)


async def test_what_has_ended_has_no_forecast(tenant):
    """CAMPAIGN_ENDED."""
    campaign = await make_campaign(tenant.editor, 1)
    await tenant.editor.CancelCampaign(pb.CancelCampaignRequest(campaign_id=campaign.id))

    found = await refused(tenant.viewer.ForecastCampaign(pb.ForecastCampaignRequest(campaign_id=campaign.id)))

    assert found.reason == "CAMPAIGN_ENDED"


async def test_campaigns_are_found_by_name_and_subject(tenant):
    """Whatever the case of letters; signs of patterns are just signs."""
    await make_campaign(tenant.editor, name="Autumn 100% offer")
    spring = await make_campaign(tenant.editor, name="Spring")

    async def named(query):
        return [c.name for c in (await tenant.viewer.ListCampaigns(pb.ListCampaignsRequest(query=query))).campaigns]

    assert await named("AUTUMN") == ["Autumn 100% offer"]
    assert await named("0% o") == ["Autumn 100% offer"]
    assert await named("A%n") == await named("S_ring") == []
    assert await named("hi {{NAME") == [spring.name, "Autumn 100% offer"]
