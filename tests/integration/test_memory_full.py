"""With Redis at its maxmemory, what is there still goes out, through queue and counters alike."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from maillane_local.valkey import Valkey
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from .world import World, limiter_at, world

StartValkey = Callable[..., Awaitable[Valkey]]


@pytest.fixture
async def full(database_url: str, start_valkey: StartValkey) -> AsyncIterator[World]:
    """A tenant with 20 messages in its queue, over a Redis for queue and counters that is full from now on."""
    server = await start_valkey()
    async with (
        limiter_at(server.url) as target,
        world(database_url, server.url, target) as made,
        Redis.from_url(server.url) as client,
    ):
        made.campaign([made.mailbox()], 20)
        await made.sweep()
        await client.config_set("maxmemory", "1mb")
        with pytest.raises(OutOfMemoryError):
            await client.set("filler", "x")
        yield made


async def test_messages_are_claimed_settled_and_handed_back(full: World) -> None:
    """All 20 leave, some at the second try."""
    first = await full.claim(5)
    await full.give_back(first, spent=False)
    for _ in range(4):
        await full.settle(await full.claim(5))

    assert len(first.rows) == 5
    assert full.states() == {"SENT": 20}


async def test_a_campaign_is_cancelled(full: World) -> None:
    """Its lanes are emptied, and nothing of it is claimed."""
    [(campaign,)] = full.sql("UPDATE campaigns SET state = 5, revision = revision + 1 RETURNING id")
    [(mailbox,)] = full.sql("SELECT id FROM mailboxes")

    await full.scheduler.sync.campaign(campaign)

    assert await full.scheduler.queue.lane_size(mailbox, campaign) == 0
    assert (await full.claim(5)).rows == []
