"""Tells the queue what Postgres has decided, and clears the marks once it knows.

Every method here may fail half done or never run: the marks stay, and the sweep repeats it within a second.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.queue.errors import LaneUnknown
from maillane_scheduler.queue.parks import QUEUE_PARKS
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import GateConfig, LaneConfig
from maillane_scheduler.states import CampaignState
from maillane_scheduler.store import lanes, locks
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.lanes import Flags, Gate, Mark
from maillane_scheduler.store.marks import FIRST_ID
from maillane_scheduler.waker import Waker

log = structlog.get_logger()

# A mark that could not be cleared so soon was left behind by somebody who died.
LEFT_BEHIND_S = 2.0
MARKS_AT_ONCE = 200
# Of each kind. They share the connections of dispatch, which must go on beside them.
LOADS_AT_ONCE = 2
# How long a sweep waits for its loads before it goes on without them.
CATCH_UP_S = 1.0
# A stop does not wait longer for loads: their marks are there for the next scheduler.
CLOSE_S = 2.0
# What a rebuild found in flight is looked up again soon: it may have landed while it was put there.
ADOPTED_US = 2_000_000


class Sync:
    """The queue's side of what the API and dispatch have committed."""

    def __init__(self, queue: Queue, pool: DispatchPool, engine: AsyncEngine, waker: Waker) -> None:
        self._queue = queue
        self._pool = pool
        self._engine = engine
        self._waker = waker
        # By mark: what goes on now, so that nothing is loaded twice at once however often it is asked for.
        self._loads: dict[int, asyncio.Task[None]] = {}
        # By whether it is of a whole lane: a retry does not wait behind a million messages.
        self._turns = {whole: asyncio.Semaphore(LOADS_AT_ONCE) for whole in (False, True)}

    async def barrier(self, workspace: int) -> None:
        """Waits for every compare-and-set of a workspace that began before: none commits after this returned.

        For verbs that stop something, after their commit (docs/architecture.md, pause and stop).
        """
        async with self._engine.begin() as connection:
            await locks.alone(connection, locks.DISPATCH, workspace)

    async def campaign(self, campaign: int) -> None:
        """Tells the queue a campaign's state and pace, and begins to load its lanes where they are marked.

        The loads go on after this returns.
        """
        await self._tell_of(campaign)
        for mark in await lanes.marks_of(self._pool, campaign):
            self._begin(mark)
        self._waker.wake()

    async def mailboxes(self, mailboxes: Sequence[int]) -> None:
        """Tells the queue the state, gap, cap and parks of mailboxes.

        Again, until it was told what stands afterwards: a park that was lifted in between would be put back.
        """
        told: dict[int, Gate] = {}
        while news := [gate for gate in await lanes.gates(self._pool, mailboxes) if told.get(gate.mailbox) != gate]:
            for gate in news:
                await self._tell_mailbox(gate)
                told[gate.mailbox] = gate
        self._waker.wake()

    async def enqueue(
        self, campaign: int, marks: Sequence[int], messages: Mapping[int, Sequence[tuple[int, int]]]
    ) -> None:
        """Puts messages that were just committed into their lanes, and clears their marks.

        Args:
            messages: by mailbox, (message, due_us).
        """
        if await lanes.loading(self._pool, campaign, list(messages)):
            # Older ones of that lane are not all there yet: where all are due at once, these would pass them.
            return
        try:
            for mailbox, items in messages.items():
                await self._queue.enqueue(mailbox, campaign, items, configured=True)
        except LaneUnknown:
            # A new generation, or a mailbox's first lane, is being loaded at this moment. It must not be open before
            # its gaps and caps are known: the marks stay, and the sweep adds these behind them.
            return
        await lanes.clear(self._pool, marks)
        self._waker.wake()

    async def forget(self, mailbox: int, campaign: int, messages: Sequence[int]) -> None:
        """Takes messages out of a lane that are not in it any more. Where nobody does, claims of them are refused."""
        if messages:
            await self._queue.forget(mailbox, campaign, messages)

    async def load(self, mark: Mark) -> None:
        """Tells the queue all of a mark: flags, what is in flight, the last service, and the pending messages in order.

        Messages can be claimed one by one as they are loaded. Each batch renews the mark, so that nobody else takes it
        for left behind. Safe to repeat, and to run twice at once.
        """
        with contextlib.suppress(LaneUnknown):
            await self._load(mark)

    async def _load(self, mark: Mark) -> None:
        if not mark.is_whole and await lanes.loading(self._pool, mark.campaign, [mark.mailbox]):
            # The load of the whole lane brings these too, behind what is older. The mark stays until it has.
            return
        planned = None
        # What was read under one plan and put into the queue under the next would leave too late, or at the old pace.
        while planned != (planned := await self._plan(mark)):
            await self._fill(mark)
        await lanes.clear(self._pool, [mark.id])

    async def _plan(self, mark: Mark) -> int | None:
        """The revision of the campaign that a mark's due times follow."""
        found = await lanes.flags(self._pool, [mark.campaign])
        return found[0].revision if found else None

    async def _fill(self, mark: Mark) -> None:
        await self._prepare(mark)
        first = mark.first
        while batch := await lanes.pending(self._pool, mark.campaign, mark.mailbox, first, mark.last):
            # LaneUnknown: another generation has begun meanwhile, which has marks of its own.
            await self._queue.enqueue(mark.mailbox, mark.campaign, batch, configured=True)
            self._waker.wake()
            first = batch[-1][0] + 1
            if len(batch) < lanes.LOAD_BATCH or first > mark.last:
                break
            await lanes.renew(self._pool, mark.id)

    async def close(self) -> None:
        """Waits for the loads that go on; what they do not finish, marks remember."""
        if self._loads:
            await asyncio.wait(self._loads.values(), timeout=CLOSE_S)

    async def catch_up(self) -> int:
        """Works off what was left behind: rows that the queue was not told of, and marks; returns how many.

        Long loads go on after this returns, for whatever else is swept must not wait for them.
        """
        changed = await lanes.dirty(self._pool)
        if boxes := [id_ for kind, id_ in changed if kind == "mailbox"]:
            await self.mailboxes(boxes)
        for kind, id_ in changed:
            if kind == "campaign":
                await self.campaign(id_)
        marks = await lanes.left_behind(self._pool, LEFT_BEHIND_S, MARKS_AT_ONCE)
        if loads := [self._begin(mark) for mark in marks]:
            await asyncio.wait(loads, timeout=CATCH_UP_S)
        return len(changed) + len(marks)

    async def _prepare(self, mark: Mark) -> None:
        """A lane's flags, flight and last service, before any message of it can be claimed.

        The flags last: with them the lane is open, also to an import.
        """
        if mark.first == FIRST_ID:
            await self._restore(mark)
        await self.mailboxes([mark.mailbox])
        await self._tell_of(mark.campaign)

    async def _restore(self, mark: Mark) -> None:
        """When a lane was last served, and what is in flight of it."""
        last_us = await lanes.served(self._pool, mark.campaign, mark.mailbox)
        if last_us is not None:
            await self._queue.restore_service(mark.mailbox, mark.campaign, last_us)
        held = await lanes.flying(self._pool, mark.campaign, mark.mailbox)
        if held:
            await self._queue.adopt(mark.mailbox, mark.campaign, held)
            await self._queue.extend([(mark.mailbox, message) for message, *_ in held], ADOPTED_US)

    def _begin(self, mark: Mark) -> asyncio.Task[None]:
        if mark.id not in self._loads:
            task = self._loads[mark.id] = asyncio.get_running_loop().create_task(self._in_turn(mark))
            task.add_done_callback(lambda ended: self._ended(mark, ended))
        return self._loads[mark.id]

    async def _in_turn(self, mark: Mark) -> None:
        async with self._turns[mark.is_whole]:
            await self.load(mark)

    def _ended(self, mark: Mark, task: asyncio.Task[None]) -> None:
        del self._loads[mark.id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("load_failed", campaign=mark.campaign, mailbox=mark.mailbox, error=type(error).__name__)

    async def _tell_mailbox(self, gate: Gate) -> None:
        parks = {QUEUE_PARKS[reason]: until for reason, until in gate.parks.items()}
        config = GateConfig(gate.revision, gate.paused, gate.gap_us, gate.cap, parks)
        await self._queue.configure_gate(gate.mailbox, config)
        await lanes.told_mailbox(self._pool, gate.mailbox, gate.revision)

    async def _tell_of(self, campaign: int) -> None:
        """Tells what Postgres says of a campaign; again, until that is what stands afterwards."""
        told: list[Flags] = []
        while (found := await lanes.flags(self._pool, [campaign])) != told:
            for flags in found:
                await self._tell_campaign(flags)
            told = found

    async def _tell_campaign(self, flags: Flags) -> None:
        if flags.state is CampaignState.DRAFT:
            pass
        elif flags.state is CampaignState.CANCELLED:
            await self._queue.cancel_campaign(flags.campaign, flags.revision)
        elif flags.state is CampaignState.COMPLETED:
            # Held, not emptied: a late settle may open it again in this moment, and what it puts back must stay.
            await self._queue.set_campaign(flags.campaign, flags.revision, paused=True)
        else:
            await self._open_lanes(flags)
        await lanes.told_campaign(self._pool, flags.campaign, flags.revision)

    async def _open_lanes(self, flags: Flags) -> None:
        paused = flags.state is CampaignState.PAUSED
        config = LaneConfig(flags.revision, paused, flags.gap_us)
        for mailbox in flags.mailboxes:
            await self._queue.configure_lane(mailbox, flags.campaign, config)
            # 0 lifts: where the limit was changed, and where the queue is new.
            await self._queue.park_lane(mailbox, flags.campaign, "limit", flags.limited.get(mailbox, 0))
        await self._queue.set_campaign(flags.campaign, flags.revision, paused)
