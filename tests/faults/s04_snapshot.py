"""Row 4: Valkey is killed, and comes back with what it held a while ago."""

import asyncio
import shutil

from .rig import addresses
from .scenario import Scenario, Trial

WINDOW_S = 20
LIMIT_A_SECOND = 7
FILES = "appendonlydir"


async def go_back(trial: Trial) -> None:
    """Most of what the old snapshot offers has been sent since, and its counters know nothing of it."""
    rounds = trial.scaled(5)
    window_s = trial.scaled(WINDOW_S, 5)
    limit = window_s * LIMIT_A_SECOND
    async with trial.rig(hour_s=window_s) as rig:
        folder = rig.system.folder.path / "valkey"
        boxes = [await rig.mailbox(address) for address in addresses(2)]
        limited = await rig.mailbox("limited@sender.example", hourly_limit=limit)
        await rig.campaign(boxes, trial.size, delay_s=0.02)
        await rig.campaign([limited], trial.size // 8)
        for number in range(rounds):
            await rig.sent((2 * number + 1) * trial.size // (3 * rounds))
            # Copied while it is written: at worst its last command is cut off, as after a crash.
            shutil.copytree(folder / FILES, folder / "old")
            await rig.sent((2 * number + 2) * trial.size // (3 * rounds))
            await rig.system.kill("valkey")
            shutil.rmtree(folder / FILES)
            (folder / "old").rename(folder / FILES)
            await rig.system.restart("valkey")
            trial.most(resumed_s=await rig.sink.next_content(30))
        await asyncio.sleep(window_s)
        drained = await rig.drained(within_s=window_s * (trial.size // 8 // limit + 3) + 30)
        found = await rig.reconcile()
    trial.measure(rounds=rounds, sent=found.states.get("SENT", 0))
    trial.must("everything has ended", drained)
    trial.safe(found)
    trial.must("0 unconfirmed", not found.unconfirmed)


SCENARIOS = [
    Scenario(4, "5 × an old snapshot of Valkey", "0 doubled, limit held", 6_000, 400, go_back, brief=0.05, takes_s=90),
]
