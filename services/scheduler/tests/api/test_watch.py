"""Watching a campaign over gRPC."""

import asyncio

import grpc
from maillane.scheduler.v1 import campaign_service_pb2 as pb

from .making import make_campaign, start
from .scheduler_api import refused


def watch(client, campaign_id):
    return client.WatchCampaign(pb.WatchCampaignRequest(campaign_id=campaign_id))


async def test_a_watch_gives_the_campaign_at_once_and_each_change_until_it_has_ended(tenant):
    """Nothing more, and then it ends."""
    campaign = await make_campaign(tenant.editor, 2)
    stream = watch(tenant.viewer, campaign.id)
    seen = [(await stream.read()).campaign]
    await start(tenant.editor, campaign.id)
    seen.append((await stream.read()).campaign)
    await tenant.editor.CancelCampaign(pb.CancelCampaignRequest(campaign_id=campaign.id))
    while (answer := await stream.read()) is not grpc.aio.EOF:
        seen.append(answer.campaign)

    assert seen[0] == campaign
    assert seen[1].state == pb.CAMPAIGN_STATE_ACTIVE
    assert (seen[-1].state, seen[-1].counts.cancelled) == (pb.CAMPAIGN_STATE_CANCELLED, 2)


async def test_many_watchers_share_one_look(api, tenant):
    """One read each half second, however many there are; the last to go ends it."""
    campaign = await make_campaign(tenant.editor)
    streams = [watch(tenant.viewer, campaign.id) for _ in range(20)]
    answers = await asyncio.gather(*(stream.read() for stream in streams))
    looks = len(api.campaigns._watches._watches)
    for stream in streams:
        stream.cancel()
    while api.campaigns._watches._watches:
        await asyncio.sleep(0.01)

    assert all(answer.campaign == campaign for answer in answers)
    assert looks == 1


async def test_a_deleted_campaign_ends_its_watches(tenant):
    """As not found."""
    campaign = await make_campaign(tenant.editor)
    stream = watch(tenant.viewer, campaign.id)
    await stream.read()
    await tenant.editor.DeleteCampaign(pb.DeleteCampaignRequest(campaign_id=campaign.id))

    assert (await refused(stream.read())).code == grpc.StatusCode.NOT_FOUND


async def test_a_server_that_stops_ends_its_watches(api, tenant):
    """Clients come back to another one."""
    campaign = await make_campaign(tenant.editor)
    stream = watch(tenant.viewer, campaign.id)
    await stream.read()
    api.campaigns.end_watches()

    assert (await refused(stream.read())).code == grpc.StatusCode.UNAVAILABLE
