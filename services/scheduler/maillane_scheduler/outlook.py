"""How a workspace stands, and when what waits in it leaves: Postgres, the queue and the limiter, put together."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from maillane.ratelimit.v1 import rate_limit_service_pb2 as limits_pb
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.dispatch.meter import Meter, Used
from maillane_scheduler.forecast.forecast import forecast
from maillane_scheduler.forecast.trace import Trace
from maillane_scheduler.forecast.world import Allowed, Gate, Lane, Pace, Place, World
from maillane_scheduler.queue.connection import is_away
from maillane_scheduler.queue.errors import QueueUnavailable
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.queue.values import Standing
from maillane_scheduler.states import CampaignState, MailboxState, ParkReason, StopReason
from maillane_scheduler.store import outlooks
from maillane_scheduler.store.outlooks import Box, Facts, OpenLane

US = 1_000_000
# Some ms, where all is well.
GLANCE_S = 0.7
_NOTHING = Standing(0, None, None, None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A lane of an open campaign, as it waits now.

    Attributes:
        why: what holds its first message until `ready_us`.
    """

    lane: OpenLane
    count: int
    ready_us: int
    why: Pace

    @property
    def place(self) -> Place:
        """Which lane it is."""
        return (self.lane.campaign, self.lane.mailbox)


@dataclass(frozen=True, slots=True)
class Outlook:
    """A workspace at one instant.

    Attributes:
        hours, days: what is used of mailboxes' limits; empty: the limiter does not say.
        campaign_hours: the same of campaigns that have a limit.
        served_us: when each mailbox sent last.
    """

    now_us: int
    hour_us: int
    day_us: int
    facts: Facts
    waiting: Mapping[Place, Waiting]
    hours: Mapping[int, Used]
    days: Mapping[int, Used]
    campaign_hours: Mapping[int, Used]
    served_us: Mapping[int, int]

    def is_going(self, waiting: Waiting) -> bool:
        """Whether a lane sends, or will by itself: nobody has to do anything for it."""
        if self.facts.stopped or waiting.lane.state is not CampaignState.ACTIVE:
            return False
        return can_send(self.facts.boxes.get(waiting.lane.mailbox))

    def of_campaign(self, campaign: int) -> list[Waiting]:
        """The lanes of a campaign, in its order."""
        return [waiting for waiting in self.waiting.values() if waiting.lane.campaign == campaign]

    def lanes(self) -> list[Lane]:
        """The lanes that send."""
        return [
            Lane(*waiting.place, waiting.count, waiting.ready_us, waiting.lane.delay_us, waiting.why)
            for waiting in self.waiting.values()
            if waiting.count and self.is_going(waiting)
        ]

    def world(self, lanes: Sequence[Lane], limits: Mapping[int, int | None]) -> World:
        """What a forecast of these lanes starts from.

        Args:
            limits: of campaigns, in place of those that they have.
        """
        by_mailbox: dict[int, list[Lane]] = {}
        for lane in lanes:
            by_mailbox.setdefault(lane.mailbox, []).append(lane)
        own = {waiting.lane.campaign: waiting.lane.campaign_limit for waiting in self.waiting.values()} | dict(limits)
        return World(
            self.now_us,
            self.hour_us,
            self.day_us,
            [self._gate(self.facts.boxes[mailbox], mine) for mailbox, mine in by_mailbox.items()],
            {
                campaign: Allowed(limit, self.campaign_hours.get(campaign, Used()).used)
                for campaign, limit in own.items()
                if limit is not None
            },
        )

    def _gate(self, box: Box, lanes: Sequence[Lane]) -> Gate:
        holds = [(self.served_us.get(box.id, 0) + box.gap_us, Pace.MIN_GAP)]
        holds += [
            (park.until_us, Pace.HOURLY_LIMIT if park.reason is ParkReason.LIMIT else Pace.PARKED)
            for park in outlooks.gate_parks(box)
            # A limit is used up where the limiter says so, if it says anything; it is not asked of the deployment.
            if park.reason is not ParkReason.LIMIT or park.of_deployment or box.id not in self.hours
        ]
        ready_us, why = max(holds)
        hour = Allowed(box.hourly_limit, self.hours.get(box.id, Used()).used)
        day = None if box.daily_limit is None else Allowed(box.daily_limit, self.days.get(box.id, Used()).used)
        return Gate(box.id, ready_us, box.gap_us, hour, day, lanes, why)


