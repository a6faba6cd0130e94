"""Row 7: Postgres restarted hard, again and again: it recovers from its log each time."""

from .chaos import Feeder, kill_at_random
from .rig import addresses
from .scenario import Scenario, Trial


async def restart(trial: Trial) -> None:
    """All of its processes are killed, which is harder than an immediate shutdown."""
    async with trial.rig() as rig:
        boxes = [await rig.mailbox(address) for address in addresses(4)]
        campaign = await rig.campaign(boxes, 1_000, delay_s=0.05)
        await rig.sent(20)
        async with Feeder(rig, campaign, ahead=1_000):
            killed = await kill_at_random(trial, rig, ["postgres"], trial.scaled(20, 2), pause_s=2.0)
        drained = await rig.drained(within_s=180)
        found = await rig.reconcile()
    trial.measure(restarts=killed.total(), sent=found.states.get("SENT", 0))
    trial.must("everything has ended", drained)
    trial.safe(found)
    trial.must("0 unconfirmed", not found.unconfirmed)
    trial.must("sending goes on ≤ 5 s after each", trial.measured["resumed_s"] <= 5)


SCENARIOS = [
    Scenario(
        7, "Postgres restarted hard 20 times", "0 lost, 0 doubled, resumes ≤ 5 s", 3_000, 300, restart, takes_s=100
    ),
]
