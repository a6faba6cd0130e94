"""Puts the queue right after Postgres refused to claim what it handed out, for each reason in its own way.

None of them leaves the same message due at once, so that no refusal is met again in a loop.
"""

from collections import defaultdict
from collections.abc import Sequence

import structlog

from maillane_scheduler.metrics import REFUSALS
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import Claimed, Settled
from maillane_scheduler.store import refusals
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.refusals import Refusal, Refused
from maillane_scheduler.sync.sync import Sync

log = structlog.get_logger()

# How long a lane waits where Postgres's clock is behind: one that jumps may be right again at any time.
MOST_WAIT_US = 5_000_000

# A permit that was void is asked for again at once, under the limits that are in force now.
_BACK_AS_IT_WAS = (
    Refusal.CAMPAIGN_PAUSED,
    Refusal.MAILBOX_PAUSED,
    Refusal.WORKSPACE_STOPPED,
    Refusal.PERMIT_VOID,
)
_GONE = (Refusal.NOT_PENDING, Refusal.CAMPAIGN_CLOSED, Refusal.SUPPRESSED)


class Refuser:
    """Follows Postgres's word in the queue."""

    def __init__(self, queue: Queue, pool: DispatchPool, sync: Sync) -> None:
        self._queue = queue
        self._pool = pool
        self._sync = sync

    async def refuse(self, token: int, taken: Sequence[Claimed]) -> set[Refusal]:
        """Takes messages that were not claimed out of flight: dropped, settled, or back in their lanes.

        Returns why they were refused.
        """
        asked = {message.message: message for message in taken}
        found = await refusals.explain(self._pool, [(m.message, m.campaign, m.mailbox) for m in taken])
        by_reason: dict[Refusal, list[Refused]] = defaultdict(list)
        for refused in found:
            by_reason[refused.refusal].append(refused)
            REFUSALS.labels(refused.refusal.value).inc()
        log.info("claim_refused", **{refusal.value: len(ones) for refusal, ones in by_reason.items()})
        # The flags first: a message that is back in an open lane would be handed out again.
        await self._hold(by_reason)
        if suppressed := by_reason.get(Refusal.SUPPRESSED):
            await refusals.suppress(self._pool, [refused.message for refused in suppressed])
        await self._park(by_reason.get(Refusal.NOT_DUE, ()), asked)
        # No hand-out, no gap to wait for: what was paused and goes on would wait for a whole delay more.
        await self._queue.unserve(token, sorted({(one.mailbox, one.campaign) for one in found}))
        await self._queue.settle(
            [Settled(one.mailbox, one.message, token, self._due_us(one, asked[one.message])) for one in found]
        )
        return set(by_reason)

    @staticmethod
    def _due_us(refused: Refused, asked: Claimed) -> int | None:
        if refused.refusal in _GONE:
            return None
        return asked.due_us if refused.refusal in _BACK_AS_IT_WAS else refused.due_us

    async def _hold(self, by_reason: dict[Refusal, list[Refused]]) -> None:
        campaigns = {
            refused.campaign
            for reason in (Refusal.CAMPAIGN_PAUSED, Refusal.CAMPAIGN_CLOSED)
            for refused in by_reason.get(reason, ())
        }
        for campaign in sorted(campaigns):
            await self._sync.campaign(campaign)
        mailboxes = {
            refused.mailbox
            for reason in (Refusal.MAILBOX_PAUSED, Refusal.WORKSPACE_STOPPED)
            for refused in by_reason.get(reason, ())
        }
        if mailboxes:
            await self._sync.mailboxes(sorted(mailboxes))

    async def _park(self, early: Sequence[Refused], asked: dict[int, Claimed]) -> None:
        """Lanes of what was handed out too early though the queue has its due time right: the clocks disagree."""
        until: dict[tuple[int, int], int] = {}
        for refused in early:
            if refused.due_us is not None and refused.due_us <= asked[refused.message].due_us:
                lane = (refused.mailbox, refused.campaign)
                until[lane] = min(refused.wait_us, until.get(lane, MOST_WAIT_US))
        if until:
            now_us = await self._queue.now_us()
            for (mailbox, campaign), wait_us in until.items():
                await self._queue.park_lane(mailbox, campaign, "window", now_us + wait_us)
