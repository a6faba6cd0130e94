"""What may happen to a scheduler between any two of its steps: it is killed, a store refuses, or an answer is lost.

A step is one command to Redis, one transaction in Postgres, or one call to the limiter: whatever a process does between
two of them is as if it had not been done when it dies there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any
from unittest.mock import patch

import grpc
import psycopg
from maillane_scheduler.scheduler import Scheduler
from maillane_scheduler.settings import Settings
from maillane_scheduler.store.engine import open_engine
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Killed(BaseException):
    """The process is dead. Not an Exception: no handler of the code under test may go on after it."""


class Hazard(Enum):
    """What happens at the step."""

    # The process ends before the step, which never happens, and neither does anything after it.
    KILL = "kill"
    # The step does not happen, and its caller is told so.
    REFUSE = "refuse"
    # The step happens, and its caller hears nothing of it.
    LOSE = "lose"


class Fate:
    """What one scheduler is destined to meet, and whether it lives."""

    def __init__(self) -> None:
        self.dead = False
        self.met = False
        self._hazard: Hazard | None = None
        self._steps = 0

    def arm(self, hazard: Hazard | None, step: int) -> None:
        """Lets a hazard happen at the step-th step from now, counted from 1; None: nothing more happens."""
        self._hazard, self._steps, self.met = hazard, step, False

    def kill(self) -> None:
        """Ends the process where it stands."""
        self.dead = True

    @asynccontextmanager
    async def step(self, error: Exception) -> AsyncIterator[None]:
        """One step; `error` is what a store that is away raises."""
        lost = self._begin(error)
        yield
        if self.dead:
            raise Killed
        if lost:
            raise error

    def _begin(self, error: Exception) -> bool:
        if self.dead:
            raise Killed
        if self._hazard is None:
            return False
        self._steps -= 1
        if self._steps:
            return False
        hazard, self._hazard, self.met = self._hazard, None, True
        if hazard is Hazard.KILL:
            self.dead = True
            raise Killed
        if hazard is Hazard.REFUSE:
            raise error
        return True


class FatedEngine:
    """An engine whose transactions are steps."""

    def __init__(self, engine: AsyncEngine, fate: Fate) -> None:
        self._engine = engine
        self._fate = fate
        self.dispose = engine.dispose

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        async with self._fate.step(_postgres_is_away()), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        async with self._fate.step(_postgres_is_away()), self._engine.connect() as connection:
            yield connection


class FatedStub:
    """A limiter whose calls are steps."""

    def __init__(self, stub: Any, fate: Fate) -> None:
        self._stub = stub
        self._fate = fate

    def __getattr__(self, rpc: str) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, timeout: float) -> Any:
            async with self._fate.step(_limiter_is_away()):
                return await getattr(self._stub, rpc)(request, timeout=timeout)

        return call


def fated(settings: Settings, fate: Fate) -> Scheduler:
    """A scheduler whose steps are in the hands of fate; not opened yet."""

    def open_fated(url: str, connections: int) -> FatedEngine:
        return FatedEngine(open_engine(url, connections), fate)

    with patch("maillane_scheduler.scheduler.open_engine", open_fated):
        made = Scheduler(settings)
    made.limiter._stub = FatedStub(made.limiter._stub, fate)  # type: ignore[assignment]
    _take_steps(made, fate)
    return made


def _take_steps(scheduler: Scheduler, fate: Fate) -> None:
    connection, execute = scheduler.pool.connection, scheduler.redis.execute_command

    @asynccontextmanager
    async def fated_connection(timeout: float | None = None) -> AsyncIterator[Any]:
        async with fate.step(_postgres_is_away()), connection(timeout) as open_connection:
            yield open_connection

    async def fated_execute(*args: Any, **options: Any) -> Any:
        async with fate.step(RedisTimeoutError("no answer")):
            return await execute(*args, **options)

    scheduler.pool.connection = fated_connection  # type: ignore[method-assign]
    scheduler.redis.execute_command = fated_execute  # type: ignore[method-assign]


async def quiet(scheduler: Scheduler) -> None:
    """Waits for what a call left to be done after its answer; the dead end at their next step."""
    await scheduler.dispatcher.quiet()
    await scheduler.sync.close()


def ignore_the_dead(loop: asyncio.AbstractEventLoop) -> None:
    """Tasks of killed schedulers, and what failed after an answer, end with nobody to hear of it."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Killed | psycopg.OperationalError | RedisTimeoutError):
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)


def _postgres_is_away() -> Exception:
    return psycopg.OperationalError("the connection is lost")


def _limiter_is_away() -> Exception:
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, "no answer")
