"""With the server at its maxmemory what is there still goes out, and nothing is half done."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from maillane_local.valkey import Valkey
from maillane_scheduler.queue import (
    Claimed,
    GateConfig,
    Grant,
    LaneConfig,
    Offer,
    Queue,
    Settled,
    keys,
)
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from .conftest import opened

M, C, OTHER_C = 11, 21, 22
NOW = 1_790_000_000_000_000
LEASE = 5_000_000


@pytest.fixture
async def full(start_valkey: Callable[..., Awaitable[Valkey]]) -> AsyncIterator[Redis]:
    """A server with two lanes of 100 that is full from now on, and that knows no script yet."""
    server = await start_valkey()
    async with Redis.from_url(server.url) as client:
        queue = await opened(client)
        for campaign in (C, OTHER_C):
            await queue.enqueue(M, campaign, [(campaign * 1_000 + i, NOW) for i in range(100)], now_us=NOW)
        await client.script_flush()
        await client.config_set("maxmemory", "1mb")
        with pytest.raises(OutOfMemoryError):
            await client.set("filler", "x")
        yield client


@pytest.fixture
def queue(full: Redis) -> Queue:
    """The queue on the full server, as a scheduler sees it that starts now."""
    queue = Queue(full)
    queue.use(1)
    return queue


async def test_messages_are_claimed_and_settled(queue: Queue) -> None:
    """What is due is offered, claimed, confirmed, put back and settled."""
    offers = (await queue.due(2, now_us=NOW)).offers
    claimed = await queue.claim(7, LEASE, [Grant(M, C, 2)], now_us=NOW)
    await queue.confirm([(M, 21_000)])
    settled = await queue.settle([Settled(M, 21_000, 7), Settled(M, 21_001, 7, NOW + 1)], now_us=NOW)

    assert offers == [Offer(M, C, 2)]
    assert claimed == [Claimed(M, C, 21_000, NOW), Claimed(M, C, 21_001, NOW)]
    assert (settled, await queue.lane_size(M, C), await queue.flight(M)) == (2, 99, [])


async def test_a_campaign_is_cancelled(queue: Queue) -> None:
    """Cancel empties its lanes, which is what makes room."""
    cancelled = await queue.cancel_campaign(C, 3, now_us=NOW)

    assert (cancelled, await queue.lane_size(M, C)) == (True, 0)
    assert (await queue.due(1, now_us=NOW)).offers == [Offer(M, OTHER_C, 1)]


async def test_what_holds_and_frees_can_be_changed(queue: Queue) -> None:
    """Pauses, parks, configurations and rebuilding what flies work too."""
    await queue.adopt(M, C, [(21_000, NOW, 9)], now_us=NOW)
    await queue.forget(M, C, [21_001], now_us=NOW)
    await queue.configure_lane(M, OTHER_C, LaneConfig(1, True, 0), now_us=NOW)
    await queue.configure_gate(M, GateConfig(1, False, 0, 5), now_us=NOW)
    await queue.restore_service(M, C, NOW, now_us=NOW)
    await queue.park_lane(M, C, "backoff", NOW + 3, now_us=NOW)
    await queue.park_gate(M, "limit", NOW + 2, now_us=NOW)
    held = await queue.next_due(now_us=NOW)
    await queue.set_campaign(C, 2, True, now_us=NOW)

    assert (held, await queue.next_due(now_us=NOW), await queue.lane_size(M, C)) == (NOW + 3, None, 98)


async def test_an_import_is_refused_with_nothing_done(queue: Queue, full: Redis) -> None:
    """Enqueue fails as a whole: no message, no index entry, no flag of the new lane is there."""
    with pytest.raises(OutOfMemoryError):
        await queue.enqueue(99, C, [(message, NOW - 1) for message in range(100)], now_us=NOW)

    assert await full.keys(f"{keys.prefix(0, 1)}*99*") == []
    assert await full.zscore(f"{keys.prefix(0, 1)}gates", "99") is None
