"""procrastinate with empty jobs: `procrastinate_jobs.py POSTGRES_URL COUNT`; prints jobs a second as JSON."""

import asyncio
import json
import logging
import sys
import time

from procrastinate import App, PsycopgConnector

CONCURRENCY = 5
BATCH = 1000
LATER_S = 3600


async def _defer(app: App, count: int, later_s: int) -> float:
    begun = time.perf_counter()
    deferrer = app.configure_task("mail", schedule_in={"seconds": later_s} if later_s else None)
    for first in range(0, count, BATCH):
        people = [{"email": f"r{n}@example.com", "name": f"Ann {n}"} for n in range(first, min(first + BATCH, count))]
        await deferrer.batch_defer_async(*people)
    return count / (time.perf_counter() - begun)


async def _main(url: str, count: int) -> None:
    logging.disable(logging.INFO)
    app = App(connector=PsycopgConnector(conninfo=url))

    @app.task(name="mail")  # type: ignore[untyped-decorator]  # typed in its own environment only
    async def mail(email: str, name: str) -> None:
        """Sends nothing."""

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        scheduled = await _defer(app, count, LATER_S)
        await app.connector.execute_query_async("TRUNCATE procrastinate_jobs CASCADE")
        await _defer(app, count, 0)
        begun = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=CONCURRENCY, install_signal_handlers=False)
        worked = count / (time.perf_counter() - begun)
    print(json.dumps({"schedule_per_s": scheduled, "per_s": worked}))


asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
