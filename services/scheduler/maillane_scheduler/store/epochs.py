"""What counters are restored from: hand-outs as the claims recorded them, under a new epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.store import locks

DEPLOYMENT = 0


@dataclass(frozen=True, slots=True)
class HandedOut:
    """Permits used and not given back, of one mailbox's address and one campaign, of one part of an hour.

    Attributes:
        age_s: since the last of them was reserved.
    """

    address_key: str
    campaign: int
    reserve_time: datetime
    permits: int
    age_s: float


# Grouped finely enough for any window: fixed ones begin at multiples of their length, a part of a rolling one is one of
# at most 60 of an hour. Days are cut by UTC here.
_RAISE = text("""
INSERT INTO counters (workspace_id, epoch) VALUES (:workspace, :above + 1)
ON CONFLICT (workspace_id) DO UPDATE SET epoch = greatest(counters.epoch, :above) + 1 RETURNING epoch
""")
_CURRENT = text("SELECT workspace_id, epoch FROM counters WHERE workspace_id = ANY(:workspaces)")
_SUM = text("""
SELECT address_key, campaign_id, min(reserve_time), sum(permits - refunded)::bigint,
       extract(epoch FROM statement_timestamp() - max(reserve_time))::float8
FROM permits
WHERE (workspace_id = :workspace OR :workspace = 0)
  AND reserve_time > statement_timestamp() - :span_s * interval '1 second'
GROUP BY address_key, campaign_id, floor(extract(epoch FROM reserve_time) / :part_s)
HAVING sum(permits - refunded) > 0
""")


async def current(engine: AsyncEngine, workspaces: Sequence[int]) -> dict[int, int]:
    """The epochs of workspaces (DEPLOYMENT: the deployment's) as they are now; those that never had one left out."""
    async with engine.connect() as connection:
        rows = await connection.execute(_CURRENT, {"workspaces": list(workspaces)})
        return {row.workspace_id: row.epoch for row in rows}


async def next_epoch(
    engine: AsyncEngine, workspace: int, part_s: float, span_s: float, above: int = 0
) -> tuple[int, list[HandedOut]]:
    """Raises a workspace's epoch (DEPLOYMENT: the deployment's), and sums what was handed out in the last `span_s`.

    Holds the counters' lock alone: every compare-and-set shares it, so that the sums hold all that were claimed, and
    what comes later on a permit of an older epoch is refused. The epoch is durable when this returns.

    Args:
        part_s: the finest part of any window, in seconds: what is summed lies in one of them.
        span_s: the longest window, and a little more.
        above: an epoch that the limiter is known to have had: the next is later than that one too.
    """
    async with engine.begin() as connection:
        await locks.alone(connection, locks.COUNTERS, workspace)
        epoch = (await connection.execute(_RAISE, {"workspace": workspace, "above": above})).scalar_one()
        sums = await connection.execute(_SUM, {"workspace": workspace, "part_s": part_s, "span_s": span_s})
        return int(epoch), [HandedOut(*row) for row in sums]
