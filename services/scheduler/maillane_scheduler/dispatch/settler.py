"""What became of messages: told to Postgres first, then to the queue, then to the limiter."""

from collections import Counter
from collections.abc import Sequence

import structlog

from maillane_scheduler.dispatch.limiter import Limiter, Return
from maillane_scheduler.handover import Finished, Report
from maillane_scheduler.metrics import BACKOFFS, CAPS_LOWERED, OUTCOMES, REJECTED_CAMPAIGNS
from maillane_scheduler.queue.parks import QUEUE_PARKS
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import Settled
from maillane_scheduler.states import MessageState, ParkReason
from maillane_scheduler.store import caps, claims, lanes, parks, rejections, releases
from maillane_scheduler.store.claims import SettledRow
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.parks import GATE
from maillane_scheduler.store.releases import Backoff, Refund, ReleasedRow
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.waker import Waker

log = structlog.get_logger()

# Of what the deployment's cap has parked, in one look: two calls to the queue each, some 100 ms.
LIFTED_AT_ONCE = 100


class Settler:
    """Settles messages. Everything here is safe to repeat: a token settles once."""

    def __init__(
        self,
        queue: Queue,
        pool: DispatchPool,
        limiter: Limiter,
        sync: Sync,
        waker: Waker,
        *,
        retry: Backoff,
        rest: tuple[float, float],
        most_rejections: int,
    ) -> None:
        self._queue = queue
        self._pool = pool
        self._limiter = limiter
        self._sync = sync
        self._waker = waker
        self._retry = retry
        self._rest_first_s, self._rest_most_s = rest
        self._most_rejections = most_rejections
        # Mailboxes whose next back-off is not their first, as far as this process knows; the sweep refreshes it.
        self.backing_off: set[int] = set()
        # The same of campaigns with refusals, because of what they send, that are still to be made up for.
        self.rejected: set[int] = set()

    async def finish(self, finished: Sequence[Finished]) -> int:
        """Settles what needs no more sending; returns how many took effect."""
        if not finished:
            return 0
        committed = await claims.commit(self._pool, finished, None)
        return await self.finished(finished, committed.settled)

    async def finished(
        self, finished: Sequence[Finished], settled: Sequence[SettledRow], leaving: list[Settled] | None = None
    ) -> int:
        """Goes on after the commit of `finished`, of which `settled` took effect: the late ones, and the queue.

        With `leaving`, the queue is not told here: what leaves flight is added to that, for the caller to tell.

        Returns how many took effect in all.
        """
        if not finished:
            return 0
        done = {(row.message, row.token) for row in settled}
        late = [one for one in finished if (one.message, one.token) not in done]
        rows = [*settled, *(await releases.settle_late(self._pool, late) if late else ())]
        if leaving is None:
            await self._leave_flight(rows)
        else:
            leaving.extend(_settled(row) for row in rows)
        await self._recover(finished, rows)
        await self._judge(finished, rows)
        for one in finished:
            OUTCOMES.labels(one.state.name.lower()).inc()
        return len(rows)

    async def leave(self, leaving: Sequence[Settled]) -> None:
        """Tells the queue what leaves flight; what is not told leaves it when its lease there is over."""
        await self._queue.settle(leaving)
        self._waker.wake()

    async def release(self, report: Report) -> int:
        """Returns what was not sent to where it came from, or to its next try; parks mailboxes that are under strain.

        Returns how many took effect.
        """
        if not report.released:
            return 0
        rows, refunds = await releases.release(self._pool, report.released, self._retry)
        # The mailbox rests before its messages are back, or the next claim would take them at once.
        await self._rest(report, [row.settled for row in rows])
        return await self._released(rows, refunds)

    async def take_back(self, token: int, messages: Sequence[int], lease_s: float) -> bool:
        """Takes back a claim that nobody has been told of: no attempt is spent. Returns whether that is so.

        Args:
            lease_s: what the claim was committed with.
        """
        rows, refunds = await releases.take_back(self._pool, token, messages, lease_s, self._retry)
        return bool(await self._released(rows, refunds))

    async def _released(self, rows: Sequence[ReleasedRow], refunds: Sequence[Refund]) -> int:
        due = {row.settled.message: row.due_us for row in rows}
        all_back = await self._leave_flight([row.settled for row in rows], due)
        marks = [row.mark for row in rows if row.mark is not None]
        # What the queue did not have in flight is not back in its lane either: it had given it up (a commit that took
        # longer than the hand-over lease), or it is another generation. The sweep finds the marks, and loads it.
        if marks and all_back:
            await lanes.clear(self._pool, marks)
        await self._refund(refunds, [row.settled for row in rows])
        for _ in rows:
            OUTCOMES.labels("released").inc()
        return len(rows)

    async def park(self, mailbox: int, campaign: int, reason: ParkReason, until_us: int) -> None:
        """Sets a mailbox (campaign GATE) or one of its lanes aside in the queue; 0 lifts."""
        if campaign == GATE:
            await self._queue.park_gate(mailbox, QUEUE_PARKS[reason], until_us)
        else:
            await self._queue.park_lane(mailbox, campaign, QUEUE_PARKS[reason], until_us)

    async def lift(self, reason: ParkReason, places: Sequence[tuple[int, int]]) -> None:
        """Lifts the parks of one reason of (mailbox, campaign or GATE): what held them may be over.

        With a lane, those of its campaign in other mailboxes: a campaign's limit holds over all of them.
        """
        campaigns = sorted({campaign for _, campaign in places if campaign != GATE})
        beside = await parks.of_campaigns(self._pool, reason, campaigns) if campaigns else []
        held = sorted({*places, *beside})
        for mailbox, campaign in held:
            await self.park(mailbox, campaign, reason, 0)
        # Again, where there was one: who told the queue of it meanwhile had read it before it was gone.
        for mailbox, campaign in await parks.lift(self._pool, reason, held):
            await self.park(mailbox, campaign, reason, 0)
        self._waker.wake()

    async def look_at_deployment(self) -> None:
        """Lets as many of what the deployment's cap has parked ask again as it has permits.

        For those came back from elsewhere, or the cap is another one than it was: whoever returns permits lifts only
        what their own lanes hold, or each would wake all. Who finds no more is parked again.
        """
        held = await parks.of_deployment(self._pool, LIFTED_AT_ONCE)
        if held and (room := await self._limiter.room_of_deployment(len(held))):
            await self.lift(ParkReason.LIMIT, held[:room])

    async def _leave_flight(self, rows: Sequence[SettledRow], due: dict[int, int | None] | None = None) -> bool:
        """Tells the queue; returns whether it had all of them in flight."""
        if not rows:
            return True
        due = due or {}
        left = await self._queue.settle([_settled(row, due.get(row.message)) for row in rows])
        self._waker.wake()
        return left == len(rows)

    async def _rest(self, report: Report, rows: Sequence[SettledRow]) -> None:
        crowded = Counter(row.mailbox for row in rows if (row.message, row.token) in report.crowded)
        eased = {mailbox for mailbox, refused in sorted(crowded.items()) if await self._ease(mailbox, refused)}
        strains = {
            row.mailbox: detail
            for row in rows
            if (detail := report.strained.get((row.message, row.token)))
            and not (row.mailbox in eased and (row.message, row.token) in report.crowded)
        }
        for mailbox, detail in strains.items():
            tokens = sorted({row.token for row in rows if row.mailbox == mailbox})
            rest = await parks.back_off(self._pool, mailbox, self._rest_first_s, self._rest_most_s, detail, tokens)
            now_us = await self._queue.now_us()
            # Also where it rests already: who sent it to rest may have died before the queue knew, and until it does
            # the same messages would go out, and come back, again and again.
            await self.park(mailbox, GATE, ParkReason.BACKOFF, now_us + int(rest.seconds * 1_000_000))
            # Who resumed it meanwhile deleted the row, then told the queue: before this park, it may be.
            if not await parks.stands(self._pool, mailbox, GATE, ParkReason.BACKOFF):
                await self.park(mailbox, GATE, ParkReason.BACKOFF, 0)
            self.backing_off.add(mailbox)
            if rest.is_new:
                BACKOFFS.inc()
                log.warning("mailbox_rests", mailbox=mailbox, seconds=round(rest.seconds, 1))

    async def _ease(self, mailbox: int, refused: int) -> bool:
        """Lowers a mailbox's cap, in the queue too; returns False where it is at one already."""
        cap = await caps.lower(self._pool, mailbox, refused)
        if cap is None:
            return False
        await self._sync.mailboxes([mailbox])
        CAPS_LOWERED.inc()
        log.warning("mailbox_crowds_its_server", mailbox=mailbox, cap=cap)
        return True

    async def _judge(self, finished: Sequence[Finished], rows: Sequence[SettledRow]) -> None:
        """Pauses campaigns of which servers refuse too much because of what they send.

        Statements of their own, and only where there is such a refusal, or one is still to be made up for.
        """
        campaigns = {(row.message, row.token): row.campaign for row in rows}
        settled = [(campaign, one) for one in finished if (campaign := campaigns.get((one.message, one.token)))]
        refused = Counter(campaign for campaign, one in settled if one.of_campaign)
        taken = Counter(campaign for campaign, one in settled if one.state is MessageState.SENT)
        replies = {campaign: one.reply for campaign, one in settled if one.of_campaign}
        self.rejected |= refused.keys()
        for campaign in sorted(self.rejected & (refused.keys() | taken.keys())):
            paused = await rejections.count(
                self._pool,
                campaign,
                refused[campaign],
                taken[campaign],
                self._most_rejections,
                replies.get(campaign, ""),
            )
            if paused is not None:
                await self._queue.set_campaign(campaign, paused, True)
                REJECTED_CAMPAIGNS.inc()
                log.warning("campaign_paused", campaign=campaign, why="too many rejections")

    async def _recover(self, finished: Sequence[Finished], rows: Sequence[SettledRow]) -> None:
        sent = {one.message for one in finished if one.state is MessageState.SENT}
        well = {row.mailbox for row in rows if row.message in sent} & self.backing_off
        if well:
            await parks.recover(self._pool, sorted(well))
            self.backing_off -= well

    async def _refund(self, refunds: Sequence[Refund], rows: Sequence[SettledRow]) -> None:
        if not refunds:
            return
        returns = [
            Return(back.workspace, back.reservation_id, f"{back.token:x}-{back.message:x}", 1) for back in refunds
        ]
        await self._limiter.refund(returns)
        places = {place for row in rows for place in ((row.mailbox, GATE), (row.mailbox, row.campaign))}
        await self.lift(ParkReason.LIMIT, sorted(places))


def _settled(row: SettledRow, due_us: int | None = None) -> Settled:
    return Settled(row.mailbox, row.message, row.token, due_us)
