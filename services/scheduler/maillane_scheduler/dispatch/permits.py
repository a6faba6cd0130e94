"""The permits of claims: at hand, reserved, given back where they are not used, parked for where there are none."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from maillane_scheduler.dispatch.limiter import Granted, Limiter, Return, Wanted
from maillane_scheduler.dispatch.settler import Settler
from maillane_scheduler.dispatch.stock import HOLD_S, Lane, Stock, lane_of
from maillane_scheduler.dispatch.terms import TermsCache
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import Claimed, Offer
from maillane_scheduler.states import ParkReason
from maillane_scheduler.store import parks
from maillane_scheduler.store.claims import ClaimedRow
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.parks import GATE, Park
from maillane_scheduler.waker import Waker

log = structlog.get_logger()

# An event loop's timers may be early by a tick.
IDLE_S = HOLD_S + 0.01
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Permits:
    """What one scheduler reserves, holds and returns. Cycles share it."""

    def __init__(self, queue: Queue, pool: DispatchPool, limiter: Limiter, settler: Settler, waker: Waker) -> None:
        self._queue = queue
        self._pool = pool
        self._limiter = limiter
        self._settler = settler
        self._waker = waker
        self._terms = TermsCache(pool)
        self._stock = Stock()
        self._stopping = False
        self._idle: asyncio.TimerHandle | None = None
        # What goes on beside the cycles: refunds. Kept, or the loop may drop them half done.
        self._tasks: set[asyncio.Task[None]] = set()

    def at_hand(self, most: int) -> list[Granted]:
        """Takes what was reserved ahead, up to `most` of each lane. Whatever is not used must come back: `unused`."""
        return self._stock.take(most, time.monotonic())

    def of_turn(self, at_hand: Sequence[Granted], taken: Sequence[Claimed]) -> list[Granted]:
        """Those at hand that a turn used, lane by lane; the others are put back."""
        counts = Counter(map(lane_of, taken))
        self._put_back([(grant, grant.count - counts[lane_of(grant)]) for grant in at_hand])
        return [replace(grant, count=count) for grant in at_hand if (count := counts[lane_of(grant)])]

    async def reserve(self, offers: Sequence[Offer]) -> list[Granted]:
        """Permits for what is due, as far as there are any; and more for what comes next, which are kept at hand.

        Raises:
            Unavailable: the limiter does not answer.
        """
        return await self._reserve(offers, self._begin_asking(offers))

    def stock_up(self, offers: Sequence[Offer]) -> None:
        """Has permits at hand soon for what was due and got none, beside what the caller does."""
        asking = self._begin_asking(offers)
        if asking:
            missing = [offer for offer in offers if (offer.campaign, offer.mailbox) in asking]
            self._later(self._stock_up(missing, asking))

    async def _stock_up(self, offers: Sequence[Offer], asking: set[Lane]) -> None:
        granted = await self._reserve(offers, asking)
        for grant in granted:
            if grant.count:
                self._keep(grant)
        # Those that got some park when they find no more; and so do those that others leave nothing for, which are
        # about to use it: parked, nobody could.
        await self.park([grant for grant in granted if not grant.count and not self._stock.rivals(grant)])
        self._waker.wake()

    async def park(self, granted: Sequence[Granted]) -> None:
        """Sets aside, until there are more, what got fewer permits than it could use.

        Not what has some at hand yet: the next turn takes them, and the one behind it finds no more. Parked, they would
        have to go back, which lifts the park, and be reserved again.
        """
        now = time.monotonic()
        short = [grant for grant in granted if grant.shortage is not None and not self._stock.end(grant, now)]
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
        # Also what this scheduler holds ahead of them: no turn takes it past their parks.
        self._return_later(self._stock.drop({lane for grant in short for lane in self._stock.rivals(grant)}))
        self._later(self._look_again(short))

    def unused(self, granted: Sequence[Granted], rows: Collection[ClaimedRow]) -> None:
        """Puts back, or gives back beside what the caller does, what was not used of permits."""
        used = Counter((row.campaign, row.mailbox) for row in rows)
        now = time.monotonic()
        for lane, count in used.items():
            self._stock.used(lane, count, now)
        self._put_back([(grant, grant.count - used[lane_of(grant)]) for grant in granted])

    def forget(self, lanes: Collection[Lane]) -> None:
        """What is known of lanes, and held for them, may be worth nothing any more: their claims were refused."""
        for lane in lanes:
            self._terms.forget(lane)
        self._return_later(self._stock.drop(lanes))

    def stop(self) -> None:
        """Holds nothing more ahead; what is held is given back."""
        self._stopping = True
        self._return_later(self._stock.drop_all())

    async def quiet(self) -> None:
        """Waits for what goes on beside the cycles."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _wanted(self, offers: Sequence[Offer], asking: set[Lane]) -> list[Wanted]:
        terms = await self._terms.get([(offer.campaign, offer.mailbox) for offer in offers])
        now = time.monotonic()
        wanted = []
        for offer in offers:
            lane = (offer.campaign, offer.mailbox)
            if not offer.count:
                # Its index says that something is due, and nothing is: Redis has lost the lane alone. No other may be
                # held up by that. The sweep finds what is missing.
                await self._queue.reindex(offer.mailbox, offer.campaign)
            elif found := terms.get(lane):
                wanted.append(Wanted(found, offer.count, self._stock.ahead(lane, now) if lane in asking else 0))
            else:
                await self._queue.clear_lane(offer.mailbox, offer.campaign)
        return wanted

    def _begin_asking(self, offers: Sequence[Offer]) -> set[Lane]:
        """The lanes for which nobody else is reserving ahead."""
        lanes = {(offer.campaign, offer.mailbox) for offer in offers}
        return {lane for lane in lanes if not self._stopping and self._stock.begin_asking(lane)}

    async def _reserve(self, offers: Sequence[Offer], asking: set[Lane]) -> list[Granted]:
        try:
            wanted = await self._wanted(offers, asking)
            granted = await self._limiter.reserve(_name(), wanted) if wanted else []
        finally:
            self._stock.end_asking(asking)
        return [self._split(grant, want.count) for grant, want in zip(granted, wanted, strict=True)]

    def _split(self, granted: Granted, count: int) -> Granted:
        """What was wanted of a grant; what came ahead is kept."""
        if granted.count <= count:
            return granted
        self._keep(replace(granted, count=granted.count - count, shortage=None))
        return replace(granted, count=count)

    def _keep(self, granted: Granted) -> None:
        if self._stopping:
            self._return_later([granted])
            return
        self._return_later(self._stock.add(granted, time.monotonic()))
        self._watch_idle()

    def _watch_idle(self) -> None:
        """One timer for all lots, so that what is left of many goes back at once."""
        if self._idle is None and not self._stock.is_empty:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._return_idle)

    def _return_idle(self) -> None:
        self._idle = None
        self._return_later(self._stock.drop_idle(time.monotonic()))
        self._watch_idle()

    def _put_back(self, left: Sequence[tuple[Granted, int]]) -> None:
        unused = [
            replace(grant, count=count) for grant, count in left if count > 0 and not self._stock.put_back(grant, count)
        ]
        self._return_later(unused)

    def _return_later(self, unused: Sequence[Granted]) -> None:
        if unused:
            self._later(self._return(unused))

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

    async def _return(self, unused: Sequence[Granted]) -> None:
        # A name of its own each time: what is left of a reservation may come back in parts, also to the same claim.
        name = f"unused-{_name()}"
        await self._limiter.refund(
            [Return(grant.terms.workspace, grant.reservation_id, name, grant.count) for grant in unused]
        )
        # Also where this claim was not short itself: while it held them, others found no permits, and parked.
        await self._settler.lift(ParkReason.LIMIT, sorted({place for grant in unused for place in _places(grant)}))

    def _later(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._told(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _told(work: Coroutine[object, object, object]) -> None:
        """Does what nobody waits for, and tells where it fails: permits are lost for their window, or a park stays."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would hear of it
            log.warning("return_failed", error=type(error).__name__, detail=str(error)[:200])


def _name() -> str:
    return f"{secrets.randbits(62):x}"


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
        of_deployment=shortage.of_deployment,
        mailbox_revision=terms.mailbox_revision,
        campaign_revision=terms.campaign_revision,
    )


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
