"""Outcomes on their way to the scheduler. None is dropped while the process lives."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from maillane.scheduler.v1 import dispatch_service_pb2 as pb
    from maillane_chassis.clock import Clock

    from maillane_sender.dispatch.scheduler_client import SchedulerClient

MAX_SETTLES: Final = 1000
"""In one call, as the contract has it."""

MOST_UNTOLD: Final = MAX_SETTLES
"""Nothing is claimed beyond: what a scheduler fails over would pile up for as long as it does. One call tells them."""

INSIST_EVERY_S: Final = 30.0
"""Between tries to tell what a scheduler fails over. Another one, or another version of it, may take it."""


class Outbox:
    """Collects outcomes: the next claim takes them along, or they are told by a call of their own.

    Bounded by what may be held beside MOST_UNTOLD: nothing is claimed while that many wait, nor while a claim, with
    what it took along, is not answered.

    Args:
        linger_s: how much longer a claim may still come for them, given when the first of them was known.
        on_told: called with what the scheduler has confirmed.
    """

    def __init__(
        self,
        scheduler: SchedulerClient,
        linger_s: Callable[[float], float],
        on_told: Callable[[Sequence[pb.Settle]], None],
        clock: Clock,
    ) -> None:
        self._scheduler = scheduler
        self._linger_s = linger_s
        self._on_told = on_told
        self._clock = clock
        self._waiting: deque[pb.Settle] = deque()
        # When the first of those that wait was known.
        self._since_s = 0.0
        self._taken = 0
        # What is told beside all else. Kept, or the loop may drop it half done.
        self._apart: set[asyncio.Task[None]] = set()
        self._some = asyncio.Event()
        self._none_untold = asyncio.Event()
        self._none_untold.set()

    @property
    def full(self) -> bool:
        """Whether so much is untold that nothing should be claimed."""
        return self.untold >= MOST_UNTOLD

    @property
    def untold(self) -> int:
        """Outcomes that the scheduler has not confirmed."""
        return len(self._waiting) + self._taken

    def add(self, settle: pb.Settle) -> None:
        """An outcome is known."""
        if not self._waiting:
            self._since_s = self._clock.monotonic()
        self._waiting.append(settle)
        self._some.set()
        self._none_untold.clear()

    def take(self) -> list[pb.Settle]:
        """Takes what waits, oldest first, for a call that is repeated until it is answered; then comes `told`."""
        taken = [self._waiting.popleft() for _ in range(min(MAX_SETTLES, len(self._waiting)))]
        self._taken += len(taken)
        if not self._waiting:
            self._some.clear()
        return taken

    def told(self, settles: Sequence[pb.Settle]) -> None:
        """A call that took them along was answered."""
        self._taken -= len(settles)
        self._on_told(settles)
        if not self.untold:
            self._none_untold.set()

    def put_back(self, settles: Sequence[pb.Settle]) -> None:
        """The call that took them along will never be answered: they wait again, first of all."""
        self._taken -= len(settles)
        self._waiting.extendleft(reversed(settles))
        if self._waiting:
            self._some.set()

    def tell_apart(self, settles: Sequence[pb.Settle]) -> None:
        """Tells what was taken beside everything else: the call that took it along goes on without it."""
        task = asyncio.get_running_loop().create_task(self._insist(settles))
        self._apart.add(task)
        task.add_done_callback(self._apart.discard)

    async def all_told(self) -> None:
        """Waits until everything is confirmed."""
        await self._none_untold.wait()

    async def run(self) -> None:
        """Tells what no claim came for, until cancelled."""
        try:
            while True:
                await self._some.wait()
                # What arises during one call goes with the next: batches grow by themselves under load. Reckoned anew
                # after each wait: a claim that came meanwhile took along what was waited with, and the rest is younger.
                while self._waiting and (linger_s := self._linger_s(self._since_s)) > 0:  # noqa: ASYNC110 - for a time
                    await asyncio.sleep(linger_s)
                settles = self.take()
                if settles and (stuck := await self._scheduler.settle(settles, self.told)):
                    self.tell_apart(stuck)
        finally:
            for task in self._apart:
                task.cancel()

    async def _insist(self, settles: Sequence[pb.Settle]) -> None:
        """Tells what the scheduler fails over again and again, seldom: somebody has to mend it first."""
        while settles := await self._scheduler.settle(settles, self.told):  # noqa: ASYNC110 - there is nobody to say
            await asyncio.sleep(INSIST_EVERY_S)
