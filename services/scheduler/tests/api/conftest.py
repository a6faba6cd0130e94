"""The public services over a real Postgres and a real Valkey; each test has workspaces of its own."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from maillane_local.postgres import Postgres
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.store.engine import dispatch_pool, open_engine
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.waker import Waker
from redis.asyncio import Redis

from .scheduler_api import SchedulerApi, Tenant

GENERATION = 1
DATABASE = "scheduler_api"


@pytest.fixture(scope="session")
def api_database(postgres: Postgres, migrated_template: str) -> str:
    """One database for all tests of the API: workspaces keep tests apart, as they keep tenants apart."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {migrated_template}")
    return postgres.url(DATABASE)


@pytest.fixture
async def api(api_database: str, redis_url: str) -> AsyncIterator[SchedulerApi]:
    engine = open_engine(api_database, 10)
    async with Redis.from_url(redis_url) as redis, dispatch_pool(api_database, 2) as pool:
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
