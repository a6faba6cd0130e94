"""The slow check of what the queue holds against what Postgres says waits: it finds what nobody knows is missing.

Whatever changes a lane leaves a mark until the queue was told, so this finds nothing, unless something is wrong with
the queue or with us. Then it is mended, and an alert says so, where messages would be pending for ever.
"""

from collections.abc import Awaitable, Callable

import structlog

from maillane_scheduler.metrics import LANES_MENDED
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import Tally
from maillane_scheduler.store import lane_checks
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.lane_checks import Waits
from maillane_scheduler.sync.sync import Sync

log = structlog.get_logger()

# From the beginning of one pass over all open campaigns to the next, unless they are too many for that. What is missing
# is back so long after it was lost, and two steps. A pass costs five Redis commands a lane, at most.
PASS_S = 60.0
# Campaigns looked at in one step: each costs a read of some rows and one script.
CAMPAIGNS_AT_ONCE = 5

Tallies = dict[int, Tally]
"""Of a campaign's lanes, by mailbox."""


class LaneCheck:
    """Goes over the open campaigns, a few a step, and loads anew the lanes of which the queue has less than it should.

    Only what is missing counts: what the queue has too much is refused, and dropped, when it is handed out.
    """

    def __init__(self, queue: Queue, pool: DispatchPool, sync: Sync) -> None:
        self._queue = queue
        self._pool = pool
        self._sync = sync
        # The last campaign that this pass has looked at, when it began, and when the next one may.
        self._after = 0
        self._began_at = 0.0
        self._next_at = float("-inf")
        # Where something seemed to be missing at the last step. Only what does so twice is mended.
        self._suspected: list[int] = []

    async def step(self, now_s: float) -> None:
        """Looks again at what seemed amiss, then at the next campaigns; `now_s` is a monotonic clock's.

        One that cannot be looked at holds up no other, and is told.
        """
        suspected, self._suspected = self._suspected, []
        for campaign in suspected:
            await self._look(campaign, self._mend)
        for campaign in await self._next(now_s):
            await self._look(campaign, self._suspect)

    async def _look(self, campaign: int, found: Callable[[int], Awaitable[None]]) -> None:
        try:
            if await self._is_short(campaign):
                await found(campaign)
        except Exception as error:  # noqa: BLE001 - one that cannot be looked at must not hold up the others
            log.warning("lanes_not_checked", campaign=campaign, error=type(error).__name__)

    async def _suspect(self, campaign: int) -> None:
        self._suspected.append(campaign)

    async def _next(self, now_s: float) -> list[int]:
        if self._after == 0:
            if now_s < self._next_at:
                return []
            self._began_at = now_s
        campaigns = await lane_checks.open_after(self._pool, self._after, CAMPAIGNS_AT_ONCE)
        if len(campaigns) == CAMPAIGNS_AT_ONCE:
            self._after = campaigns[-1]
        else:
            self._after, self._next_at = 0, self._began_at + PASS_S
        return campaigns

    async def _is_short(self, campaign: int) -> bool:
        """Whether the queue holds less of a campaign, waiting or in flight, than waits in it, or was never told of it.

        What is claimed goes from both, and what comes back comes to Postgres first, out of flight, or leaves a mark: so
        where the queue is looked at before Postgres, it holds no less.
        """
        before = await lane_checks.look(self._pool, campaign)
        if before is None or before.pending <= 0:
            return False
        tallies = await self._tallies(before)
        untold = any(_is_untold(before, mailbox, tally) for mailbox, tally in tallies.items())
        if not untold and before.pending <= _held(tallies):
            return False
        after = await lane_checks.look(self._pool, campaign)
        return after is not None and (untold or after.pending > _held(tallies))

    async def _mend(self, campaign: int) -> None:
        """Marks the lanes that are short, by a count of their messages, and has them loaded."""
        known = await lane_checks.look(self._pool, campaign)
        if known is None:
            return
        tallies = await self._tallies(known)
        pending = await lane_checks.pending(self._pool, campaign)
        missing = {
            mailbox: pending[mailbox] - tally.held
            for mailbox, tally in tallies.items()
            if mailbox in pending and (pending[mailbox] > tally.held or _is_untold(known, mailbox, tally))
        }
        if not missing:
            return
        await lane_checks.mark(self._pool, campaign, sorted(missing))
        LANES_MENDED.inc(len(missing))
        lost = sum(max(0, number) for number in missing.values())
        log.warning("lanes_mended", campaign=campaign, lanes=len(missing), missing=lost)
        await self._sync.campaign(campaign)

    async def _tallies(self, known: Waits) -> Tallies:
        lanes = [(mailbox, known.campaign) for mailbox in known.gates]
        return dict(zip(known.gates, await self._queue.tally(lanes), strict=True))


def _held(tallies: Tallies) -> int:
    return sum(tally.held for tally in tallies.values())


def _is_untold(known: Waits, mailbox: int, tally: Tally) -> bool:
    """Whether the queue does not know what it was told: it would serve the lane without its gaps, or not at all."""
    return tally.gate_revision < known.gates[mailbox] or tally.lane_revision < known.revision
