"""Row 5: a Valkey Cluster whose primaries are killed, one after another, under a limit."""

import asyncio
import itertools
import time
from pathlib import Path
from typing import Final

from support.valkey_cluster import ValkeyCluster

from .rig import Rig
from .scenario import Scenario, Trial

WINDOW_S: Final = 15
LIMIT: Final = 100
DEPLOYMENT_LIMIT: Final = 1_000_000
"""Never reached: it makes every reservation need a second slot."""

PACE_S: Final = 0.05
FAILED_OVER_S: Final = 30.0
LOOK_S: Final = 0.05


async def fail_over(trial: Trial) -> None:
    """One campaign that its mailbox's limit holds up, and one that is paced, to see how long nothing is sent.

    The queue, the counters of the tenant and those of the deployment lie with three primaries, whose turns come alike.
    """
    cluster = ValkeyCluster(Path(trial.folder) / "cluster")
    await cluster.start()
    try:
        async with trial.rig(hour_s=WINDOW_S, max_per_hour=DEPLOYMENT_LIMIT, redis_url=cluster.url) as rig:
            await _send_and_kill(trial, rig, cluster)
            # One more window in full.
            await asyncio.sleep(trial.scaled(WINDOW_S, 3))
            await rig.quiet()
            found = await rig.reconcile(may_wait=True)
    finally:
        await cluster.stop()
    trial.measure(sent=found.states.get("SENT", 0))
    trial.safe(found)
    trial.must("0 unconfirmed", not found.unconfirmed)
    trial.must("pause ≤ 10 s each", trial.measured["pause_s"] <= 10)


async def _send_and_kill(trial: Trial, rig: Rig, cluster: ValkeyCluster) -> None:
    limited = await rig.mailbox("limited@sender.example", hourly_limit=LIMIT)
    paced = await rig.mailbox("paced@sender.example")
    await rig.campaign([limited], trial.size)
    await rig.campaign([paced], trial.size, delay_s=PACE_S)
    await rig.sent(LIMIT // 2)
    [(tenant,)] = await rig.oracle.ask("SELECT workspace_id FROM campaigns LIMIT 1")
    held = ["q:{0}:sentinel", f"ratelimit:{{{tenant}}}:epoch", "ratelimit:{_deployment}:epoch"]
    owners = {await cluster.primary_of(key) for key in held}
    trial.measure(primaries_in_use=len(owners))
    kills = trial.scaled(10, 2)
    for key in itertools.islice(itertools.cycle(trial.random.sample(held, len(held))), kills):
        await asyncio.sleep(trial.random.uniform(0, 2))
        await _kill(trial, rig, cluster, await cluster.primary_of(key))
    trial.measure(kills=kills)


async def _kill(trial: Trial, rig: Rig, cluster: ValkeyCluster, port: int) -> None:
    """Kills a primary, and once its replica has taken over lets it come back as the replica of that."""
    begun = time.time()
    await cluster.kill(port)
    await cluster.taken_over(port)
    trial.most(taken_over_s=time.time() - begun)
    await cluster.restart(port)
    await rig.sink.next_content(FAILED_OVER_S)
    times = sorted(content.read_s for content in list(rig.sink.contents) if content.read_s > begun)
    trial.most(pause_s=max((later - one for one, later in itertools.pairwise([begun, *times])), default=float("inf")))


SCENARIOS = [
    Scenario(
        5,
        "3 + 3 Valkey Cluster, 10 primaries killed",
        "0 lost, 0 doubled, pause ≤ 10 s each, limit held",
        4_000,
        400,
        fail_over,
        takes_s=120,
    )
]
