"""How many messages of a mailbox may be in flight at once: what it may have, and what its server was found to allow."""

from maillane_scheduler.store.engine import DispatchPool

RAISE_AFTER_S = 300.0
"""How long a server that had too many connections is left alone before one more is tried. What that costs where it is
one too many again is a connection that is refused: no message fails, and none spends an attempt."""

CAP = "least(b.max_in_flight, b.learned_cap)"
"""Of a mailbox `b`. The least of a number and null is the number."""

# Each refusal is of one connection too many. The queue and the senders learn of it by the revision.
_LOWER = f"""
UPDATE mailboxes b
SET learned_cap = greatest(1, {CAP} - $2), learn_time = statement_timestamp(), revision = revision + 1
WHERE id = $1 AND {CAP} > 1 RETURNING learned_cap
""".encode()
_WAIT = b"UPDATE mailboxes SET learn_time = statement_timestamp() WHERE id = $1 AND learned_cap IS NOT NULL"
_RAISE = b"""
UPDATE mailboxes SET learned_cap = CASE WHEN learned_cap + 1 < max_in_flight THEN learned_cap + 1 END,
  learn_time = statement_timestamp(), revision = revision + 1
WHERE learned_cap IS NOT NULL AND learn_time < statement_timestamp() - $1 * interval '1 second'
RETURNING id
"""


async def lower(pool: DispatchPool, mailbox: int, refused: int) -> int | None:
    """Lowers a mailbox's cap by as many as its server refused connections; returns it.

    None where it is at one already: it can only rest.
    """
    async with pool.connection() as connection:
        row = await (await connection.execute(_LOWER, (mailbox, refused))).fetchone()
        if row is None:
            await connection.execute(_WAIT, (mailbox,))
    return None if row is None else int(row[0])


async def lift(pool: DispatchPool, after_s: float) -> list[int]:
    """Raises caps that have stood for so long by one, up to what the mailbox may have; returns the mailboxes."""
    async with pool.connection() as connection:
        return [row[0] for row in await (await connection.execute(_RAISE, (after_s,))).fetchall()]
