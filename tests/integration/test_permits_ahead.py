"""Permits that a scheduler reserves ahead: they spare calls, are exact near a limit, and come back when idle."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from maillane_scheduler.queue.values import Claimed, ParkReason
from maillane_scheduler.scheduler import Scheduler
from maillane_scheduler.store.claims import ClaimedRow

from .world import World, settings, world

RACERS = 10
PATIENCE_S = 20.0


@pytest.fixture
async def worlds(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[tuple[World, World]]:
    """One tenant, two schedulers."""
    async with (
        world(database_url, redis_url, limiter_target) as one,
        Scheduler(settings(database_url, redis_url, limiter_target)) as second,
    ):
        yield one, World(second, database_url, one.workspace, one.addresses)


async def test_two_schedulers_and_ten_clients_hand_out_a_limit_to_the_last(worlds: tuple[World, World]) -> None:
    """Two mailboxes of 300 an hour, two campaigns in both, one of 450: not one more, and in the end not one less."""
    one, _ = worlds
    lanes = [one.mailbox(hourly=300), one.mailbox(hourly=300)]
    one.campaign(lanes, 600, hourly=450)
    one.campaign(lanes, 600)
    await one.sweep()
    rows: list[ClaimedRow] = []

    async def drain(number: int) -> None:
        until = time.monotonic() + PATIENCE_S
        while len(rows) < 600 and time.monotonic() < until:
            rows.extend((await worlds[number % 2].claim(5 + number % 3, sender=f"s{number}", wait_s=0.2)).rows)

    await asyncio.gather(*map(drain, range(RACERS)))
    rows += [row for here in worlds for row in (await here.claim(50, wait_s=1.5)).rows]

    assert len({row.message for row in rows}) == len(rows) == 600
    assert one.sql("SELECT mailbox_id, sum(permits) FROM permits GROUP BY 1 ORDER BY 1") == [(m, 300) for m in lanes]


async def test_claims_at_a_pace_do_not_ask_the_limiter_each(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty claims of ten in a row take a few reservations."""
    here.campaign([here.mailbox()], 300)
    await here.sweep()
    asked = _count_reservations(here, monkeypatch)

    rows = [row for _ in range(30) for row in (await here.claim(10)).rows]

    assert len(rows) == 300
    assert asked() <= 12


async def test_a_limit_is_met_once(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last reservation comes up short while some are at hand: those go out, then the mailbox parks for good."""
    parked: list[int] = []
    park = here.scheduler.queue.park_gate

    async def noting(mailbox: int, reason: ParkReason, until_us: int) -> None:
        parked.append(until_us)
        await park(mailbox, reason, until_us)

    here.campaign([here.mailbox(hourly=200)], 400)
    await here.sweep()
    monkeypatch.setattr(here.scheduler.queue, "park_gate", noting)

    rows = [row for _ in range(40) for row in (await here.claim(7)).rows]

    assert len(rows) == 200
    assert len(list(filter(None, parked))) == 1


async def test_idle_permits_come_back(here: World) -> None:
    """A second after its last claim a scheduler holds none: the limiter counts what was handed out."""
    await _work(here)

    assert await _used(here) > 100
    assert await _until_used_is(here, 100)


async def test_a_scheduler_that_stops_gives_its_permits_back(here: World) -> None:
    """At once, before it has gone."""
    await _work(here)

    here.scheduler.dispatcher.stop()
    await here.scheduler.dispatcher.quiet()

    assert await _used(here) == 100


async def test_permits_that_come_back_in_parts_come_back_whole(here: World) -> None:
    """What a turn left, and then what Postgres refused of the rest: of one reservation that is at hand no more."""
    await _work(here)
    permits = here.scheduler.dispatcher._permits
    [grant] = at_hand = permits.at_hand(1000)
    permits.stop()

    used = permits.of_turn(at_hand, [Claimed(grant.terms.mailbox, grant.terms.campaign, 1, 0)])
    permits.unused(used, ())
    await permits.quiet()

    assert grant.count > 1
    assert await _used(here) == 100


async def test_permits_under_changed_limits_come_back(here: World) -> None:
    """Those at hand were reserved under other limits: they are refused, given back, and asked for anew."""
    await _work(here)
    here.sql("UPDATE mailboxes SET hourly_limit = 110, revision = revision + 1")

    rows = [row for _ in range(6) for row in (await here.claim(10)).rows]

    assert len(rows) == 10


async def test_permits_at_hand_count_across_a_wipe(here: World) -> None:
    """Used before the counters are restored they are summed with the rest; after that they are refused."""
    await _work(here)
    await here.scheduler.redis.flushall()
    await here.sweep()

    rows = [row for _ in range(20) for row in (await here.claim(10)).rows]

    assert len(rows) == 100
    assert await _until_used_is(here, 200), await _used(here)


async def test_what_is_held_for_one_lane_is_not_kept_from_another(here: World) -> None:
    """The last permits of a mailbox are at hand for a campaign that has nothing more due; another one gets them all."""
    await _work(here, each=100, hourly=1000)
    mailbox = next(iter(here.addresses))
    held = await _used(here) - 100
    here.campaign([mailbox], 1000)
    await here.sweep()

    async with asyncio.timeout(PATIENCE_S):
        rows: list[object] = []
        while len(rows) < 900:
            rows += (await here.claim(300, wait_s=0.5)).rows

    assert held > 0
    assert (await here.claim(10, wait_s=1.5)).rows == []


async def _work(here: World, *, each: int = 200, hourly: int = 1000) -> None:
    """Hands out 100 at a pace at which permits are reserved ahead."""
    here.campaign([here.mailbox(hourly=hourly)], each)
    await here.sweep()
    for _ in range(10):
        await here.claim(10)


async def _used(here: World) -> int:
    """What the counter of the one mailbox holds, by the hour or by the day, in the epoch in force."""
    [(epoch,)] = here.sql("SELECT epoch FROM counters WHERE workspace_id = %s", here.workspace)
    keys = await here.scheduler.redis.keys(f"ratelimit:*:e{epoch}:mailbox:*")
    return max([int(await here.scheduler.redis.get(key) or 0) for key in keys])


async def _until_used_is(here: World, count: int) -> bool:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if await _used(here) == count:
            return True
        await asyncio.sleep(0.05)
    return False


def _count_reservations(here: World, monkeypatch: pytest.MonkeyPatch):
    reserve, asked = here.scheduler.limiter.reserve, []

    async def counted(*arguments):
        asked.append(arguments)
        return await reserve(*arguments)

    monkeypatch.setattr(here.scheduler.limiter, "reserve", counted)
    return lambda: len(asked)
