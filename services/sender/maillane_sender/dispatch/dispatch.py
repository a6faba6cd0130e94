"""The sender's working life: claim, send, settle; and its end, which strands nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import structlog
from maillane.scheduler.v1 import dispatch_service_pb2 as pb

from maillane_sender.dispatch.claimer import Claimer
from maillane_sender.dispatch.deliverer import Deliverer
from maillane_sender.dispatch.holding import Held, Holding
from maillane_sender.dispatch.letters import Letters
from maillane_sender.dispatch.lines import Line, Lines
from maillane_sender.dispatch.outbox import Outbox
from maillane_sender.dispatch.renewer import Renewer
from maillane_sender.dispatch.report import RETURNED, UNANSWERED, Report
from maillane_sender.dispatch.scheduler_client import Replaced
from maillane_sender.metrics import DELIVERY_SECONDS, OUTCOMES
from maillane_sender.smtp import Kind, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Sequence

    from maillane_chassis.clock import Clock
    from prometheus_client import Counter

    from maillane_sender.dispatch.pace import Pace
    from maillane_sender.dispatch.scheduler_client import SchedulerClient
    from maillane_sender.smtp import Pool

AHEAD: Final = 2
"""Messages held for each transaction beyond the one it is at, so that none waits for the scheduler."""

ASK_PARTS: Final = 5
"""A claim is asked for once one part in so many of the slots is free: fewer are not worth its cost. With one in three,
mails that take long (100 ms away) finished in step, and fewer envelopes were there in time to ride."""

TELL_S: Final = 1.0
"""After a drain's limit, for telling the last outcomes to a scheduler that may be down. What is not told by then will
be unconfirmed there."""

_log = structlog.get_logger(__name__)


class End(Enum):
    """Why a sender stopped by itself."""

    REPLACED = "another process has this sender's name"
    FAILED = "one of its loops failed"


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain did: messages handed back; messages whose server had not answered in time; outcomes not told."""

    returned: int
    unanswered: int
    untold: int


