"""The sweep: no step of it stands in the way of another, and nothing is left behind in Redis."""

import asyncio
import time

import pytest

from .world import World


async def test_a_mark_that_cannot_be_loaded_holds_up_nothing_else(here: World) -> None:
    """A lane's key is broken; leases that ran out are found all the same."""
    campaign = here.campaign([here.mailbox()], 3)
    await here.sweep()
    await here.claim(3)
    other = here.mailbox()
    broken = here.campaign([other], 3)
    await here.scheduler.redis.set(f"q:{{0}}:g{here.scheduler.queue.generation}:l:{other}:{broken}", "no lane")
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")

    await here.sweep()

    assert here.counts(campaign) == {"UNCONFIRMED": 3}


async def test_a_long_load_holds_up_nothing_else(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load that does not end by itself; the sweep goes on without it."""
    campaign = here.campaign([here.mailbox()], 3)
    await here.sweep()
    await here.claim(3)
    here.campaign([here.mailbox()], 3)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    monkeypatch.setattr(here.scheduler.queue, "enqueue", lambda *_, **__: asyncio.Event().wait())

    async with asyncio.timeout(10):
        await here.sweep()
        await here.sweep()

    assert here.counts(campaign) == {"UNCONFIRMED": 3}


async def test_leases_are_found_behind_any_number_of_claims_that_are_done(here: World) -> None:
    """A thousand claims with nothing left to settle are closed, and the vanished sender's is found, in one sweep."""
    campaign = here.campaign([here.mailbox()], 3)
    await here.sweep()
    await here.claim(3)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    here.sql(
        """INSERT INTO claims (token, claim_id, sender_id, incarnation, lease_until, ids)
           SELECT n, n, 's', 'i', now() - interval '1 hour', '{1}' FROM generate_series(1, 1000) n"""
    )

    await here.sweep()

    assert here.counts(campaign) == {"UNCONFIRMED": 3}


async def test_an_old_generation_is_dropped(here: World) -> None:
    """After a new one has begun, nothing of it is left in Redis."""
    here.campaign([here.mailbox()], 30)
    await here.sweep()
    old = here.scheduler.queue.generation
    await here.scheduler.redis.hset("q:{0}:sentinel", "run_id", "another")
    here.scheduler.generation.reached("another")

    await here.sweep()
    await here.sweep()

    assert here.scheduler.queue.generation == old + 1
    assert await here.scheduler.redis.keys(f"q:{{0}}:g{old}:*") == []


async def test_a_generation_begins_empty(here: World) -> None:
    """Postgres came back from a backup, and its next generation is one that Redis has seen: it is emptied first."""
    mailbox = here.mailbox()
    await here.sweep()
    await here.scheduler.redis.hset("q:{0}:g2:g:" + str(mailbox), mapping={"revision": 99, "paused": 1})
    here.campaign([mailbox], 3)
    await here.scheduler.redis.delete("q:{0}:sentinel")

    await here.sweep()
    await here.sweep()

    assert here.scheduler.queue.generation == 2
    assert len((await here.claim(3)).rows) == 3


async def test_what_a_clock_ahead_of_time_wrote_is_left(here: World) -> None:
    """Redis's clock went back: a generation begins once, without the limits' parks, and what is due goes out."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 5)
    await here.sweep()
    before = here.scheduler.queue.generation
    here.sql("INSERT INTO parks VALUES (%s, 0, 1, now() + interval '2 hours', 'its limit')", mailbox)
    await here.scheduler.queue.park_gate(mailbox, "limit", await here.scheduler.queue.now_us() + 7_200_000_000)
    ahead_s = await here.scheduler.queue.now_us() / 1_000_000 + 7200
    here.scheduler.sweeper.queue_clock.look(ahead_s, time.monotonic(), time.monotonic())

    await here.scheduler.sweeper.look_at_queue()
    await here.scheduler.generation.renew(here.scheduler.queue, before)
    await here.sweep()

    assert here.scheduler.queue.generation == before + 1
    assert len((await here.claim(10)).rows) == 5
