from collections.abc import AsyncIterator

import pytest

from .world import World, limiter_at, world


@pytest.fixture
async def limiter_target(redis_url: str) -> AsyncIterator[str]:
    async with limiter_at(redis_url) as target:
        yield target


@pytest.fixture
async def here(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[World]:
    """A tenant and a scheduler over stores of their own."""
    async with world(database_url, redis_url, limiter_target) as made:
        yield made
