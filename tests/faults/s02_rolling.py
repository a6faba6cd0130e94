"""Row 2: SIGTERM to one service after another, as a deploy does; the mail server takes up to a second to answer."""

import asyncio
import time

from .misbehaviour import GOOD, Rule, Stage
from .rig import addresses
from .scenario import Scenario, Trial

PARTS = ("sender", "scheduler", "ratelimit", "gateway")
LONGEST_DRAIN_S = 10
# What one sender holds: five connections, each with one message in hand and two ahead.
HELD = 15


async def roll(trial: Trial) -> None:
    """Each drains in time, and leaves nothing unconfirmed."""
    terms = trial.scaled(20, 2)
    async with trial.rig() as rig:
        rig.sink.misbehaviour.add(Rule(Stage.DOT, GOOD, most_s=1.0))
        boxes = [await rig.mailbox(address) for address in addresses(2)]
        await rig.campaign(boxes, trial.size)
        await rig.sent(5)
        left = 0
        for number in range(terms):
            await asyncio.sleep(trial.random.uniform(0.2, 1.5))
            part = PARTS[number % len(PARTS)]
            begun = time.monotonic()
            await rig.system.stop_part(part)
            trial.most(drained_s=time.monotonic() - begun)
            trial.must(f"{part} ends by itself: {rig.killed()}", rig.system.dead()[part] == 0)
            await rig.system.restart(part)
            left = trial.size - len(rig.sink.contents)
        # Quick only once nothing is under way: hundreds would pass a message that the server is still slow to answer.
        await rig.quiet()
        rig.sink.misbehaviour.clear()
        await rig.resume()
        drained = await rig.drained(within_s=120)
        found = await rig.reconcile()
    trial.measure(terms=terms)
    trial.must(f"it sent all the while: {left} were left at the last", left > 0)
    trial.must("everything has ended", drained)
    trial.safe(found)
    trial.must("0 unconfirmed", not found.unconfirmed)
    trial.must("campaign order kept, but for what is sent in parallel", found.displaced <= HELD)
    trial.must(f"each drained ≤ {LONGEST_DRAIN_S} s", trial.measured["drained_s"] <= LONGEST_DRAIN_S)


SCENARIOS = [
    Scenario(
        2,
        "20 rolling SIGTERMs",
        "0 lost, 0 doubled, 0 unconfirmed, each drained ≤ 10 s",
        1_500,
        300,
        roll,
        brief=0.04,
        takes_s=70,
    )
]
