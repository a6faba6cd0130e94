"""Row 1: kill -9 at random, of services; of Valkey; of Postgres."""

import asyncio
from collections.abc import Sequence

from .chaos import Feeder, kill_at_random
from .rig import addresses
from .scenario import Scenario, Trial

SERVICES = ("ratelimit", "scheduler", "sender", "gateway")
# What one sender holds: five connections, each with one message in hand and two ahead.
HELD = 15
WINDOW_S = 20
GAP_S = 0.1


async def kill(trial: Trial, parts: Sequence[str], kills: int) -> None:
    """Kills fall all over a run that is paced, under a limit that binds now and then."""
    async with trial.rig(hour_s=WINDOW_S) as rig:
        boxes = [await rig.mailbox(address) for address in addresses(8)]
        # Two thirds of what its pace would allow.
        limited = await rig.mailbox("limited@sender.example", hourly_limit=round(WINDOW_S / GAP_S * 2 / 3))
        campaign = await rig.campaign([*boxes, limited], 3_000, delay_s=GAP_S)
        await rig.sent(10)
        async with Feeder(rig, campaign):
            killed = await kill_at_random(trial, rig, parts, trial.scaled(kills, 3), pause_s=1.0)
            async with asyncio.timeout(3600):
                while len(rig.sink.contents) < trial.size:
                    await asyncio.sleep(0.2)
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
    await kill(trial, ("valkey",), 30)


async def kill_postgres(trial: Trial) -> None:
    """The record."""
    await kill(trial, ("postgres",), 30)


MUST = "0 lost, 0 doubled, unconfirmed ≤ 15 × sender kills, limits held, sending again ≤ 5 s"
SCENARIOS = [
    Scenario(1, "200 kills of services", MUST, 50_000, 1200, kill_services),
    Scenario(1, "20 kills of schedulers", MUST, 3_000, 300, kill_schedulers),
    Scenario(1, "30 kills of Valkey", MUST, 5_000, 300, kill_valkey),
    Scenario(1, "30 kills of Postgres", MUST, 5_000, 300, kill_postgres),
]
