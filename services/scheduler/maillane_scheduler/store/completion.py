"""Which campaigns have nothing left to send."""

from datetime import datetime

from maillane_scheduler.store.engine import DispatchPool

# After that, a retry or a late settle may as well tell the queue anew what it has forgotten.
IDLE_MINUTES = 10
# More than the longest delay of a campaign.
MOST_IDLE_HOURS = 25

_CANDIDATES = """
SELECT c.id FROM campaigns c
WHERE c.state IN (2, 3)
  AND NOT EXISTS (SELECT FROM imports i WHERE i.campaign_id = c.id AND i.expire_time > statement_timestamp())
  AND (SELECT coalesce(sum(n.pending + n.sending), 0) FROM campaign_counts n WHERE n.campaign_id = c.id) = 0
"""
_FIND = f"{_CANDIDATES} ORDER BY c.id LIMIT 1000".encode()
_LOCK = b"SELECT id FROM campaigns WHERE id = $1 FOR UPDATE"
_COMPLETE = f"""
UPDATE campaigns SET state = 4, state_reason = '', state_actor = '', end_time = statement_timestamp(),
  revision = revision + 1
WHERE id IN ({_CANDIDATES} AND c.id = $1) RETURNING id
""".encode()


async def complete(pool: DispatchPool) -> list[int]:
    """Completes the campaigns of which nothing is pending or being sent, and no import is open; returns them.

    Each under its row's lock, which whatever makes a message PENDING takes too: none completes with one left.
    """
    async with pool.connection() as connection:
        found = [row[0] for row in await (await connection.execute(_FIND)).fetchall()]
        completed = []
        for campaign in found:
            cursor = connection.cursor()
            async with connection.pipeline():
                await connection.execute(_LOCK, (campaign,))
                await cursor.execute(_COMPLETE, (campaign,))
            if await cursor.fetchone():
                completed.append(campaign)
    return completed


_HALF_CANCELLED = b"""
SELECT c.id FROM campaigns c
WHERE c.state = 5 AND c.end_time > statement_timestamp() - interval '1 day'
  AND (SELECT coalesce(sum(n.pending), 0) FROM campaign_counts n WHERE n.campaign_id = c.id) > 0
ORDER BY c.id LIMIT 100
"""


async def half_cancelled(pool: DispatchPool) -> list[int]:
    """Campaigns cancelled within a day that still have pending messages: whoever cancelled them was cut off."""
    async with pool.connection() as connection:
        return [row[0] for row in await (await connection.execute(_HALF_CANCELLED)).fetchall()]


# A lane's gap counts from its last service, which the queue alone knows: until it is over, nothing is forgotten.
_SINCE = "coalesce($1::timestamptz, statement_timestamp() - interval '3 days')"
# By end_time as well: the index knows no delays.
_ENDED = f"""
SELECT id, revision, idle_time FROM (
  SELECT id, revision,
    end_time + greatest(delay_us * interval '1 microsecond', interval '{IDLE_MINUTES} min') AS idle_time
  FROM campaigns WHERE state IN (4, 5) AND end_time > {_SINCE} - interval '{MOST_IDLE_HOURS} hours'
) AS ended
WHERE (idle_time, id) > ({_SINCE}, $2::bigint) AND idle_time <= statement_timestamp()
ORDER BY idle_time, id LIMIT 1000
""".encode()


async def ended(pool: DispatchPool, after: tuple[datetime, int] | None) -> list[tuple[int, int, datetime]]:
    """Campaigns that have ended for a while, as (campaign, revision, since when that is), the oldest first.

    Args:
        after: (since when, campaign) of the last that the caller knows, for many may have ended in one commit; None:
            those of the last three days.
    """
    async with pool.connection() as connection:
        rows = await (await connection.execute(_ENDED, after or (None, 0))).fetchall()
    return [(campaign, revision, idle_time) for campaign, revision, idle_time in rows]
