"""Sender processes: which incarnation of each is the living one."""

from maillane_scheduler.store.engine import DispatchPool

# A name is locked while its incarnations change, for the rows to lock may not be there yet.
_LOCK = b"SELECT pg_advisory_xact_lock(5, hashtext($1))"
_MEET = b"""
WITH met AS (
  INSERT INTO senders (sender_id, incarnation) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true
), replaced AS (
  UPDATE senders SET replace_time = statement_timestamp()
  WHERE sender_id = $1 AND incarnation <> $2 AND replace_time IS NULL AND EXISTS (SELECT FROM met)
), over AS (
  UPDATE claims SET lease_until = statement_timestamp() - interval '1 microsecond'
  WHERE sender_id = $1 AND incarnation <> $2 AND lease_until IS NOT NULL AND EXISTS (SELECT FROM met)
)
SELECT EXISTS (SELECT FROM met)
  OR EXISTS (SELECT FROM senders WHERE sender_id = $1 AND incarnation = $2 AND replace_time IS NULL)
"""


async def meet(pool: DispatchPool, sender: str, incarnation: str) -> bool:
    """Notes an incarnation of a sender; one that was never seen replaces the one before, whose leases are then over.

    Returns whether it is the living one.
    """
    async with pool.connection() as connection:
        async with connection.pipeline():
            await connection.execute(_LOCK, (sender,))
            cursor = await connection.execute(_MEET, (sender, incarnation))
        row = await cursor.fetchone()
    return bool(row and row[0])


_LIVING = b"SELECT FROM senders WHERE sender_id = $1 AND incarnation = $2 AND replace_time IS NULL"


async def living(pool: DispatchPool, sender: str, incarnation: str) -> bool:
    """Whether an incarnation is the one of its sender that was met last."""
    async with pool.connection() as connection:
        return await (await connection.execute(_LIVING, (sender, incarnation))).fetchone() is not None
