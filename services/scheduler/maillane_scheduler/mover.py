"""Moves of messages between mailboxes: told to Postgres first, then to the queue, batch by batch."""

from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.mailbox import Move
from maillane_scheduler.store import moves
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.store.moves import Stopped
from maillane_scheduler.sync.sync import Sync

log = structlog.get_logger()

# Some seconds of work, well within what callers wait; they repeat the call while there is more.
BATCHES = 10
# As it stands in the audit, where no person did it.
SYSTEM = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many messages have moved by a call, and whether there may be more."""

    moved: int
    more: bool


class Mover:
    """Moves what waits, in commits of their own, so that none holds others up. Safe to repeat."""

    def __init__(self, engine: AsyncEngine, sync: Sync) -> None:
        self._engine = engine
        self._sync = sync

    async def move(self, actor: Actor, campaign_id: int | None, what: Move) -> Progress:
        """Moves up to BATCHES batches, of one campaign, or of all that have not ended (None).

        Raises:
            NotFound: CAMPAIGN_NOT_FOUND, or MAILBOX_NOT_FOUND.
            FailedPrecondition: CAMPAIGN_ENDED.
        """
        async with self._engine.connect() as connection:
            known = [what.mailbox_id, *what.to_ids]
            await moves.check_mailboxes(connection, actor.workspace_id, known)
            campaigns = (
                [campaign_id]
                if campaign_id is not None
                else await moves.used_by(connection, actor.workspace_id, what.mailbox_id)
            )
        moved = batches = 0
        for campaign in campaigns:
            after_id, more = 0, True
            while more:
                if batches == BATCHES:
                    return Progress(moved, more=True)
                batches += 1
                async with self._engine.begin() as connection:
                    batch = await moves.move(connection, actor, campaign, what, after_id)
                await self._tell(campaign, what.mailbox_id, batch.ids)
                moved += len(batch.ids)
                more = batch.more
                after_id = batch.ids[-1] if batch.ids else after_id
        return Progress(moved, more=False)

    async def leave_stopped(self) -> None:
        """Moves what waits in mailboxes that are stopped for longer than their campaigns want to wait."""
        async with self._engine.connect() as connection:
            found = await moves.stopped(connection)
        for lane in found:
            try:
                await self._leave(lane)
            except Exception as error:  # noqa: BLE001 - one that cannot be left must not hold up the others
                log.warning(
                    "lane_not_left", campaign=lane.campaign_id, mailbox=lane.mailbox_id, error=type(error).__name__
                )

    async def _leave(self, lane: Stopped) -> None:
        by = Actor(lane.workspace_id, None, SYSTEM)
        progress = await self.move(by, lane.campaign_id, Move(lane.mailbox_id, lane.to_ids, leaves=True))
        log.warning("lane_left", campaign=lane.campaign_id, mailbox=lane.mailbox_id, moved=progress.moved)

    async def _tell(self, campaign: int, mailbox: int, ids: list[int]) -> None:
        # First out of the old lane: what stands in both for a moment is claimed in one of them, and refused there.
        await self._sync.forget(mailbox, campaign, ids)
        await self._sync.campaign(campaign)
