"""Row 14: dead addresses, and a server that takes a fifth of the content for spam."""

import asyncio

from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb

from .misbehaviour import Act, Rule, Stage
from .rig import Rig, addresses
from .scenario import Scenario, Trial

DEAD = Rule(Stage.RCPT, Act("550 5.1.1 The email account that you tried to reach does not exist"), share=0.05)
POLICY = Rule(Stage.DOT, Act("550 5.7.1 This message is likely unsolicited mail"), share=0.2)
PAUSED_S = 60


async def refuse(trial: Trial) -> None:
    """The dead are not written to again; a campaign that is refused again and again waits for a person."""
    async with trial.rig() as rig:
        boxes = [await rig.mailbox(address) for address in addresses(2)]
        rig.sink.misbehaviour.add(DEAD)
        await rig.campaign(boxes, trial.size)
        drained = await rig.drained(within_s=120)
        dead = rig.sink.answered(Stage.RCPT)[550]
        suppressed = (await rig.oracle.ask("SELECT count(*) FROM suppressions WHERE reason = 2"))[0][0]
        rig.sink.misbehaviour.add(POLICY)
        campaign = await rig.campaign(boxes, trial.size)
        state = await _paused(rig, campaign)
        rejected = rig.sink.answered(Stage.DOT)[550]
        rig.sink.misbehaviour.clear()
        if state.state == campaign_pb.CAMPAIGN_STATE_PAUSED:
            await rig.client.campaigns.ResumeCampaign(campaign_pb.ResumeCampaignRequest(campaign_id=campaign))
        drained &= await rig.drained(within_s=120)
        found = await rig.reconcile()
    trial.measure(dead=dead, suppressed=suppressed, rejected_before_pause=rejected, reason=state.state_reason)
    trial.must("everything has ended", drained)
    trial.safe(found)
    trial.must("0 unconfirmed", not found.unconfirmed)
    trial.must(f"each dead address is suppressed: {dead}, {suppressed}", dead == suppressed > 0)
    trial.must("the campaign pauses", state.state == campaign_pb.CAMPAIGN_STATE_PAUSED)
    trial.must("and says why", bool(state.state_reason))
    trial.must(f"before it is all gone: {rejected} rejected", rejected < trial.size * 0.15)


async def _paused(rig: Rig, campaign: str) -> campaign_pb.Campaign:
    for _ in range(PAUSED_S * 5):
        found = await rig.get(campaign)
        if found.state != campaign_pb.CAMPAIGN_STATE_ACTIVE:
            break
        await asyncio.sleep(0.2)
    return found


SCENARIOS = [
    Scenario(
        14,
        "5 % dead, 20 % policy rejections",
        "failed and suppressed; campaign paused, with its reason",
        5_000,
        300,
        refuse,
        takes_s=70,
        patient=True,
    )
]
