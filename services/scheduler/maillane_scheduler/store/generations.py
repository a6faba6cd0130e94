"""Generations of the queue's shards."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import ParkReason

_CURRENT = text("SELECT generation FROM queue_shards WHERE shard = :shard")
_NEXT = text("""
INSERT INTO queue_shards (shard, generation) VALUES (:shard, 1)
ON CONFLICT (shard) DO UPDATE SET generation = queue_shards.generation + 1 RETURNING generation
""")
# Old marks say nothing that these do not. They are born old, so that the next sweep takes them at once.
_MARK_ALL = (
    text("DELETE FROM marks"),
    text("""
INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id, create_time)
SELECT l.campaign_id, l.mailbox_id, 0, 9223372036854775807, statement_timestamp() - interval '1 hour'
FROM lanes l JOIN campaigns c ON c.id = l.campaign_id WHERE c.state IN (2, 3) AND l.base IS NOT NULL ORDER BY 1, 2
"""),
)


_LIFT_LIMITS = text(f"DELETE FROM parks WHERE reason = {ParkReason.LIMIT:d}")


async def current(connection: AsyncConnection, shard: int) -> int | None:
    """The generation that a shard serves; None before the first."""
    found: int | None = (await connection.execute(_CURRENT, {"shard": shard})).scalar_one_or_none()
    return found


async def begin(connection: AsyncConnection, shard: int) -> int:
    """Begins the next generation, which is empty: marks every lane of every open campaign to be loaded into it."""
    generation = (await connection.execute(_NEXT, {"shard": shard})).scalar_one()
    for statement in _MARK_ALL:
        await connection.execute(statement)
    return int(generation)


async def lift_limits(connection: AsyncConnection) -> None:
    """Forgets which limits are used up, and until when by a clock that is not to be trusted: it is found out anew."""
    await connection.execute(_LIFT_LIMITS)
