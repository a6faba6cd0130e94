"""Kills and restarts at random, while a campaign is fed so that there is always something to send."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final, Self

from .rig import Rig
from .scenario import Trial

GOES_ON_S: Final = 30.0
"""How long to wait for the first content after a restart before it is taken for never."""

FED_AHEAD: Final = 2_000
"""Fewer pending than these, and more are imported."""


class Feeder:
    """Keeps a campaign from running dry, from entering to leaving."""

    def __init__(self, rig: Rig, campaign: str, *, ahead: int = FED_AHEAD) -> None:
        self._rig = rig
        self._campaign = campaign
        self._ahead = ahead
        self._stopped = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._feed())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._stopped = True
        await self._task

    async def _feed(self) -> None:
        while not self._stopped:
            # What the sink took is known here; the API may be away.
            left = self._rig.expected[int(self._campaign)] - len(self._rig.sink.contents)
            if left < self._ahead:
                await self._rig.feed(self._campaign, self._ahead)
            await asyncio.sleep(0.1)


async def kill_at_random(
    trial: Trial, rig: Rig, parts: Sequence[str], kills: int, *, every: int = 0, pause_s: float = 0
) -> Counter[str]:
    """Kills parts, one after another, and starts each again after up to a second; returns how often which.

    Measured: the longest time from a part being ready again to the next content at the sink.

    Args:
        every: one kill falls somewhere in each such number of contents, so that they fall all over a run.
        pause_s: the longest time from one part's return to the next kill; with `every`, beside it.
    """
    killed: Counter[str] = Counter()
    for number in range(kills):
        await asyncio.sleep(trial.random.uniform(0, pause_s))
        await rig.taken(number * every + trial.random.randrange(every + 1))
        part = trial.random.choice(parts)
        await rig.system.kill(part)
        killed[part] += 1
        await asyncio.sleep(trial.random.uniform(0, 1))
        await rig.system.restart(part)
        trial.most(resumed_s=await rig.sink.next_content(GOES_ON_S))
    return killed
