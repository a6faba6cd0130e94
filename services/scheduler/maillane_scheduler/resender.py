"""Sends again what is unconfirmed, once its first try can no longer succeed: the sweep's part of it."""

from collections import defaultdict

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.store import resends
from maillane_scheduler.store.resends import Lifted
from maillane_scheduler.sync.sync import Sync

log = structlog.get_logger()


class Resender:
    """Resends by campaigns' policies, and lets go those that have waited.

    Args:
        wait_s: from when a message became unconfirmed until its first try can no longer succeed.
        most_attempts: a message with so many tries is left to a person.
    """

    def __init__(self, engine: AsyncEngine, sync: Sync, *, wait_s: float, most_attempts: int) -> None:
        self._engine = engine
        self._sync = sync
        self._wait_s = wait_s
        self._most_attempts = most_attempts

    async def by_policy(self) -> None:
        """Makes PENDING what campaigns want to send again."""
        async with self._engine.connect() as connection:
            campaigns = await resends.of_policy(connection)
        for campaign, workspace in campaigns:
            number = await self._hold(campaign, workspace)
            if number:
                log.warning("resends_by_policy", campaign=campaign, messages=number)
                # It may be open again.
                await self._sync.campaign(campaign)

    async def lift(self, steady_s: float) -> None:
        """Lets go what has waited, if Postgres's clock has gone on steadily for as long as the wait is."""
        if steady_s < self._wait_s:
            return
        lifted = None
        while lifted is None or len(lifted) == resends.BATCH:
            async with self._engine.begin() as connection:
                lifted = await resends.lift(connection)
            await self._tell(lifted)

    async def _hold(self, campaign: int, workspace: int) -> int:
        number, batch = 0, resends.BATCH
        while batch == resends.BATCH:
            async with self._engine.begin() as connection:
                batch = await resends.hold_by_policy(
                    connection, workspace, campaign, wait_s=self._wait_s, most_attempts=self._most_attempts
                )
            number += batch
        return number

    async def _tell(self, lifted: list[Lifted]) -> None:
        by_campaign: dict[int, list[Lifted]] = defaultdict(list)
        for one in lifted:
            by_campaign[one.campaign].append(one)
        for campaign, ones in by_campaign.items():
            messages: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for one in ones:
                messages[one.mailbox].append((one.message, one.due_us))
            await self._sync.enqueue(campaign, [one.mark for one in ones], messages)
            log.info("resends_lifted", campaign=campaign, messages=len(ones))
