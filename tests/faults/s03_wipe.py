"""Row 3: FLUSHALL in the middle of a run, under a limit, with much behind it."""

import asyncio
import time

from redis.asyncio import Redis

from .rig import LOOK_S, Rig
from .scenario import Scenario, Trial

WINDOW_S = 15
LIMIT = 200
REBUILD_S = 120
QUEUED = "q:{0}:g*:l:*"


async def wipe(trial: Trial) -> None:
    """One campaign that its mailbox's limit holds up, and one that is paced, to see that sending goes on."""
    wipes = trial.scaled(5, 2)
    async with trial.rig(hour_s=WINDOW_S) as rig:
        limited = await rig.mailbox("limited@sender.example", hourly_limit=LIMIT)
        paced = await rig.mailbox("paced@sender.example")
        await rig.campaign([limited], trial.size)
        await rig.campaign([paced], trial.size // 5, delay_s=0.05)
        await rig.sent(LIMIT // 2)
        async with Redis.from_url(rig.system.redis_url) as redis:
            for _ in range(wipes):
                await asyncio.sleep(trial.random.uniform(1, WINDOW_S))
                await redis.flushall()
                begun = time.monotonic()
                trial.most(resumed_s=await rig.sink.next_content(30))
                trial.most(rebuilt_s=await _rebuilt(rig, redis) - begun)
        # One more window in full.
        await asyncio.sleep(WINDOW_S + 2)
        await rig.quiet()
        found = await rig.reconcile(may_wait=True)
    trial.measure(wipes=wipes, sent=found.states.get("SENT", 0))
    trial.safe(found)
    trial.must("0 unconfirmed", not found.unconfirmed)
    trial.must("sending again ≤ 5 s", trial.measured["resumed_s"] <= 5)
    trial.must("pending rebuilt ≤ 10 s", trial.measured["rebuilt_s"] <= 10)


async def _rebuilt(rig: Rig, redis: Redis) -> float:
    """When the newest generation of the queue holds all that is pending, less what leaves meanwhile."""
    until = time.monotonic() + REBUILD_S
    while time.monotonic() < until:
        marks = await rig.oracle.ask("SELECT count(*) FROM marks")
        if marks == [(0,)] and await _queued(redis) >= 0.98 * await _pending(rig):
            return time.monotonic()
        await asyncio.sleep(LOOK_S)
    return float("inf")


async def _pending(rig: Rig) -> int:
    rows = await rig.oracle.ask("SELECT count(*) FROM messages WHERE state = 1")
    return int(str(rows[0][0]))


async def _queued(redis: Redis) -> int:
    sizes: dict[bytes, int] = {}
    for key in await redis.keys(QUEUED):
        assert isinstance(key, bytes)
        generation = key.split(b":")[2]
        sizes[generation] = sizes.get(generation, 0) + await redis.zcard(key)
    return sizes[max(sizes, key=lambda generation: int(generation[1:]))] if sizes else 0


SCENARIOS = [
    Scenario(
        3,
        "5 × FLUSHALL, 100,000 pending",
        "0 lost, 0 doubled, sending again ≤ 5 s, rebuilt ≤ 10 s, the limit never passed by one",
        100_000,
        420,
        wipe,
        takes_s=120,
        alone=True,
    )
]
