"""The seams that are easy to get wrong, a test each."""

from collections.abc import AsyncIterator

import pytest
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
    """The old limit grants it nothing, so no compare-and-set could refuse: it does not park the mailbox all the same."""
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
