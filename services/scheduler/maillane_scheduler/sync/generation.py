"""Which generation of the queue is served, and what happens when Redis has lost it or gone back in time.

Redis holds nothing that Postgres cannot give back. So whenever it may not be what it was (no sentinel, another
generation than Postgres has, another server or run of the server), what it holds is not mended but left: a new
generation begins empty, in the same commit every lane of an open campaign is marked, and marks are worked off as ever.
"""

import asyncio

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from maillane_scheduler.metrics import REBUILDS
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.store import generations, locks

log = structlog.get_logger()

# No sentinel names it: nothing is served under it.
NO_GENERATION = 0


class Generation:
    """The generation of one shard, as this process knows it. For one event loop."""

    def __init__(self, engine: AsyncEngine, shard: int = 0) -> None:
        self._engine = engine
        self._shard = shard
        self._lock = asyncio.Lock()
        # Set when a new generation has begun: the sweep need not wait for its second.
        self.begun = asyncio.Event()
        # Runs of the server: the one that was trusted last, and the one that the newest connection reached.
        self._trusted_run: str | None = None
        self._reached_run: str | None = None

    def reached(self, run_id: str) -> None:
        """A new connection has reached this run of the server."""
        self._reached_run = run_id

    async def watch(self, queue: Queue) -> None:
        """Looks at the sentinel where a connection has reached another run of the server than was trusted."""
        if self._reached_run != self._trusted_run:
            await self.find(queue)

    async def find(self, queue: Queue) -> None:
        """Turns a queue to the generation that is served, after beginning a new one where there is none to trust.

        Callers that come at the same time share one look; across processes the first begins it, and the others turn.
        """
        async with self._lock:
            if await self._is_good(queue):
                return
            async with self._engine.begin() as connection:
                await locks.alone(connection, locks.REBUILD, self._shard)
                # Whoever held the lock before us may have begun one.
                if not await self._trusts(connection, queue):
                    await self._begin(connection, queue)
            self.begun.set()

    async def renew(self, queue: Queue, seen: int) -> None:
        """Begins a new generation in place of the one that was seen, unless somebody has done so.

        For instants in it were written by a clock that went back: so were the parks of limits, which are set anew where
        they still hold.
        """
        async with self._lock, self._engine.begin() as connection:
            await locks.alone(connection, locks.REBUILD, self._shard)
            if await generations.current(connection, self._shard) == seen:
                await generations.lift_limits(connection)
                await self._begin(connection, queue)
                self.begun.set()

    async def _is_good(self, queue: Queue) -> bool:
        async with self._engine.connect() as connection:
            return await self._trusts(connection, queue)

    async def _trusts(self, connection: AsyncConnection, queue: Queue) -> bool:
        sentinel = await queue.read_sentinel()
        if sentinel is None or sentinel.run_id != await queue.run_id():
            return False
        if await generations.current(connection, self._shard) != sentinel.generation:
            return False
        queue.use(sentinel.generation)
        self._trusted_run = sentinel.run_id
        return True

    async def _begin(self, connection: AsyncConnection, queue: Queue) -> None:
        """Under the lock. Should we die before the commit, sentinel and Postgres disagree, and the next begins one."""
        generation = await generations.begin(connection, self._shard)
        run_id = await queue.run_id()
        # It may have been begun before: by whoever died before the commit, or before Postgres came back from a backup.
        # What is left of it has revisions that are later than any of ours, and would be obeyed for ever.
        queue.use(NO_GENERATION)
        lost = generation > 1 and await queue.read_sentinel() is None
        await queue.drop_generation(generation)
        await queue.write_sentinel(generation, run_id)
        queue.use(generation)
        self._trusted_run = run_id
        REBUILDS.inc()
        # A store that was restarted with its data is nobody's trouble; one that lost it may be.
        write = log.warning if lost else log.info
        write("queue_generation_begun", shard=self._shard, generation=generation, lost=lost)
