"""What callers are told when Postgres ends a transaction in favour of another."""

import asyncio

import grpc
import pytest
from maillane_scheduler.errors import translate
from maillane_scheduler.store.engine import open_engine
from sqlalchemy import text


async def test_who_loses_a_deadlock_may_repeat_the_call_soon(database_url):
    """It is UNAVAILABLE with a reason of its own: Postgres answers, and nothing was done."""
    engine = open_engine(database_url, 2)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE rows (id int PRIMARY KEY)"))
        await connection.execute(text("INSERT INTO rows VALUES (1), (2)"))
    held = asyncio.Barrier(2)

    async def lock(first: int, second: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT id FROM rows WHERE id = :id FOR UPDATE"), {"id": first})
            await held.wait()
            await connection.execute(text("SELECT id FROM rows WHERE id = :id FOR UPDATE"), {"id": second})

    errors = [
        e for e in await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True) if isinstance(e, Exception)
    ]
    await engine.dispose()
    [loser] = errors
    failure = translate(loser)
    assert failure is not None

    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "POSTGRES_CONFLICT")
    assert failure.retry_after_s == pytest.approx(0.1)
