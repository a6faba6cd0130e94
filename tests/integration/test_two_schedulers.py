"""Several schedulers over the same stores: limits, order, pauses and generations hold across all of them."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from maillane_scheduler.scheduler import Scheduler

from .world import World, settings, world

RACERS = 10


@pytest.fixture
async def worlds(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[tuple[World, World]]:
    """One tenant, two schedulers."""
    async with (
        world(database_url, redis_url, limiter_target) as one,
        Scheduler(settings(database_url, redis_url, limiter_target)) as second,
    ):
        yield one, World(second, database_url, one.workspace, one.addresses)


async def test_two_schedulers_and_ten_clients_never_pass_a_limit(worlds: tuple[World, World]) -> None:
    """Racing over two campaigns in one mailbox of 40 an hour, they get 40 in all, each message once."""
    one, _ = worlds
    mailbox = one.mailbox(hourly=40)
    for _ in range(2):
        one.campaign([mailbox], 100)
    await one.sweep()

    async def drain(number: int) -> list[int]:
        taken = []
        for _ in range(6):
            taken += [row.message for row in (await worlds[number % 2].claim(5, sender=f"s{number}")).rows]
        return taken

    turns = await asyncio.gather(*map(drain, range(RACERS)))

    messages = [message for turn in turns for message in turn]
    assert len(set(messages)) == len(messages) == 40


async def test_a_wipe_while_two_schedulers_race_passes_no_limit(worlds: tuple[World, World]) -> None:
    """FLUSHALL between the turns of racing claimers: still 40, each once."""
    one, _ = worlds
    one.campaign([one.mailbox(hourly=40)], 100)
    await one.sweep()

    async def drain(number: int) -> list[int]:
        here, taken = worlds[number % 2], []
        for turn in range(10):
            if number == 0 and turn in {2, 5}:
                await here.scheduler.redis.flushall()
            await here.scheduler.sweeper.sweep()
            taken += [row.message for row in (await here.claim(3, sender=f"s{number}")).rows]
        return taken

    turns = await asyncio.gather(*map(drain, range(RACERS)))

    messages = [message for turn in turns for message in turn]
    assert len(set(messages)) == len(messages) == 40


async def test_a_pause_waits_for_the_claim_that_is_under_way(here: World) -> None:
    """A compare-and-set that began before the pause commits before the pause returns, or not at all."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    async with await psycopg.AsyncConnection.connect(here.database_url) as straggler:
        await straggler.execute("SELECT pg_advisory_xact_lock_shared(1, %s)", (here.workspace,))
        here.sql("UPDATE campaigns SET state = 3, revision = revision + 1 WHERE id = %s", campaign)
        barrier = asyncio.create_task(here.scheduler.sync.barrier(here.workspace))
        early = asyncio.create_task(asyncio.wait_for(asyncio.shield(barrier), 0.2))
        with pytest.raises(TimeoutError):
            await early

        await straggler.commit()

        await asyncio.wait_for(barrier, 5)
    assert (await here.claim(5)).rows == []


async def test_a_claim_that_waited_behind_a_pause_is_refused(here: World) -> None:
    """It takes its snapshot after the lock, so it sees what the pause committed."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    async with await psycopg.AsyncConnection.connect(here.database_url) as pauser:
        await pauser.execute("SELECT pg_advisory_xact_lock(1, %s)", (here.workspace,))
        claim = asyncio.create_task(here.claim(5))
        await here.somebody_waits("advisory")
        await pauser.execute("UPDATE campaigns SET state = 3, revision = revision + 1 WHERE id = %s", (campaign,))
        await pauser.commit()

        assert (await claim).rows == []
    assert here.counts(campaign) == {"PENDING": 5}


async def test_a_claim_that_waited_past_its_permits_window_is_refused(
    database_url: str, redis_url: str, limiter_target: str
) -> None:
    """The window of its permits ended while it waited on a lock: they are worth nothing any more."""
    async with world(database_url, redis_url, limiter_target, hour_s=2) as here:
        campaign = here.campaign([here.mailbox()], 5)
        await here.sweep()
        async with await psycopg.AsyncConnection.connect(here.database_url) as holder:
            await holder.execute("SELECT pg_advisory_xact_lock(1, %s)", (here.workspace,))
            claim = asyncio.create_task(here.claim(5))
            await here.somebody_waits("advisory")
            # Longer than any window that the permits can belong to.
            await asyncio.sleep(2.1)
            await holder.commit()

            assert (await claim).rows == []
    assert here.counts(campaign) == {"PENDING": 5}
    assert here.sql("SELECT * FROM permits") == []


async def test_both_turn_to_a_new_generation(worlds: tuple[World, World]) -> None:
    """After a wipe the first begins a generation, and the second turns to it instead of beginning another."""
    one, two = worlds
    one.campaign([one.mailbox()], 10)
    await one.sweep()
    await two.claim(1)

    await one.scheduler.redis.flushall()
    await asyncio.gather(one.claim(1), two.claim(1))

    [(generation,)] = one.sql("SELECT generation FROM queue_shards")
    assert one.scheduler.queue.generation == two.scheduler.queue.generation == generation == 2
