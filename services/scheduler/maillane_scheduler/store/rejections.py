"""Messages that mail servers refuse because of what a campaign sends: where they are too many, it is paused.

A campaign's score rises by one with each, and sinks by a tenth with each message that is taken: what is refused without
exception reaches the limit at once, a fifth of all does so soon, and one in twenty never.
"""

from maillane_scheduler.states import CampaignState
from maillane_scheduler.store.engine import DispatchPool

# So many messages taken make up for one that was refused: more than one in eleven is too many.
TAKEN_FOR_ONE = 10
# Of a reply, in the reason that people read.
REPLY_SHOWN = 200

# A score at the limit has paused the campaign: once it is resumed, the next begins anew.
_COUNT = f"""
WITH counted AS (
  INSERT INTO rejections (campaign_id, score) VALUES ($1, greatest(0, $2::float8))
  ON CONFLICT (campaign_id) DO UPDATE SET
    score = greatest(0, $2::float8 + CASE WHEN rejections.score >= $3::int THEN 0 ELSE rejections.score END)
  RETURNING campaign_id, score
), paused AS (
  UPDATE campaigns c SET state = {CampaignState.PAUSED:d}, state_reason = $4::text, state_actor = '',
    revision = c.revision + 1
  FROM counted r WHERE r.score >= $3::int AND c.id = r.campaign_id AND c.state = {CampaignState.ACTIVE:d}
  RETURNING c.id, c.workspace_id, c.revision
), noted AS (
  INSERT INTO audit (workspace_id, verb, resource, detail)
  SELECT workspace_id, 'campaign.pause', 'campaigns/' || id, jsonb_build_object('reason', $4::text) FROM paused
)
SELECT revision FROM paused
""".encode()
_RUNNING = b"SELECT campaign_id FROM rejections WHERE score > 0"


async def count(pool: DispatchPool, campaign: int, refused: int, taken: int, limit: int, reply: str) -> int | None:
    """Counts what servers refused and took of a campaign, and pauses it at the limit, saying why.

    Returns the revision of the pause, for the queue; None where it is not paused by this.
    """
    reason = f"too many messages are refused because of what the campaign sends: {reply[:REPLY_SHOWN]}"
    async with pool.connection() as connection:
        values = (campaign, refused - taken / TAKEN_FOR_ONE, limit, reason)
        row = await (await connection.execute(_COUNT, values)).fetchone()
    return None if row is None else int(row[0])


async def running(pool: DispatchPool) -> set[int]:
    """Campaigns with a score."""
    async with pool.connection() as connection:
        return {row[0] for row in await (await connection.execute(_RUNNING)).fetchall()}
