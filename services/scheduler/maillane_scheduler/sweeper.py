"""Each second, in one scheduler at a time: what somebody left half done, and what only time can tell."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.dispatch.dispatcher import HAND_OVER_US
from maillane_scheduler.dispatch.settler import Settler
from maillane_scheduler.metrics import (
    CLOCK_JUMPS,
    MARKS_LEFT_BEHIND,
    OPEN_CAMPAIGNS,
    OVERDUE,
    PARKED_MAILBOXES,
    STOPPED_WORKSPACES,
    UNCONFIRMED,
    UNCONFIRMED_NOW,
)
from maillane_scheduler.mover import Mover
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import Settled
from maillane_scheduler.resender import Resender
from maillane_scheduler.steadiness import SteadyClock
from maillane_scheduler.store import (
    caps,
    completion,
    leases,
    locks,
    messages,
    outcome_hours,
    parks,
    rejections,
    retention,
    sent_tests,
    standing,
)
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.sync.generation import Generation
from maillane_scheduler.sync.lane_check import LaneCheck
from maillane_scheduler.sync.sync import Sync

log = structlog.get_logger()

EVERY_S = 1.0
# In flight, and confirmed: looked at again after so long, until it is settled. No entry of a flight can be forgotten.
CONFIRMED_US = 10_000_000
EXPIRED_AT_ONCE = 1_000
# A look at the queue that was so long ago says nothing any more. They come about each second, where claims wait.
SEEN_S = 1.5
# Where nothing is in flight: as long as a claim that comes now has until Postgres is asked.
NO_FLIGHT_S = HAND_OVER_US / 1_000_000
# Between the queue and Postgres for longer than this, when a scheduler starts: most likely nobody's any more, for a
# hand-over takes milliseconds. Where it is somebody's after all, its lane has it again, and Postgres refuses it once.
ORPHANED_US = 200_000
# Rarer work: campaigns whose cancelling was cut off, and rows that nobody needs any more.
CANCEL_EVERY_S = 5.0
RETENTION_EVERY_S = 60.0
# As often as metrics are read.
GAUGES_EVERY_S = 15.0
# Less than so much, and what was written by the later clock is waited for.
BACK_S = 1.0


class Sweeper:
    """Runs until it is cancelled. Whatever fails is logged, and done again a second later."""

    def __init__(
        self,
        engine: AsyncEngine,
        pool: DispatchPool,
        queue: Queue,
        sync: Sync,
        settler: Settler,
        generation: Generation,
        resender: Resender,
    ) -> None:
        self._engine = engine
        self._pool = pool
        self._queue = queue
        self._sync = sync
        self._settler = settler
        self._generation = generation
        self._resender = resender
        self._mover = Mover(engine, sync)
        self._lane_check = LaneCheck(queue, pool, sync)
        # Of Postgres, and of the queue's Redis.
        self.steady = SteadyClock()
        self.queue_clock = SteadyClock()
        # When anybody here has last seen that the queue holds messages, on the monotonic clock.
        self.seen_at = float("-inf")
        # By step: when it is next due, on the monotonic clock.
        self._due_at = defaultdict[str, float](float)
        # The generation before which nothing is left in Redis, as far as this process has seen to it.
        self._dropped_before = 0
        # The last of the campaigns that had ended and are freed, as far as this process has seen to it.
        self._freed_until: tuple[datetime, int] | None = None
        # Whether this process has looked for what those before it left in hand-over.
        self._has_looked_back = False

    async def run(self) -> None:
        """Sweeps each second or so, and at once when a generation of the queue has begun."""
        while True:
            self._generation.begun.clear()
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - a store that is away must not end the sweep for good
                log.warning("sweep_failed", error=type(error).__name__, detail=str(error)[:200])
            try:
                async with asyncio.timeout(EVERY_S * random.uniform(0.8, 1.2)):
                    await self._generation.begun.wait()
            except TimeoutError:
                pass

    async def sweep(self) -> bool:
        """One round; returns False where another scheduler is at it."""
        # Guarded as well: leases run out also while Redis is away.
        await self._guarded("generation", lambda: self._generation.watch(self._queue))
        await self._guarded("clock", self._look_at_clock)
        await self._guarded("gauges", self._gauges)
        if not self._has_looked_back:
            await self._guarded("look_back", self._look_back)
        async with self._engine.begin() as connection:
            if not await locks.try_alone(connection, locks.SWEEP, 0):
                return False
            for name, work in self._steps():
                await self._guarded(name, work)
        return True

    def _steps(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """What is to be done in this round."""
        yield "leases", self._leases
        yield "flight", self._swept_flight
        yield "catch_up", self._sync.catch_up
        # Before completion: what is to be sent again keeps its campaign open.
        yield "resends", self._resender.by_policy
        yield "lifts", lambda: self._resender.lift(self.steady.steady_s())
        yield "completion", self._complete
        yield "levels", self._levels
        yield "caps", self._lift_caps
        yield "lanes", lambda: self._lane_check.step(time.monotonic())
        yield "generations", self._drop_generations
        for name, every_s, work in (
            ("tests", CANCEL_EVERY_S, self._overdue_tests),
            ("moves", CANCEL_EVERY_S, self._mover.leave_stopped),
            ("deployment", CANCEL_EVERY_S, self._settler.look_at_deployment),
            ("cancel", CANCEL_EVERY_S, self._cancelled),
            ("ended", RETENTION_EVERY_S, self._free_ended),
            ("retention", RETENTION_EVERY_S, lambda: retention.purge(self._pool)),
            ("hours", RETENTION_EVERY_S, lambda: outcome_hours.sum_up(self._pool)),
        ):
            now = time.monotonic()
            if now >= self._due_at[name]:
                self._due_at[name] = now + every_s
                yield name, work

    @staticmethod
    async def _guarded(name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Does a step. One that fails must not keep the others from being done, now and in every round to come."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the step is done again in a second
            log.warning("sweep_step_failed", step=name, error=type(error).__name__, detail=str(error)[:200])

    async def _leases(self) -> None:
        more = True
        while more:
            lost, more = await leases.sweep(self._pool)
            if lost:
                UNCONFIRMED.inc(len(lost))
                log.warning("leases_ran_out", messages=len(lost))
                await self._queue.settle([Settled(row.mailbox, row.message, row.token) for row in lost])

    async def _look_at_clock(self) -> None:
        """Each scheduler by itself, for any of them may be the next to sweep."""
        async with self._engine.connect() as connection:
            before = time.monotonic()
            theirs = await standing.clock_s(connection)
        _tell("postgres", self.steady.look(theirs, before, time.monotonic()))

    async def look_at_queue(self) -> None:
        """Looks at the clock of the queue's Redis; where it went back, a new generation begins.

        For every instant that was written by the later clock (last services in scores, parks) would hold up its gates
        until the right clock is there as well. Beginning anew is what every doubt about Redis comes to.

        Raises:
            RedisError: it does not answer.
        """
        generation = self._queue.generation
        before = time.monotonic()
        theirs = await self._queue.now_us() / 1_000_000
        jump = self.queue_clock.look(theirs, before, time.monotonic())
        _tell("redis", jump)
        if jump < -BACK_S:
            await self._generation.renew(self._queue, generation)

    async def _gauges(self) -> None:
        """The same: a scheduler that does not sweep must not show what was."""
        if time.monotonic() < self._due_at["gauges"]:
            return
        self._due_at["gauges"] = time.monotonic() + GAUGES_EVERY_S
        async with self._engine.connect() as connection:
            found = await standing.look(connection)
        UNCONFIRMED_NOW.set(found.unconfirmed)
        PARKED_MAILBOXES.labels("limit").set(found.limited)
        PARKED_MAILBOXES.labels("backoff").set(found.resting)
        OPEN_CAMPAIGNS.set(found.open_campaigns)
        STOPPED_WORKSPACES.set(found.stopped_workspaces)
        MARKS_LEFT_BEHIND.set(found.left_behind)
        first_us = await self._queue.first_us()
        now_s = self.queue_clock.at_most(time.monotonic()) or await self._queue.now_us() / 1_000_000
        OVERDUE.set(0 if first_us is None else max(0, now_s - first_us / 1_000_000))

    async def _complete(self) -> None:
        for campaign in await completion.complete(self._pool):
            await self._sync.campaign(campaign)

    async def _levels(self) -> None:
        self._settler.backing_off = await parks.backing_off(self._pool)
        self._settler.rejected = await rejections.running(self._pool)

    async def _lift_caps(self) -> None:
        if lifted := await caps.lift(self._pool, caps.RAISE_AFTER_S):
            await self._sync.mailboxes(lifted)

    async def _drop_generations(self) -> None:
        """Frees what left generations hold: one more full queue at each restart, for nothing is evicted."""
        generation = self._queue.generation
        if generation != self._dropped_before:
            await self._queue.drop_older()
            self._dropped_before = generation

    async def _free_ended(self) -> None:
        """Frees what is kept of campaigns that have ended: nobody else would, until the next generation."""
        for campaign, revision, idle_time in await completion.ended(self._pool, self._freed_until):
            await self._queue.free_campaign(campaign, revision)
            self._freed_until = (idle_time, campaign)

    async def _look_back(self) -> None:
        """Once, at the start: what a scheduler held between queue and Postgres when it was killed is back at once.

        Else it would be when its hand-over lease is over: later, by that, than what comes behind it in its lane.
        """
        await self._flight(HAND_OVER_US - ORPHANED_US)
        self._has_looked_back = True

    async def _flight(self, ahead_us: int = 0) -> None:
        """What is in flight for a while: Postgres says whether it still is, or where it belongs."""
        while expired := await self._queue.expired(EXPIRED_AT_ONCE, ahead_us):
            held = await leases.look(self._pool, [(one.message, one.token, one.mailbox) for one in expired])
            mailbox_of = {(one.message, one.token): one.mailbox for one in expired}
            kept = [(mailbox_of[one.message, one.token], one.message) for one in held if one.sending]
            await self._queue.extend(kept, CONFIRMED_US)
            await self._queue.settle(
                [
                    Settled(mailbox_of[one.message, one.token], one.message, one.token, one.due_us)
                    for one in held
                    if not one.sending
                ]
            )
            if len(expired) < EXPIRED_AT_ONCE:
                break

    async def _swept_flight(self) -> None:
        """The same each second; where nothing is in flight, not before a claim that comes now could be lost.

        Unless nobody has seen messages in the queue lately: then it may be lost, which the script finds.
        """
        now = time.monotonic()
        if now - self.seen_at < SEEN_S:
            if now < self._due_at["flight"]:
                return
            if not await self._queue.has_leases():
                self._due_at["flight"] = now + NO_FLIGHT_S
                return
        await self._flight()

    async def _overdue_tests(self) -> None:
        """Their messages are turned by the step behind this one."""
        async with self._engine.begin() as connection:
            overdue = await sent_tests.expire(connection)
        for campaign in overdue:
            await self._sync.campaign(campaign)

    async def _cancelled(self) -> None:
        for campaign in await completion.half_cancelled(self._pool):
            await self._cancel(campaign)

    async def _cancel(self, campaign: int) -> None:
        """Each batch in a commit of its own, so that none holds others up, and each goes on behind the one before."""
        after_id, cancelled = 0, messages.BATCH
        while cancelled == messages.BATCH:
            async with self._engine.begin() as connection:
                after_id, cancelled = await messages.cancel_pending_after(
                    connection, campaign, after_id, messages.BATCH
                )


def _tell(store: str, jump_s: float) -> None:
    if jump_s:
        CLOCK_JUMPS.labels(store).inc()
        log.warning("clock_jumped", store=store, seconds=round(jump_s, 3))
