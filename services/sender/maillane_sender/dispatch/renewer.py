"""Keeps what is held, and hears what must be handed back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

from maillane_sender.dispatch.scheduler_client import log_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from maillane_chassis.clock import Clock

    from maillane_sender.dispatch.holding import Holding
    from maillane_sender.dispatch.pace import Pace
    from maillane_sender.dispatch.scheduler_client import SchedulerClient

RENEWALS = 12
"""In a lease, where it is short."""


class Renewer:
    """Renews all leases by one call at a time.

    Args:
        revoke: called with ids of messages and with tokens; what is one of them, or held under one, is handed back.
    """

    def __init__(
        self,
        scheduler: SchedulerClient,
        holding: Holding,
        pace: Pace,
        clock: Clock,
        revoke: Callable[[Collection[int], Collection[int]], None],
    ) -> None:
        self._scheduler = scheduler
        self._holding = holding
        self._pace = pace
        self._clock = clock
        self._revoke = revoke

    async def run(self) -> None:
        """Renews until cancelled.

        Raises:
            Replaced: another process has this sender's name.
        """
        failures = 0
        while True:
            await asyncio.sleep(self._pace.retry_most_s if failures else self._every_s())
            try:
                await self.renew()
                failures = 0
            except grpc.aio.AioRpcError as error:
                log_failure("renew", error, failures)
                failures += 1

    async def renew(self) -> None:
        """Renews once, where anything is held.

        Raises:
            grpc.aio.AioRpcError: no answer; the leases run on as they were.
            Replaced: another process has this sender's name.
        """
        tokens = self._holding.tokens
        if not tokens:
            return
        asked_s = self._clock.monotonic()
        answer = await self._scheduler.renew(tokens)
        lost = set(answer.lost_tokens)
        lease_s = answer.lease.ToTimedelta().total_seconds()
        self._holding.renew([token for token in tokens if token not in lost], asked_s, lease_s)
        if lost or answer.revoked:
            self._revoke(set(answer.revoked), lost)

    def _every_s(self) -> float:
        return min(self._pace.renew_every_s, self._holding.lease_s / RENEWALS)
