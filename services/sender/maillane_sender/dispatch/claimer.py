"""The claim loop: one long poll at a time, so that messages come in the order in which they should be sent."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import grpc

from maillane_sender.dispatch.holding import LEASE_PARTS
from maillane_sender.dispatch.scheduler_client import Replaced, fails_over_what_was_told, log_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from maillane.scheduler.v1 import dispatch_service_pb2 as pb
    from maillane_chassis.clock import Clock

    from maillane_sender.dispatch.holding import Holding
    from maillane_sender.dispatch.outbox import Outbox
    from maillane_sender.dispatch.pace import Pace
    from maillane_sender.dispatch.scheduler_client import SchedulerClient

_CLAIM_ID_BITS = 62
"""Positive in 63 bits, as stores like it."""


class Claimer:
    """Asks for messages whenever there is room, and repeats each claim until it is answered.

    Args:
        room: for how many messages to ask now; 0: none.
        admit: called with each answer, and with the reading of the clock before it was asked for.
    """

    def __init__(
        self,
        scheduler: SchedulerClient,
        outbox: Outbox,
        holding: Holding,
        pace: Pace,
        clock: Clock,
        room: Callable[[], int],
        admit: Callable[[pb.ClaimMessagesResponse, float], None],
    ) -> None:
        self._scheduler = scheduler
        self._outbox = outbox
        self._holding = holding
        self._pace = pace
        self._clock = clock
        self._room = room
        self._admit = admit
        self._changed = asyncio.Event()
        self._stopping = False
        self._call: asyncio.Task[pb.ClaimMessagesResponse] | None = None
        self._asked_s = 0.0

    @property
    def open_s(self) -> float | None:
        """For how long the claim that is open has been; None where none is."""
        return None if self._call is None else self._clock.monotonic() - self._asked_s

    def look(self) -> None:
        """There may be room now."""
        self._changed.set()

    def stop(self) -> None:
        """Asks for nothing more. An open claim is repeated without slots, so that nothing is stranded at either end."""
        self._stopping = True
        self._changed.set()
        if self._call is not None:
            self._call.cancel()

    async def run(self) -> None:
        """Claims until stopped; returns once no claim is open.

        Raises:
            Replaced: another process has this sender's name.
        """
        while not self._stopping:
            if slots := self._room():
                await self._claim(slots)
            else:
                self._changed.clear()
                await self._changed.wait()

    async def _claim(self, slots: int) -> None:
        claim_id = secrets.randbits(_CLAIM_ID_BITS) + 1
        settles = self._outbox.take()
        try:
            answer = await self._answer(claim_id, slots, settles)
        except Replaced:
            # What this process knows is still the truth, and is heard by the call that only settles.
            self._outbox.put_back(settles)
            raise
        self._outbox.told(settles)
        self._admit(answer, self._asked_s)

    async def _answer(self, claim_id: int, slots: int, settles: list[pb.Settle]) -> pb.ClaimMessagesResponse:
        """Repeats one claim, unchanged, until it is answered: whatever was done of it is then known.

        But for `settles`, where the scheduler fails over one of them: it is emptied, and they are told apart.
        """
        for failures, pause_s in enumerate(self._pace.pauses()):
            try:
                answer = await self._ask(claim_id, 0 if self._stopping else slots, settles)
            except grpc.aio.AioRpcError as error:
                log_failure("claim", error, failures)
                if settles and fails_over_what_was_told(error, failures):
                    self._outbox.tell_apart(settles[:])
                    settles.clear()
                await asyncio.sleep(pause_s)
            else:
                if answer is not None:
                    return answer
        raise AssertionError("unreachable")

    async def _ask(self, claim_id: int, slots: int, settles: Sequence[pb.Settle]) -> pb.ClaimMessagesResponse | None:
        """One try. None where it was cut off by `stop`."""
        wait_s = min(self._pace.claim_wait_s, self._holding.lease_s / LEASE_PARTS) if slots else 0.0
        # Before the request leaves: the lease that it brings is counted from here.
        self._asked_s = self._clock.monotonic()
        self._call = asyncio.ensure_future(self._scheduler.claim(claim_id, slots, wait_s, settles))
        try:
            await asyncio.wait({self._call})
            return None if self._call.cancelled() else self._call.result()
        finally:
            self._call.cancel()
            self._call = None