class Outlooks:
    """Looks at workspaces."""

    def __init__(self, engine: AsyncEngine, queue: Queue, meter: Meter) -> None:
        self._engine = engine
        self._queue = queue
        self._meter = meter

    async def look(self, workspace_id: int) -> Outlook:
        """How a workspace stands now: some ms."""
        async with self._engine.connect() as connection:
            facts = await outlooks.facts(connection, workspace_id)
        standing = await self._queue.standing([(lane.mailbox, lane.campaign) for lane in facts.lanes])
        now_us = await self._queue.now_us()
        hours, days, campaigns = await self._usage(workspace_id, facts)
        limits = self._meter.limits
        return Outlook(
            now_us,
            # A rolling hour of n + 1 parts, of which one is only coming in, is nearest to a window as long as all.
            limits.hour_s * US * (limits.parts + 1) // limits.parts if limits.parts else limits.hour_s * US,
            limits.day_s * US,
            facts,
            {found.place: found for found in _waiting(facts, standing, now_us)},
            hours,
            days,
            campaigns,
            {
                lane.mailbox: stands.gate_served_us
                for lane, stands in zip(facts.lanes, standing, strict=True)
                if stands.gate_served_us is not None
            },
        )

    async def glance(self, workspace_id: int) -> Outlook | None:
        """As `look`, for what is said beside something else: None where that takes long, or the queue is away."""
        try:
            async with asyncio.timeout(GLANCE_S):
                return await self.look(workspace_id)
        except Exception as error:
            if isinstance(error, TimeoutError | QueueUnavailable) or is_away(error):
                return None
            raise

    async def places(self, messages: Sequence[tuple[int, int, int]]) -> list[int | None]:
        """The place of each (mailbox, campaign, message) in its lane; None where it does not wait."""
        return await self._queue.places(messages)

    async def waiting(self, places: Sequence[tuple[int, int, int]], most: int) -> list[list[int]]:
        """Messages of (mailbox, campaign) from a place on, up to `most` of each."""
        return await self._queue.waiting(places, most)

    async def forecast(self, outlook: Outlook) -> dict[Place, Trace]:
        """When what waits leaves, by lane; what a person holds up is left out."""
        return await self.run(lambda: forecast(outlook.world(outlook.lanes(), {})))

    @staticmethod
    async def run(work: Callable[[], dict[Place, Trace]]) -> dict[Place, Trace]:
        """Forecasts in a thread: tens of ms, in which claims must not wait."""
        return await asyncio.to_thread(work)

    async def _usage(self, workspace_id: int, facts: Facts) -> tuple[dict[int, Used], dict[int, Used], dict[int, Used]]:
        mailbox, campaign = limits_pb.SCOPE_MAILBOX, limits_pb.SCOPE_CAMPAIGN
        boxes = list(facts.boxes.values())
        with_days = [box for box in boxes if box.daily_limit is not None]
        campaigns = sorted({lane.campaign for lane in facts.lanes if lane.campaign_limit is not None})
        used = await self._meter.read(
            workspace_id,
            [
                *((mailbox, box.address_key, False) for box in boxes),
                *((mailbox, box.address_key, True) for box in with_days),
                *((campaign, str(which), False) for which in campaigns),
            ],
        )
        if used is None:
            return {}, {}, {}
        hours = {box.id: each for box, each in zip(boxes, used, strict=False)}
        days = {box.id: each for box, each in zip(with_days, used[len(boxes) :], strict=False)}
        rest = used[len(boxes) + len(with_days) :]
        return hours, days, dict(zip(campaigns, rest, strict=True))


def can_send(box: Box | None) -> bool:
    """Whether a mailbox sends, or will by itself; None: nothing is known of it, as a workspace may have too many."""
    return box is not None and box.state is MailboxState.ACTIVE and box.stop_reason != StopReason.PASSWORD_REFUSED


def _waiting(facts: Facts, standing: Sequence[Standing], now_us: int) -> list[Waiting]:
    """Lanes as the queue has them; what it has not loaded yet is divided as the lanes are sized."""
    known: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for lane, stands in zip(facts.lanes, standing, strict=True):
        known[lane.campaign] = known.get(lane.campaign, 0) + stands.waiting
        sizes[lane.campaign] = sizes.get(lane.campaign, 0) + lane.size
    found = []
    for lane, stands in zip(facts.lanes, standing, strict=True):
        missing = max(0, lane.pending - known[lane.campaign]) * lane.size // max(1, sizes[lane.campaign])
        begin = max(stands.head_us or 0, lane.base_us if not stands.waiting else 0)
        ready_us = max(begin, (stands.served_us or 0) + lane.delay_us, *_lane_parks(facts, lane))
        why = Pace.START if lane.base_us > now_us else Pace.DELAY
        found.append(Waiting(lane, stands.waiting + missing, ready_us, why))
    return found


def _lane_parks(facts: Facts, lane: OpenLane) -> list[int]:
    """Parks of a lane but those by its campaign's limit, which the limiter tells of."""
    box = facts.boxes.get(lane.mailbox)
    if box is None:
        return [0]
    return [0] + [
        park.until_us for park in box.parks if park.campaign == lane.campaign and park.reason is not ParkReason.LIMIT
    ]
