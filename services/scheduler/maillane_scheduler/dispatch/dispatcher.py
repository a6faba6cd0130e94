"""One claim of a sender, from what is due to messages that are durably its own."""

import asyncio
import secrets
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass

import structlog
from maillane_chassis.errors import FailedPrecondition

from maillane_scheduler.dispatch.limiter import MOST_ASKS, Granted, Limiter
from maillane_scheduler.dispatch.permits import Permits
from maillane_scheduler.dispatch.refuser import Refuser
from maillane_scheduler.dispatch.settler import Settler
from maillane_scheduler.dispatch.stock import lane_of
from maillane_scheduler.handover import Ask, Finished
from maillane_scheduler.metrics import HAND_OUT_LAG
from maillane_scheduler.queue.queue import SETTLE_BATCH, Queue
from maillane_scheduler.queue.values import Claimed, Grant, Settled, Turn
from maillane_scheduler.store import claims, leases, senders
from maillane_scheduler.store.claims import Claim, ClaimedRow, ClaimTaken
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.refusals import Refusal
from maillane_scheduler.waker import Waker

log = structlog.get_logger()

# From the claim script to the compare-and-set, which takes milliseconds. What is left then is looked up in Postgres.
HAND_OVER_US = 5_000_000
# What left flight is told by then, should no turn come along: others may wait for its place under a mailbox's cap.
FLUSH_S = 0.01
# A poll that found nothing looks again once it is woken; at least so often, should every hint be lost.
LOOK_S = 30.0
US = 1_000_000


@dataclass(frozen=True, slots=True)
class HandOut:
    """Messages that are the sender's now, in the order in which they should be sent.

    Attributes:
        revoked: those that it is to hand back unless it has begun them, for they were stopped since they were claimed.
    """

    token: int
    rows: list[ClaimedRow]
    revoked: Sequence[int] = ()


