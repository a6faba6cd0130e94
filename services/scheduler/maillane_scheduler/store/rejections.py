"""Messages in a row that mail servers refused because of what a campaign sends: so many of them pause it."""

from collections.abc import Collection

from maillane_scheduler.states import CampaignState
from maillane_scheduler.store.engine import DispatchPool

# Of a reply, in the reason that people read.
REPLY_SHOWN = 200

# At the limit the run begins anew, so that a campaign that is resumed has as many again.
_ADD = f"""
WITH raised AS (
  INSERT INTO rejections (campaign_id, run) VALUES ($1, CASE WHEN $2::int >= $3::int THEN 0 ELSE $2::int END)
  ON CONFLICT (campaign_id) DO UPDATE SET
    run = CASE WHEN rejections.run + $2::int >= $3::int THEN 0 ELSE rejections.run + $2::int END
  RETURNING campaign_id, run
), paused AS (
  UPDATE campaigns c SET state = {CampaignState.PAUSED:d}, state_reason = $4::text, revision = c.revision + 1
  FROM raised r WHERE r.run = 0 AND c.id = r.campaign_id AND c.state = {CampaignState.ACTIVE:d}
  RETURNING c.id, c.workspace_id, c.revision
), noted AS (
  INSERT INTO audit (workspace_id, verb, resource, detail)
  SELECT workspace_id, 'campaign.pause', 'campaigns/' || id, jsonb_build_object('reason', $4::text) FROM paused
)
SELECT revision FROM paused
""".encode()
_FORGET = b"UPDATE rejections SET run = 0 WHERE campaign_id = ANY($1::bigint[]) AND run > 0"
_RUNNING = b"SELECT campaign_id FROM rejections WHERE run > 0"


async def add(pool: DispatchPool, campaign: int, number: int, limit: int, reply: str) -> int | None:
    """Adds to a campaign's run, and pauses the campaign where it reaches the limit, saying why.

    Returns the revision of the pause, for the queue; None where it is not paused by this.
    """
    reason = f"{limit} messages in a row were refused because of what the campaign sends: {reply[:REPLY_SHOWN]}"
    async with pool.connection() as connection:
        row = await (await connection.execute(_ADD, (campaign, number, limit, reason))).fetchone()
    return None if row is None else int(row[0])


async def forget(pool: DispatchPool, campaigns: Collection[int]) -> None:
    """Ends the runs of campaigns: a server took a message."""
    async with pool.connection() as connection:
        await connection.execute(_FORGET, (sorted(campaigns),))


async def running(pool: DispatchPool) -> set[int]:
    """Campaigns with a run."""
    async with pool.connection() as connection:
        return {row[0] for row in await (await connection.execute(_RUNNING)).fetchall()}
