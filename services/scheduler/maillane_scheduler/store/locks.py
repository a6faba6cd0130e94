"""Advisory locks: what a compare-and-set shares, and what a pause, a stop or a restore takes alone.

Two a workspace: DISPATCH is taken alone, for a moment, once a pause, a cancel or a stop has committed, so that no claim
that began before commits after it was answered; COUNTERS is taken alone while the counters' epoch is raised and what
was handed out is summed. Workspace 0 stands for the deployment.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

DISPATCH = 1
COUNTERS = 2
# Held alone by the scheduler that begins a new generation of the queue.
REBUILD = 3
# Held by the scheduler whose turn it is to sweep.
SWEEP = 4

# Both locks of each workspace, and the counters' of the deployment. Nobody who takes one alone holds another.
SHARED = f"""
SELECT pg_advisory_xact_lock_shared({DISPATCH}, w), pg_advisory_xact_lock_shared({COUNTERS}, w)
FROM unnest(array_prepend(0, $1::int[])) AS w
""".encode()


async def alone(connection: AsyncConnection, lock: int, key: int) -> None:
    """Waits until nobody shares the lock, and holds it alone until the transaction ends."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock, :key)"), {"lock": lock, "key": key})


async def try_alone(connection: AsyncConnection, lock: int, key: int) -> bool:
    """Takes the lock alone if nobody has it; returns whether it did."""
    statement = text("SELECT pg_try_advisory_xact_lock(:lock, :key)")
    return bool((await connection.execute(statement, {"lock": lock, "key": key})).scalar_one())
