"""Row 1: kill -9 at random, of services; of Valkey; of Postgres."""

from collections.abc import Sequence

from .chaos import FED_AHEAD, Feeder, kill_at_random
from .rig import addresses
from .scenario import Scenario, Trial

SERVICES = ("ratelimit", "scheduler", "sender", "gateway")
# What one sender holds: five connections, each with one message in hand and two ahead.
HELD = 15
WINDOW_S = 20
GAP_S = 0.1
# 240 mails a second while everything is up.
BOXES = 24
# Two thirds of what the pace of its mailbox would allow.
LIMIT = round(WINDOW_S / GAP_S * 2 / 3)


async def kill(trial: Trial, parts: Sequence[str], kills: int) -> None:
    """Kills fall all over a run that is paced, beside a campaign that a limit holds up all the time."""
    kills = trial.scaled(kills, 3)
    async with trial.rig(hour_s=WINDOW_S) as rig:
        limited = await rig.mailbox("limited@sender.example", hourly_limit=LIMIT)
        await rig.campaign([limited], trial.size // 25, delay_s=GAP_S)
        boxes = [await rig.mailbox(address) for address in addresses(BOXES)]
        campaign = await rig.campaign(boxes, FED_AHEAD, delay_s=GAP_S)
        await rig.sent(10)
        async with Feeder(rig, campaign):
            killed = await kill_at_random(trial, rig, parts, kills, every=trial.size // kills)
            await rig.taken(trial.size)
        drained = await rig.drained(within_s=240)
        found = await rig.reconcile()
    trial.measure(kills=killed.total(), sent=found.states.get("SENT", 0))
    trial.must("everything has ended", drained)
    trial.safe(found)
    unconfirmed = len(found.unconfirmed)
    trial.must(f"unconfirmed ≤ {HELD} × sender kills", unconfirmed <= HELD * killed["sender"])
    trial.must(
        f"each killed sender left no more than it held: {found.by_incarnation}",
        all(count <= HELD for count in found.by_incarnation.values()),
    )
    trial.must("sending goes on ≤ 5 s after each restart", trial.measured["resumed_s"] <= 5)


async def kill_services(trial: Trial) -> None:
    """Our own four."""
    await kill(trial, SERVICES, 200)


async def kill_schedulers(trial: Trial) -> None:
    """Only schedulers: then nothing at all is unconfirmed."""
    await kill(trial, ("scheduler",), 20)


async def kill_valkey(trial: Trial) -> None:
    """The queue's and the counters' store."""
    await kill(trial, ("valkey",), 200)


async def kill_postgres(trial: Trial) -> None:
    """The record."""
    await kill(trial, ("postgres",), 200)


MUST = "0 lost, 0 doubled, unconfirmed ≤ 15 × sender kills, limits held, sending again ≤ 5 s"
SCENARIOS = [
    Scenario(1, "200 kills of services", MUST, 50_000, 1500, kill_services, takes_s=650),
    Scenario(1, "20 kills of schedulers", MUST, 5_000, 300, kill_schedulers, takes_s=80),
    Scenario(1, "200 kills of Valkey", MUST, 50_000, 1500, kill_valkey, takes_s=750),
    Scenario(1, "200 kills of Postgres", MUST, 50_000, 1500, kill_postgres, takes_s=750),
]
