"""The seams that are easy to get wrong, a test each."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from maillane_scheduler.dispatch.dispatcher import HandOut
from maillane_scheduler.scheduler import Scheduler

from .world import World, settings, world


@pytest.fixture
async def worlds(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[tuple[World, World]]:
    """One tenant, two schedulers."""
    async with (
        world(database_url, redis_url, limiter_target) as one,
        Scheduler(settings(database_url, redis_url, limiter_target)) as second,
    ):
        yield one, World(second, database_url, one.workspace, one.addresses)


async def test_a_raised_limit_counts_at_a_scheduler_that_remembers_the_old_one(worlds: tuple[World, World]) -> None:
    """The old limit grants it nothing, so no compare-and-set could refuse: the mailbox is not parked all the same."""
    one, two = worlds
    mailbox = one.mailbox(hourly=5)
    one.campaign([mailbox], 20)
    await one.sweep()
    await two.claim(2)
    await one.claim(10)
    one.sql("UPDATE mailboxes SET hourly_limit = 8, revision = revision + 1")
    one.sql("DELETE FROM parks")
    await one.scheduler.sync.mailboxes([mailbox])

    hand_out = await two.claim(10, wait_s=4)

    assert len(hand_out.rows) == 3


async def test_a_claim_that_reaches_a_scheduler_late_takes_nothing_from_its_sender(worlds: tuple[World, World]) -> None:
    """Its repeat was answered elsewhere and is being sent; the campaign was paused since: all of it stays SENDING."""
    one, two = worlds
    campaign = one.campaign([one.mailbox()], 5)
    await one.sweep()
    held = await one.claim(5, claim_id=7)
    one.sql("UPDATE campaigns SET state = 3, revision = revision + 1")

    await two.claim(5, claim_id=7)

    assert len(held.rows) == 5
    assert one.counts(campaign) == {"SENDING": 5}


async def test_a_scheduler_that_stalls_before_it_answers_takes_nothing_back_that_was_told(
    database_url: str, redis_url: str, limiter_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one told the sender of it; the window of its permits has ended: the messages stay the sender's."""
    async with (
        world(database_url, redis_url, limiter_target, hour_s=1) as one,
        Scheduler(settings(database_url, redis_url, limiter_target, hour_s=1)) as second,
    ):
        two = World(second, database_url, one.workspace, one.addresses)
        one.campaign([one.mailbox()], 5)
        await one.sweep()
        told: list[HandOut] = []
        answer = one.scheduler.dispatcher._answer

        async def stalled(ask, granted, token, taken, claimed):
            told.append(await two.claim(5, claim_id=7))
            await asyncio.sleep(max(0.0, granted[0].good_until - time.monotonic()))
            return await answer(ask, granted, token, taken, claimed)

        monkeypatch.setattr(one.scheduler.dispatcher, "_answer", stalled)
        await one.claim(5, claim_id=7, wait_s=5)

        assert len(told[0].rows) == 5
        assert one.states() == {"SENDING": 5}


async def test_a_claim_that_was_answered_too_late_for_its_window_is_taken_back(
    database_url: str, redis_url: str, limiter_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was told of it: all is PENDING again, with no attempt spent, for the window that is now."""
    async with world(database_url, redis_url, limiter_target, hour_s=1) as here:
        here.campaign([here.mailbox()], 5)
        await here.sweep()
        answer = here.scheduler.dispatcher._answer
        ends: list[tuple[int, HandOut | None]] = []

        async def stalled(ask, granted, token, taken, claimed):
            await asyncio.sleep(max(0.0, granted[0].good_until - time.monotonic()))
            ends.append((len(claimed), await answer(ask, granted, token, taken, claimed)))
            return HandOut(0, [])

        monkeypatch.setattr(here.scheduler.dispatcher, "_answer", stalled)
        while not ends or ends[-1][0] == 0:
            await here.claim(5)

        assert ends[-1] == (5, None)
        assert here.states() == {"PENDING": 5}
