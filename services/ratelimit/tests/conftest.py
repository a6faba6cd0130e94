from collections.abc import AsyncIterator

import pytest
from maillane_local.valkey import Valkey
from maillane_ratelimit.counters.connection import open_client
from redis.asyncio import Redis


@pytest.fixture
async def redis(valkey: Valkey, redis_url: str) -> AsyncIterator[Redis]:
    """A client of the shared Valkey, emptied."""
    client = open_client(valkey.unix_url)
    yield client
    await client.aclose()