class Dispatcher:
    """Serves senders' claims. Any number of schedulers may do so at once."""

    def __init__(
        self,
        queue: Queue,
        pool: DispatchPool,
        limiter: Limiter,
        settler: Settler,
        refuser: Refuser,
        waker: Waker,
        *,
        lease_s: float,
        cycles: int,
    ) -> None:
        self._queue = queue
        self._pool = pool
        self._limiter = limiter
        self._permits = Permits(queue, pool, limiter, settler, waker)
        self._settler = settler
        self._refuser = refuser
        self._waker = waker
        self._lease_s = lease_s
        # More cycles at once than connections would only wait for one another.
        self._cycles = asyncio.Semaphore(cycles)
        self._stopping = False
        # Settled in Postgres, and not yet out of flight: the next turn takes it along, or a call of its own soon does.
        self._leaving: list[Settled] = []
        self._flush: asyncio.TimerHandle | None = None
        # Cycles and flushes. Kept, or the loop may drop them half done.
        self._tasks: set[asyncio.Task[None]] = set()

    async def claim(self, ask: Ask, finished: Sequence[Finished]) -> HandOut:
        """Settles what is finished, then hands out up to `slots` messages, waiting for the first up to `wait_s`.

        Raises:
            FailedPrecondition: SENDER_REPLACED.
            Unavailable: the limiter does not answer; what was finished may be settled or not: repeat the call.
        """
        until = time.monotonic() + ask.wait_s
        first = True
        while True:
            # Shielded: a caller that goes away must not cut a cycle between the queue and Postgres.
            hand_out = await asyncio.shield(self._keep(self._cycle(ask, finished)))
            if hand_out is not None:
                return hand_out
            finished = ()
            if first and (replay := await self._replay(ask)) is not None:
                return replay
            first = False
            left_s = until - time.monotonic()
            if left_s <= 0 or self._stopping:
                return await self._close(ask)
            await self._waker.wait(min(left_s, LOOK_S))

    async def recall(self, ask: Ask, finished: Sequence[Finished]) -> HandOut:
        """A claim with no slots: brings back what its id brought, or sees to it that it never brings anything."""
        if finished:
            await self._settler.finish(finished)
        return await self._close(ask)

    def stop(self) -> None:
        """Answers the polls that wait, empty: their senders ask another scheduler."""
        self._stopping = True
        self._permits.stop()
        self._waker.wake_all()

    async def quiet(self) -> None:
        """Waits for what goes on after answers; permits that are at hand stay so."""
        self._flush_now()
        while self._tasks:
            await asyncio.wait(self._tasks)
            self._flush_now()
        await self._permits.quiet()

    async def close(self) -> None:
        """The same, and gives back all permits."""
        self._permits.stop()
        await self.quiet()

    async def _close(self, ask: Ask) -> HandOut:
        """Answers a claim with nothing, for good: another scheduler may be about to commit this claim id.

        A tombstone stops it; where it was faster, its messages are the answer.
        """
        if await leases.bury(self._pool, _token(), ask.claim_id, ask.sender_id, ask.incarnation):
            return HandOut(0, [])
        return await self._replay(ask) or HandOut(0, [])

    async def _replay(self, ask: Ask) -> HandOut | None:
        found = await leases.replay(self._pool, ask.claim_id, ask.sender_id, ask.incarnation, self._lease_s)
        return None if found is None else HandOut(found.token, found.rows, found.revoked)

    async def _cycle(self, ask: Ask, finished: Sequence[Finished]) -> HandOut | None:
        """One look: None where nothing can be handed out now (and what is finished is settled)."""
        async with self._cycles:
            token = _token()
            try:
                granted, taken = await self._take(token, ask.slots)
            except Exception:
                # What is finished does not wait for whatever stands in the way of more.
                await self._settler.finish(finished)
                raise
            if taken:
                return await self._hand_out(ask, finished, granted, token, taken)
            await self._settler.finish(finished)
            return None

    async def _take(self, token: int, slots: int) -> tuple[list[Granted], list[Claimed]]:
        """Takes what is due out of the queue: on permits at hand if there are any, else on new ones.

        Returns permits, and what was taken on them.
        """
        at_hand = self._permits.at_hand(slots)
        try:
            turn = await self._turn(token, slots, at_hand)
        except Exception:
            # Nothing was committed, nor will be. What is in flight now returns when its hand-over lease is over.
            self._permits.unused(at_hand, ())
            raise
        granted = self._permits.of_turn(at_hand, turn.claimed)
        unmet = turn.unmet()[:MOST_ASKS]
        if turn.claimed:
            self._permits.stock_up(unmet)
            return granted, turn.claimed
        granted = await self._permits.reserve(unmet)
        taken = await self._take_on(token, granted)
        # Those that brought nothing say nothing of how long what was taken is good for.
        return [grant for grant in granted if grant.count], taken

    async def _turn(self, token: int, slots: int, at_hand: Sequence[Granted]) -> Turn:
        look = self._waker.begin_look()
        leaving = self._leaving[:SETTLE_BATCH]
        del self._leaving[:SETTLE_BATCH]
        permits = [Grant(g.terms.mailbox, g.terms.campaign, g.count, g.shortage is not None) for g in at_hand]
        # Should it fail, what was to leave flight leaves it when its lease there is over.
        turn = await self._queue.turn(token, HAND_OVER_US, slots, permits, leaving)
        due = turn.due
        # What is due beyond what may be asked for is for the next look, which is now.
        next_us = due.next_us if len(turn.unmet()) <= MOST_ASKS else due.now_us
        self._waker.arm(look, None if next_us is None else (next_us - due.now_us) / US)
        return turn

    async def _take_on(self, token: int, granted: Sequence[Granted]) -> list[Claimed]:
        """Takes what there are new permits for; parks what got fewer than it could use."""
        grants = [Grant(g.terms.mailbox, g.terms.campaign, g.count) for g in granted if g.count]
        try:
            taken = await self._queue.claim(token, HAND_OVER_US, grants) if grants else []
            # After the claim, which a park would stop.
            await self._permits.park(granted)
        except Exception:
            self._permits.unused(granted, ())
            raise
        if not taken:
            self._permits.unused(granted, ())
        return taken

    async def _hand_out(
        self, ask: Ask, finished: Sequence[Finished], granted: Sequence[Granted], token: int, taken: Sequence[Claimed]
    ) -> HandOut | None:
        try:
            committed = await self._commit(ask, finished, granted, token, taken)
        except ClaimTaken:
            await self._give_back(token, taken, granted)
            await self._settler.finish(finished)
            return await self._replay(ask) or HandOut(0, [])
        return await self._answer(ask, granted, token, taken, committed)

    async def _commit(
        self, ask: Ask, finished: Sequence[Finished], granted: Sequence[Granted], token: int, taken: Sequence[Claimed]
    ) -> dict[int, ClaimedRow]:
        now = time.monotonic()
        claim = Claim(
            token=token,
            claim_id=ask.claim_id,
            sender_id=ask.sender_id,
            incarnation=ask.incarnation,
            lease_s=self._lease_s,
            places=[(message.message, message.mailbox) for message in taken],
            permits=[grant.permit(now) for grant in granted],
        )
        committed = await claims.commit(self._pool, finished, claim)
        await self._settler.finished(finished, committed.settled, self._leaving)
        self._flush_soon()
        return committed.claimed

    async def _answer(
        self,
        ask: Ask,
        granted: Sequence[Granted],
        token: int,
        taken: Sequence[Claimed],
        claimed: dict[int, ClaimedRow],
    ) -> HandOut | None:
        """What was claimed, after the queue was told what was refused and the limiter what was not used."""
        refused = [message for message in taken if not _is_claimed(message, claimed)]
        # First of all: whatever fails below, these permits are not used.
        self._permits.unused(granted, claimed.values())
        if refused:
            self._permits.forget({lane_of(message) for message in refused})
            why = await self._refuser.refuse(token, refused)
            if Refusal.PERMIT_VOID in why:
                await self._limiter.compare_epochs(granted)
        rows = [claimed[message.message] for message in taken if _is_claimed(message, claimed)]
        if not rows:
            if refused and not await senders.living(self._pool, ask.sender_id, ask.incarnation):
                raise FailedPrecondition("another incarnation of this sender has been seen", reason="SENDER_REPLACED")
            return None
        # Postgres was so slow that a window may have ended: what was handed out would count in the old one.
        is_late = time.monotonic() >= min(grant.good_until for grant in granted)
        if is_late and await self._settler.take_back(token, [row.message for row in rows], self._lease_s):
            # Only now: where somebody was told of it after all, it was a hand-out, and its gap stands.
            await self._queue.unserve(token, _lanes(taken))
            return None
        _observe_lag(taken, claimed)
        # What is left is for the next in line.
        self._waker.wake()
        return HandOut(token, rows)

    async def _give_back(self, token: int, taken: Sequence[Claimed], granted: Sequence[Granted]) -> None:
        await self._queue.unserve(token, _lanes(taken))
        await self._queue.settle([Settled(m.mailbox, m.message, token, m.due_us) for m in taken])
        self._permits.unused(granted, ())

    def _flush_soon(self) -> None:
        if self._leaving and self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_S, self._flush_now)

    def _flush_now(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._leaving:
            leaving = self._leaving[:]
            self._leaving.clear()
            self._keep(self._leave(leaving))

    async def _leave(self, leaving: Sequence[Settled]) -> None:
        try:
            await self._settler.leave(leaving)
        except Exception as error:  # noqa: BLE001 - what the queue was not told leaves it when its lease there is over
            log.warning("leaving_not_told", error=type(error).__name__, messages=len(leaving))

    def _keep(self, work: Coroutine[object, object, object]) -> "asyncio.Task[HandOut | None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # type: ignore[arg-type]
        task.add_done_callback(self._tasks.discard)
        return task  # type: ignore[return-value]


def _token() -> int:
    """A new token: positive, so that it is a Postgres bigint and a Lua-safe string alike; never 0."""
    return secrets.randbits(62) + 1


def _lanes(taken: Sequence[Claimed]) -> list[tuple[int, int]]:
    return sorted({(message.mailbox, message.campaign) for message in taken})


def _is_claimed(message: Claimed, claimed: dict[int, ClaimedRow]) -> bool:
    """Whether a message was claimed where the queue had it: one that has moved may have come from both lanes."""
    row = claimed.get(message.message)
    return row is not None and row.mailbox == message.mailbox


def _observe_lag(taken: Sequence[Claimed], claimed: dict[int, ClaimedRow]) -> None:
    now_us = time.time_ns() // 1000
    for message in taken:
        if message.message in claimed:
            HAND_OUT_LAG.observe(max(0, now_us - message.due_us) / US)
