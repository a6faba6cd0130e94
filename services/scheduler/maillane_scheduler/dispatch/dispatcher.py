"""One claim of a sender, from what is due to messages that are durably its own."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from maillane_chassis.errors import FailedPrecondition

from maillane_scheduler.dispatch.limiter import MOST_ASKS, Granted, Limiter, Return, Wanted
from maillane_scheduler.dispatch.refuser import Refuser
from maillane_scheduler.dispatch.settler import Settler
from maillane_scheduler.dispatch.terms import TermsCache
from maillane_scheduler.handover import Ask, Finished
from maillane_scheduler.metrics import HAND_OUT_LAG
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import Claimed, Grant, Offer, Settled
from maillane_scheduler.states import ParkReason
from maillane_scheduler.store import claims, leases, parks, senders
from maillane_scheduler.store.claims import Claim, ClaimedRow, ClaimTaken
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.parks import GATE, Park
from maillane_scheduler.store.refusals import Refusal
from maillane_scheduler.waker import Waker

log = structlog.get_logger()

# From the claim script to the compare-and-set, which takes milliseconds. What is left then is looked up in Postgres.
HAND_OVER_US = 5_000_000
# A poll that found nothing looks again once it is woken; at least so often, should every hint be lost.
LOOK_S = 5.0
US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HandOut:
    """Messages that are the sender's now, in the order in which they should be sent."""

    token: int
    rows: list[ClaimedRow]


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
        self._settler = settler
        self._refuser = refuser
        self._waker = waker
        self._terms = TermsCache(pool)
        self._lease_s = lease_s
        # More cycles at once than connections would only wait for one another.
        self._cycles = asyncio.Semaphore(cycles)
        self._stopping = False
        # What goes on after an answer: refunds. Kept, or the loop may drop them half done.
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
        self._waker.wake_all()

    async def close(self) -> None:
        """Waits for what goes on after answers."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _close(self, ask: Ask) -> HandOut:
        """Answers a claim with nothing, for good: another scheduler may be about to commit this claim id.

        A tombstone stops it; where it was faster, its messages are the answer.
        """
        if await leases.bury(self._pool, _token(), ask.claim_id, ask.sender_id, ask.incarnation):
            return HandOut(0, [])
        return await self._replay(ask) or HandOut(0, [])

    async def _replay(self, ask: Ask) -> HandOut | None:
        found = await leases.replay(self._pool, ask.claim_id, ask.sender_id, ask.incarnation, self._lease_s)
        return None if found is None else HandOut(found.token, found.rows)

    async def _cycle(self, ask: Ask, finished: Sequence[Finished]) -> HandOut | None:
        """One look: None where nothing can be handed out now (and what is finished is settled)."""
        async with self._cycles:
            try:
                look = self._waker.begin_look()
                due = await self._queue.due(ask.slots)
                offers = due.offers[:MOST_ASKS]
                # What is due beyond them is for the next look, which is now.
                next_us = due.next_us if len(offers) == len(due.offers) else due.now_us
                self._waker.arm(look, None if next_us is None else (next_us - due.now_us) / US)
                granted = await self._reserve(offers)
            except Exception:
                # What is finished does not wait for whatever stands in the way of more.
                await self._settler.finish(finished)
                raise
            if any(grant.count for grant in granted):
                return await self._take(ask, finished, granted)
            await self._park(granted)
            if finished:
                await self._settler.finish(finished)
            return None

    async def _reserve(self, offers: Sequence[Offer]) -> list[Granted]:
        """Permits for what is due, as far as there are any."""
        if not offers:
            return []
        terms = await self._terms.get([(offer.campaign, offer.mailbox) for offer in offers])
        wanted = []
        for offer in offers:
            if found := terms.get((offer.campaign, offer.mailbox)):
                wanted.append(Wanted(found, offer.count))
            else:
                await self._queue.clear_lane(offer.mailbox, offer.campaign)
        return await self._limiter.reserve(f"{_token():x}", wanted) if wanted else []

    async def _park(self, granted: Sequence[Granted]) -> None:
        """Sets aside, until there are more, what got fewer permits than it could use."""
        short = [grant for grant in granted if grant.shortage is not None]
        if not short:
            return
        now_us = await self._queue.now_us()
        found = {
            (park.mailbox, park.campaign): park for grant in short if (park := _park_of(grant, now_us)) is not None
        }
        for park in found.values():
            await self._settler.park(park.mailbox, park.campaign, park.reason, _us(park.until))
        # After the queue: who changes a limit commits, then lifts its parks there, this one as well.
        if outdated := set(found) - await parks.put(self._pool, list(found.values())):
            await self._unpark(granted, outdated)
        self._keep(self._told(self._look_again(short)))

    async def _look_again(self, short: Sequence[Granted]) -> None:
        """Lifts parks where permits came back before they stood: who brought them found nothing to lift.

        Who returns permits refunds, then lifts; who parks parks, then looks: one of the two sees the other.
        """
        for grant in short:
            if await self._limiter.has_room(grant.terms):
                await self._settler.lift(ParkReason.LIMIT, _places(grant))

    async def _unpark(self, granted: Sequence[Granted], places: set[tuple[int, int]]) -> None:
        """Lifts parks that rest on limits of before: no compare-and-set refuses what was not even granted."""
        mailboxes = {mailbox for mailbox, _ in places}
        for grant in granted:
            if grant.terms.mailbox in mailboxes:
                self._terms.forget((grant.terms.campaign, grant.terms.mailbox))
        await self._settler.lift(ParkReason.LIMIT, sorted(places))

    async def _take(self, ask: Ask, finished: Sequence[Finished], granted: Sequence[Granted]) -> HandOut | None:
        token = _token()
        grants = [Grant(g.terms.mailbox, g.terms.campaign, g.count) for g in granted if g.count]
        try:
            taken = await self._queue.claim(token, HAND_OVER_US, grants)
            # After the claim, which a park would stop.
            await self._park(granted)
        except Exception:
            # Nothing was committed, nor will be. What is in flight now returns when its hand-over lease is over.
            self._refund_unused(granted, token, ())
            raise
        try:
            committed = await self._commit(ask, finished, granted, token, taken)
        except ClaimTaken:
            await self._give_back(token, taken, granted)
            if finished:
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
        committed = await claims.commit(self._pool, finished, claim if taken else None)
        await self._settler.finished(finished, committed.settled)
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
        self._refund_unused(granted, token, claimed.values())
        if refused:
            for message in refused:
                self._terms.forget((message.campaign, message.mailbox))
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
        self._refund_unused(granted, token, ())

    def _refund_unused(self, granted: Sequence[Granted], token: int, rows: Collection[ClaimedRow]) -> None:
        used = Counter((row.campaign, row.mailbox) for row in rows)
        unused = [
            (grant, left)
            for grant in granted
            if (left := grant.count - used[grant.terms.campaign, grant.terms.mailbox]) > 0
        ]
        if unused:
            self._keep(self._told(self._return(unused, f"unused-{token:x}")))

    async def _return(self, unused: Sequence[tuple[Granted, int]], name: str) -> None:
        await self._limiter.refund(
            [Return(grant.terms.workspace, grant.reservation_id, name, left) for grant, left in unused]
        )
        # Also where this claim was not short itself: while it held them, others found no permits, and parked.
        await self._settler.lift(ParkReason.LIMIT, sorted({place for grant, _ in unused for place in _places(grant)}))

    @staticmethod
    async def _told(work: Coroutine[object, object, object]) -> None:
        """Does what nobody waits for, and tells where it fails: permits are lost for their window, or a park stays."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would hear of it
            log.warning("return_failed", error=type(error).__name__, detail=str(error)[:200])

    def _keep(self, work: Coroutine[object, object, object]) -> "asyncio.Task[HandOut | None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # type: ignore[arg-type]
        task.add_done_callback(self._tasks.discard)
        return task  # type: ignore[return-value]


def _places(grant: Granted) -> list[tuple[int, int]]:
    """What its lane's limits park."""
    terms = grant.terms
    return [(terms.mailbox, GATE), (terms.mailbox, terms.campaign)]


def _park_of(grant: Granted, now_us: int) -> Park | None:
    if grant.shortage is None:
        return None
    terms, shortage = grant.terms, grant.shortage
    return Park(
        mailbox=terms.mailbox,
        campaign=GATE if shortage.whole_mailbox else terms.campaign,
        reason=ParkReason.LIMIT,
        # From the queue's now, which is later than the limiter's answer: a park that ended too soon would be met again
        # at once, and so for as long as the clocks are apart.
        until=_EPOCH + timedelta(microseconds=now_us + shortage.wait_us),
        detail=shortage.detail,
        mailbox_revision=terms.mailbox_revision,
        campaign_revision=terms.campaign_revision,
    )


def _token() -> int:
    """A new token: positive, so that it is a Postgres bigint and a Lua-safe string alike; never 0."""
    return secrets.randbits(62) + 1


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


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
