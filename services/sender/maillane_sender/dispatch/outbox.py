"""Outcomes on their way to the scheduler. None is dropped while the process lives."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from maillane.scheduler.v1 import dispatch_service_pb2 as pb

    from maillane_sender.dispatch.scheduler_client import SchedulerClient

MAX_SETTLES: Final = 1000
"""In one call, as the contract has it."""


class Outbox:
    """Collects outcomes: the next claim takes them along, or they are told by a call of their own.

    Bounded by what may be held: nothing is claimed while a claim, with what it took along, is not answered.

    Args:
        linger_s: how long from now a claim may still come for them.
        on_told: called with what the scheduler has confirmed.
    """

    def __init__(
        self,
        scheduler: SchedulerClient,
        linger_s: Callable[[], float],
        on_told: Callable[[Sequence[pb.Settle]], None],
    ) -> None:
        self._scheduler = scheduler
        self._linger_s = linger_s
        self._on_told = on_told
        self._waiting: deque[pb.Settle] = deque()
        self._taken = 0
        self._some = asyncio.Event()
        self._none_untold = asyncio.Event()
        self._none_untold.set()

    @property
    def untold(self) -> int:
        """Outcomes that the scheduler has not confirmed."""
        return len(self._waiting) + self._taken

    def add(self, settle: pb.Settle) -> None:
        """An outcome is known."""
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
        """The call that took them along was answered."""
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

    async def all_told(self) -> None:
        """Waits until everything is confirmed."""
        await self._none_untold.wait()

    async def run(self) -> None:
        """Tells what no claim came for, until cancelled."""
        while True:
            await self._some.wait()
            # What arises during one call goes with the next: batches grow by themselves under load.
            await asyncio.sleep(self._linger_s())
            if settles := self.take():
                await self._scheduler.settle(settles)
                self.told(settles)
