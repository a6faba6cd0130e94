"""The slow check of lanes: what the queue has lost alone comes back, and nothing else is touched."""

import asyncio
import time

import pytest
from maillane_scheduler.queue.values import Grant
from maillane_scheduler.states import MessageState
from maillane_scheduler.store import lane_checks
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.lane_checks import Waits
from maillane_scheduler.sync import lane_check
from maillane_scheduler.sync.lane_check import CAMPAIGNS_AT_ONCE, PASS_S, LaneCheck
from prometheus_client import REGISTRY

from .world import World

NOW_S = 1000.0
_MARK = "INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id) VALUES (%s, %s, 0, 1)"


async def test_a_lane_that_redis_alone_has_lost_is_back_after_a_pass(here: World) -> None:
    """What waited in it is there again with the first steps of the next pass, and one lane has been mended."""
    mailbox, other = here.mailbox(), here.mailbox()
    campaign = here.campaign([mailbox, other], 5)
    await here.sweep()
    check, mended = LaneCheck(here.scheduler.queue, here.scheduler.pool, here.scheduler.sync), _mended()
    await check.step(NOW_S)
    await _lose(here, f"l:{mailbox}:{campaign}")

    for second in range(3):
        await check.step(NOW_S + PASS_S + second)
    await _loaded(here)

    assert await here.scheduler.queue.lane_size(mailbox, campaign) == 5
    assert _mended() - mended == 1


async def test_a_campaign_that_cannot_be_looked_at_holds_up_no_other(here: World, monkeypatch) -> None:
    """What another has lost is back all the same."""
    mailbox = here.mailbox()
    broken, campaign = here.campaign([mailbox], 2), here.campaign([mailbox], 5)
    await here.sweep()
    look = lane_checks.look

    async def breaks(pool: DispatchPool, which: int) -> Waits | None:
        assert which != broken
        return await look(pool, which)

    monkeypatch.setattr(lane_checks, "look", breaks)
    check = LaneCheck(here.scheduler.queue, here.scheduler.pool, here.scheduler.sync)
    await _lose(here, f"l:{mailbox}:{campaign}")
    for second in range(3):
        await check.step(NOW_S + second)
    await _loaded(here)

    assert await here.scheduler.queue.lane_size(mailbox, campaign) == 5


async def test_a_gate_that_redis_alone_has_lost_is_back_with_its_gaps(here: World) -> None:
    """Nothing waits less in a lane whose flags are lost, but its gap and its mailbox's cap would not hold."""
    mailbox = here.mailbox(cap=2)
    campaign = here.campaign([mailbox], 5)
    await here.sweep()
    await _lose(here, f"g:{mailbox}")
    check = LaneCheck(here.scheduler.queue, here.scheduler.pool, here.scheduler.sync)

    await check.step(NOW_S)
    await check.step(NOW_S + 1)
    await _loaded(here)

    assert len((await here.claim(5)).rows) == 2
    assert here.counts(campaign) == {"PENDING": 3, "SENDING": 2}


async def test_the_sweep_checks_lanes(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more campaigns than one step looks at, the last one's lost lane is handed out."""
    monkeypatch.setattr(lane_check, "PASS_S", 0.0)
    mailbox = here.mailbox()
    campaigns = [here.campaign([mailbox], 1) for _ in range(CAMPAIGNS_AT_ONCE + 1)]
    await here.sweep()
    await _lose(here, f"l:{mailbox}:{campaigns[-1]}")

    until, rows = time.monotonic() + 20, 0
    while rows < len(campaigns) and time.monotonic() < until:
        await here.sweep()
        rows += len((await here.claim(50)).rows)

    assert rows == len(campaigns)


@pytest.mark.parametrize("what", ["in flight", "handed over", "settled", "to be sent again", "marked", "paused"])
async def test_what_is_as_it_should_be_is_left_alone(here: World, what: str) -> None:
    """Messages that are not in their lane for a reason are not taken for missing."""
    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 5)
    await here.sweep()
    hand_out = await here.claim(3)
    if what == "handed over":
        assert await here.scheduler.queue.claim(1, 60_000_000, [Grant(mailbox, campaign, 1)])
    elif what == "settled":
        await here.settle(hand_out)
    elif what == "to be sent again":
        here.sql("UPDATE campaigns SET unconfirmed_policy = 2")
        await here.settle(hand_out, MessageState.UNCONFIRMED)
        await here.sweep()
        assert here.counts(campaign) == {"PENDING": 5}
    elif what == "marked":
        await _lose(here, f"l:{mailbox}:{campaign}")
        here.sql(_MARK, campaign, mailbox)
    elif what == "paused":
        here.sql("UPDATE campaigns SET state = 3, revision = revision + 1")
        await here.scheduler.sync.campaign(campaign)
    check, mended = LaneCheck(here.scheduler.queue, here.scheduler.pool, here.scheduler.sync), _mended()

    for second in range(3):
        await check.step(NOW_S + second * PASS_S)

    assert _mended() == mended


async def test_a_pass_costs_five_commands_a_lane_and_nothing_until_the_next(here: World) -> None:
    """Of a minute with five lanes: one pass, which an idle system does not feel."""
    campaigns = [here.campaign([here.mailbox()], 1) for _ in range(5)]
    await here.sweep()
    check = LaneCheck(here.scheduler.queue, here.scheduler.pool, here.scheduler.sync)
    await check.step(NOW_S)
    before = await _commands(here)

    for second in range(60):
        await check.step(NOW_S + PASS_S + second)

    # One for the count itself.
    assert await _commands(here) - before <= 5 * len(campaigns) + 1


async def test_what_is_claimed_during_the_look_is_not_missing(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign of which some is handed out and sent at every look, between Postgres and the queue, loses nothing."""
    here.campaign([here.mailbox()], 50)
    await here.sweep()
    queue, mended = here.scheduler.queue, _mended()
    check, tally = LaneCheck(queue, here.scheduler.pool, here.scheduler.sync), queue.tally

    async def late(lanes: list[tuple[int, int]]) -> object:
        await here.settle(await here.claim(5))
        return await tally(lanes)

    monkeypatch.setattr(queue, "tally", late)
    for second in range(4):
        await check.step(NOW_S + second * PASS_S)

    assert (_mended(), check._suspected) == (mended, [])


async def _lose(here: World, key: str) -> None:
    assert await here.scheduler.redis.delete(f"q:{{0}}:g{here.scheduler.queue.generation}:{key}")


async def _commands(here: World) -> int:
    stats = await here.scheduler.redis.info("commandstats")
    return sum(command["calls"] for command in stats.values())


async def _loaded(here: World) -> None:
    async with asyncio.timeout(10):
        while here.sql("SELECT 1 FROM marks"):
            await asyncio.sleep(0.01)


def _mended() -> float:
    return REGISTRY.get_sample_value("maillane_queue_lanes_mended_total") or 0.0
