"""A rebuild beside live traffic converges: imports, claims, settles and sweeps go on while Redis is wiped
and schedulers die."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from maillane_chassis.errors import Failure
from maillane_scheduler.queue.errors import QueueUnavailable
from maillane_scheduler.store.lanes import Mark
from maillane_scheduler.store.marks import LAST_ID
from redis.asyncio import Redis

from .hazards import Killed, ignore_the_dead
from .played_sender import SENT, Mail, PlayedSender
from .rig import Copy, claiming, settling, sweep
from .world import World, settings

SEED = 20_261_124
CAMPAIGNS, EACH = 12, 20
WIPES, KILLS = 6, 6
END_S = 60
"""For all of it, on a busy machine; some seconds on an idle one."""

# What a scheduler answers whose store was wiped or whose life ended in the middle of a call.
UNANSWERED = (Killed, Failure, QueueUnavailable)


class Fleet:
    """Two schedulers, each replaced when it dies."""

    def __init__(self, made_with: Any) -> None:
        self._made_with = made_with
        self._chance = random.Random(SEED)
        self.copies: list[Copy] = []
        self._buried: list[Copy] = []

    async def start(self) -> None:
        self.copies = [await self._new(), await self._new()]

    @property
    def one(self) -> Copy:
        """Either of them."""
        return self._chance.choice(self.copies)

    async def kill_one(self) -> None:
        place = self._chance.randrange(2)
        dead, self.copies[place] = self.copies[place], await self._new()
        dead.fate.kill()
        self._buried.append(dead)

    async def stop(self) -> None:
        for copy in (*self.copies, *self._buried):
            await copy.scheduler.__aexit__(None, None, None)

    async def _new(self) -> Copy:
        copy = Copy(self._made_with)
        await copy.scheduler.__aenter__()
        return copy


@pytest.fixture
async def fleet(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[Fleet]:
    ignore_the_dead(asyncio.get_running_loop())

    class MadeWith:
        settings = settings(database_url, redis_url, limiter_target, dispatch_connections=2, api_connections=3)

    made = Fleet(MadeWith)
    await made.start()
    yield made
    await made.stop()


async def test_a_rebuild_beside_live_traffic_converges(fleet: Fleet, database_url: str, redis_url: str) -> None:
    """Everything is sent once, though the queue was lost six times, and six schedulers died, while all went on."""
    here = World(fleet.one.scheduler, database_url)
    [(here.workspace,)] = here.sql("INSERT INTO workspaces (name) VALUES ('w') RETURNING id")
    boxes = [here.mailbox(), here.mailbox(cap=6)]
    mail = Mail()
    done = asyncio.Event()
    work = [
        *(asyncio.create_task(_send(fleet, PlayedSender(mail), done)) for _ in range(3)),
        asyncio.create_task(_sweep(fleet, done)),
    ]
    async with asyncio.timeout(END_S):
        await asyncio.gather(_import(fleet, here, boxes), _wipe(redis_url), _kill(fleet))
        # What a scheduler had in hand when it died is looked up once its hand-over lease is over, by itself.
        while here.states() != {"SENT": CAMPAIGNS * EACH}:
            await asyncio.sleep(0.05)
    done.set()
    await asyncio.gather(*work)

    assert len(mail.sent) == CAMPAIGNS * EACH
    assert [await fleet.one.scheduler.queue.flight(box) for box in boxes] == [[], []]


async def test_what_is_imported_while_its_lane_is_loaded_does_not_pass_what_is_older(here: World) -> None:
    """All of it is due at once, so that the order of loading would be the order of sending."""
    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 3)
    await here.sweep()
    here.sql("DELETE FROM marks")
    # A rebuild has opened the lane, and is not through with it; two more are imported.
    here.sql(
        "INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id) VALUES (%s, %s, 0, %s)",
        campaign,
        mailbox,
        LAST_ID,
    )
    [(last,)] = here.sql("SELECT max(id) FROM messages")
    sync, queue = here.scheduler.sync, here.scheduler.queue
    await sync.enqueue(campaign, [], {mailbox: [(last + 1, 0), (last + 2, 0)]})
    here.sql("UPDATE messages SET id = %s WHERE id = %s", last + 9, last)
    await sync.load(Mark(0, campaign, mailbox, last + 9, last + 9))

    assert await queue.lane_size(mailbox, campaign) == 3


async def _import(fleet: Fleet, here: World, boxes: list[int]) -> None:
    for _ in range(CAMPAIGNS):
        campaign = here.campaign(boxes, EACH // 2)
        try:
            await fleet.one.scheduler.sync.campaign(campaign)
        except UNANSWERED:
            continue
        await asyncio.sleep(0.1)


async def _wipe(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        for _ in range(WIPES):
            await asyncio.sleep(0.2)
            await redis.flushall()


async def _kill(fleet: Fleet) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(0.2)
        await fleet.kill_one()


async def _send(fleet: Fleet, sender: PlayedSender, done: asyncio.Event) -> None:
    """Claims, sends, and tells, each again and again until it is answered."""
    while not done.is_set():
        request = sender.claim(5)
        try:
            sender.answered(request, await claiming(request)(fleet.one))
        except UNANSWERED:
            continue
        for hold in list(sender.holds):
            sender.begin(hold)
            sender.end(hold, SENT)
        told = sender.settle()
        try:
            await settling(told)(fleet.one)
        except UNANSWERED:
            continue
        sender.told(told.settles)


async def _sweep(fleet: Fleet, done: asyncio.Event) -> None:
    while not done.is_set():
        try:
            await sweep(fleet.one)
        except UNANSWERED:
            continue
        await asyncio.sleep(0.05)
