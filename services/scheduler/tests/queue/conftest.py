"""An empty queue on the shared Valkey."""

from collections.abc import AsyncIterator

import pytest
from maillane_scheduler.queue import Queue
from redis.asyncio import Redis

GENERATION = 1


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the emptied server."""
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def queue(client: Redis) -> Queue:
    """An empty queue whose generation is served."""
    return await opened(client)


async def opened(client: Redis) -> Queue:
    """A queue on an empty server, its generation served."""
    queue = Queue(client)
    await queue.write_sentinel(GENERATION, "run")
    queue.use(GENERATION)
    return queue