class Dispatch:
    """Claims messages, sends them over up to `concurrency` connections at a time, and settles them.

    `ended` is set where it stops by itself, to the reason.
    """

    def __init__(self, scheduler: SchedulerClient, pool: Pool, *, concurrency: int, pace: Pace, clock: Clock) -> None:
        self._scheduler = scheduler
        self._concurrency = concurrency
        self._pace = pace
        self._clock = clock
        self._holding = Holding(concurrency * (1 + AHEAD))
        self._lines = Lines()
        self._deliverer = Deliverer(Letters(scheduler), pool, clock)
        self._outbox = Outbox(scheduler, self._linger_s, self._told, clock)
        self._claimer = Claimer(scheduler, self._outbox, self._holding, pace, clock, self._room, self._admit)
        self._renewer = Renewer(scheduler, self._holding, pace, clock, self._revoke)
        # Bound once: it has a line for each message.
        self._log = _log.bind()
        self._running: dict[Held, asyncio.Task[Report]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._drain: _Drain | None = None
        self.ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    @property
    def held(self) -> int:
        """Messages claimed and not settled."""
        return self._holding.held

    @property
    def sending(self) -> int:
        """Of these, at work: in their content, in their envelope, or in line for a connection."""
        return len(self._running)

    @property
    def untold(self) -> int:
        """Outcomes that the scheduler has not confirmed."""
        return self._outbox.untold

    @property
    def draining(self) -> bool:
        """It takes nothing more."""
        return self._drain is not None

    def start(self) -> None:
        """Begins to work."""
        self._loops = [self._loop(work) for work in (self._claimer.run(), self._renewer.run(), self._outbox.run())]

    async def drain(self, limit_s: float) -> Drained:
        """Takes nothing more, finishes what is in content within the limit, hands back the rest, tells all of it.

        Takes up to TELL_S longer where the scheduler does not answer. Safe to repeat: all calls end alike, and the
        shortest limit holds.
        """
        if self._drain is None:
            self._drain = _Drain()
            self._claimer.stop()
            for held in self._holding.unfinished():
                self._hand_back(held)
            self._drain.task = asyncio.get_running_loop().create_task(self._finish_all(self._drain))
        loop = asyncio.get_running_loop()
        loop.call_later(limit_s, self._cut)
        loop.call_later(limit_s + TELL_S, self._drain.over.set)
        return await asyncio.shield(self._drain.task)

    async def close(self) -> None:
        """Ends at once. Call `drain` before it, or what is held is unconfirmed once its leases are over."""
        tasks = [*self._loops, *self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _admit(self, answer: pb.ClaimMessagesResponse, asked_s: float) -> None:
        lease_s = answer.lease.ToTimedelta().total_seconds()
        for held in self._holding.take(answer.token, asked_s, lease_s, answer.messages):
            if self._drain is None and held.message.message_id not in answer.revoked:
                self._lines.put(held)
            else:
                self._finish(held, RETURNED)
        self._pump()

    def _room(self) -> int:
        """Slots to ask for: once ASK_PARTS allows it, or when there is nothing else to do."""
        if self._outbox.full:
            return 0
        free = self._holding.free
        return free if free * ASK_PARTS >= self._holding.slots or len(self._running) < self._concurrency else 0

    def _told(self, settles: Sequence[pb.Settle]) -> None:
        self._holding.told(settles)
        if self._room():
            self._claimer.look()

    def _linger_s(self, since_s: float) -> float:
        """How much longer outcomes, the first of them known since then, should wait for a claim to take them along."""
        if self._drain is not None:
            return 0.0
        open_s = self._claimer.open_s
        if open_s is None:
            return since_s + self._pace.settle_within_s - self._clock.monotonic()
        return self._pace.claim_answers_within_s - open_s

    def _pump(self) -> None:
        """Puts to work whatever may be: the pool, which knows all that waits, shares its connections out."""
        while (turn := self._lines.next()) is not None:
            line, held = turn
            task = asyncio.get_running_loop().create_task(self._deliverer.deliver(held, line, self._pump))
            self._running[held] = task
            task.add_done_callback(self._ending(line, held, self._clock.monotonic()))
        if self._room():
            self._claimer.look()

    def _ending(self, line: Line, held: Held, begun_s: float) -> Callable[[asyncio.Task[Report]], None]:
        def ended(task: asyncio.Task[Report]) -> None:
            del self._running[held]
            self._lines.leave(line)
            cut_off = UNANSWERED if held.begun else RETURNED
            report = cut_off if task.cancelled() else task.result()
            self._finish(held, report, self._clock.monotonic() - begun_s)
            self._pump()

        return ended

    def _finish(self, held: Held, report: Report, seconds: float | None = None) -> None:
        self._holding.finish(held)
        self._outbox.add(report.settle(held))
        if self._drain is not None:
            self._drain.count(report)
        _outcomes(report.outcome, report.scope).inc()
        if seconds is not None:
            DELIVERY_SECONDS.observe(seconds)
        self._log.info(
            "delivery",
            message_id=str(held.message.message_id),
            mailbox_id=str(held.message.mailbox_id),
            campaign_id=str(held.message.campaign_id),
            outcome=report.outcome,
            scope=report.scope.lower(),
            code=report.code,
            ms=None if seconds is None else round(seconds * 1000, 1),
        )

    def _revoke(self, messages: Collection[int], tokens: Collection[int]) -> None:
        for held in self._holding.unfinished():
            if held.message.message_id in messages or held.lease.token in tokens:
                self._hand_back(held)
        self._pump()

    def _hand_back(self, held: Held) -> None:
        """Sees to it that a message does not begin; one that has begun goes on."""
        if held.begun:
            return
        held.revoked = True
        task = self._running.get(held)
        if task is not None:
            task.cancel()
        else:
            self._lines.withdraw(held)
            self._finish(held, RETURNED)

    def _cut(self) -> None:
        """The drain's limit is over: what was not answered by now is left."""
        for task in self._running.values():
            task.cancel()

    async def _finish_all(self, drain: _Drain) -> Drained:
        told = asyncio.ensure_future(self._all_told())
        over = asyncio.ensure_future(drain.over.wait())
        await asyncio.wait({told, over}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        over.cancel()
        return Drained(drain.returned, drain.unanswered, self._outbox.untold)

    async def _all_told(self) -> None:
        """Waits until nothing is at work, no claim is open, and every outcome is confirmed."""
        claimer = self._loops[0]
        while self._running or not claimer.done():
            await asyncio.wait({claimer, *self._running.values()})
        await self._outbox.all_told()

    def _loop(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._loop_ended)
        return task

    def _loop_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        if not isinstance(task.exception(), Replaced):
            _log.error("loop_failed", exc_info=task.exception())
        if not self.ended.done():
            self.ended.set_result(End.REPLACED if isinstance(task.exception(), Replaced) else End.FAILED)


@lru_cache(len(Kind) * len(Scope))
def _outcomes(outcome: str, scope: str) -> Counter:
    return OUTCOMES.labels(outcome, scope.lower())


class _Drain:
    """A drain as it goes on. `over` is set when there is no more time."""

    def __init__(self) -> None:
        self.task: asyncio.Task[Drained]
        self.over = asyncio.Event()
        self.returned = 0
        self.unanswered = 0

    def count(self, report: Report) -> None:
        if report.kind is Kind.NOT_SENT:
            self.returned += 1
        elif report == UNANSWERED:
            self.unanswered += 1
