"""The public services over a real Postgres and a real Valkey, for each test its own."""

from collections.abc import AsyncIterator

import pytest
from maillane_scheduler.dispatch.waker import Waker
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.store.engine import dispatch_pool, open_engine
from maillane_scheduler.sync.sync import Sync
from redis.asyncio import Redis

from .scheduler_api import SchedulerApi, Tenant

GENERATION = 1


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[SchedulerApi]:
    engine = open_engine(database_url, 10)
    async with Redis.from_url(redis_url) as redis, dispatch_pool(database_url, 2) as pool:
        queue = Queue(redis)
        await queue.write_sentinel(GENERATION, "run")
        queue.use(GENERATION)
        sync = Sync(queue, pool, engine, Waker())
        served = SchedulerApi(engine, queue, sync)
        await served.start()
        yield served
        await served.stop()
        await sync.close()
    await engine.dispose()


@pytest.fixture
async def tenant(api: SchedulerApi) -> Tenant:
    return await api.tenant()
