"""arq with empty jobs: `arq_jobs.py REDIS_URL COUNT`; prints jobs scheduled and worked off a second as JSON."""

import asyncio
import json
import sys
import time

from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker

CONCURRENCY = 5
BATCH = 500
LATER_S = 3600


async def mail(_context: dict[str, object], _recipient: dict[str, object]) -> None:
    """Sends nothing."""


async def _enqueue(pool: ArqRedis, count: int, defer_s: float) -> float:
    begun = time.perf_counter()
    for first in range(0, count, BATCH):
        people = [{"email": f"r{n}@example.com", "name": f"Ann {n}"} for n in range(first, min(first + BATCH, count))]
        await asyncio.gather(*(pool.enqueue_job("mail", person, _defer_by=defer_s or None) for person in people))
    return count / (time.perf_counter() - begun)


async def _main(url: str, count: int) -> None:
    settings = RedisSettings.from_dsn(url)
    pool = await create_pool(settings)
    scheduled = await _enqueue(pool, count, LATER_S)
    await pool.flushdb()
    await _enqueue(pool, count, 0)
    worker = Worker(
        [mail], redis_settings=settings, burst=True, max_jobs=CONCURRENCY, keep_result=0, handle_signals=False,
        poll_delay=0.01,
    )  # fmt: skip
    begun = time.perf_counter()
    await worker.async_run()
    worked = worker.jobs_complete / (time.perf_counter() - begun)
    await worker.close()
    print(json.dumps({"schedule_per_s": scheduled, "per_s": worked}))


asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
