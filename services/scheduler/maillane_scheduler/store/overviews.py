"""Counts of a workspace, and what in it waits for a person. None of them is a count over messages."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.failure import FailureKind, kind
from maillane_scheduler.states import CampaignKind, CampaignState, MessageState

MOST_GROUPS = 100
IDS_NAMED = 10
# Failures that are older call for nothing any more.
DAYS = 7
MOST_FAILURES = 20_000


@dataclass(frozen=True, slots=True)
class Totals:
    """Over the campaigns of a workspace."""

    sent: int
    failed: int
    unconfirmed: int
    scheduled: int
    active_campaigns: int


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Of one campaign."""

    campaign: int
    count: int
    first_ids: list[int]


@dataclass(frozen=True, slots=True)
class Paused:
    """A campaign that Maillane paused."""

    campaign: int
    reason: str
    since_us: int | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Failures of one campaign, alike in why."""

    campaign: int
    kind: FailureKind
    code: int
    reply: str
    count: int


_TOTALS = text(f"""
SELECT coalesce(sum(n.sent), 0), coalesce(sum(n.failed), 0), coalesce(sum(n.unconfirmed), 0),
       coalesce(sum(n.pending) FILTER (WHERE c.state = {CampaignState.ACTIVE:d}), 0),
       (SELECT count(*) FROM campaigns WHERE workspace_id = :workspace AND state = {CampaignState.ACTIVE:d}
          AND kind = {CampaignKind.CAMPAIGN:d})
FROM campaigns c JOIN campaign_counts n ON n.campaign_id = c.id
WHERE c.workspace_id = :workspace AND c.kind = {CampaignKind.CAMPAIGN:d}
""")
_UNCONFIRMED = text(f"""
SELECT g.id, g.number, array(
  SELECT DISTINCT a.message_id FROM attempts a JOIN messages m ON m.id = a.message_id
  WHERE a.campaign_id = g.id AND a.state = {MessageState.UNCONFIRMED:d} AND m.state = {MessageState.UNCONFIRMED:d}
  ORDER BY a.message_id LIMIT {IDS_NAMED})
FROM (
  SELECT c.id, sum(n.unconfirmed)::int AS number FROM campaigns c JOIN campaign_counts n ON n.campaign_id = c.id
  WHERE c.workspace_id = :workspace AND n.unconfirmed <> 0 AND c.kind = {CampaignKind.CAMPAIGN:d}
  GROUP BY c.id HAVING sum(n.unconfirmed) > 0 ORDER BY c.id DESC LIMIT {MOST_GROUPS}
) g ORDER BY g.id DESC
""")
_PAUSED = text(f"""
SELECT c.id, c.state_reason, (
    SELECT (extract(epoch FROM a.create_time) * 1000000)::bigint FROM audit a
    WHERE a.workspace_id = :workspace AND a.resource = 'campaigns/' || c.id AND a.verb = 'campaign.pause'
    ORDER BY a.id DESC LIMIT 1),
  (SELECT coalesce(sum(n.pending), 0) FROM campaign_counts n WHERE n.campaign_id = c.id)
FROM campaigns c
WHERE c.workspace_id = :workspace AND c.state = {CampaignState.PAUSED:d} AND c.kind = {CampaignKind.CAMPAIGN:d}
  AND c.state_actor = ''
ORDER BY c.id DESC LIMIT {MOST_GROUPS}
""")
_FAILED = text(f"""
WITH failed AS (
  SELECT a.campaign_id, a.message_id, a.code, a.reply FROM campaigns c CROSS JOIN LATERAL (
    SELECT a.* FROM attempts a WHERE a.campaign_id = c.id AND a.state = {MessageState.FAILED:d}
      AND a.settle_time > now() - interval '{DAYS} days'
    ORDER BY a.message_id DESC LIMIT {MOST_FAILURES}) a
  JOIN messages m ON m.id = a.message_id AND m.state = {MessageState.FAILED:d}
  WHERE c.workspace_id = :workspace AND c.state <> {CampaignState.CANCELLED:d} AND c.kind = {CampaignKind.CAMPAIGN:d}
    AND EXISTS (SELECT FROM campaign_counts n WHERE n.campaign_id = c.id AND n.failed <> 0)
    AND NOT EXISTS (SELECT FROM attempts l WHERE l.message_id = a.message_id AND l.settle_time > a.settle_time)
  LIMIT {MOST_FAILURES}
)
SELECT campaign_id, code, substring(reply FROM '[245]\\.[0-9]{{1,3}}\\.[0-9]{{1,3}}'), min(reply),
       count(DISTINCT message_id)::int
FROM failed GROUP BY 1, 2, 3 ORDER BY 1 DESC, 5 DESC
""")


async def totals(connection: AsyncConnection, workspace_id: int) -> Totals:
    """Sums over the campaigns' counts."""
    return Totals(*map(int, (await connection.execute(_TOTALS, {"workspace": workspace_id})).one()))


async def unconfirmed(connection: AsyncConnection, workspace_id: int) -> list[Unconfirmed]:
    """Campaigns with messages of which nobody knows, the newest first."""
    rows = await connection.execute(_UNCONFIRMED, {"workspace": workspace_id})
    return [Unconfirmed(campaign, number, list(ids)) for campaign, number, ids in rows]


async def paused(connection: AsyncConnection, workspace_id: int) -> list[Paused]:
    """Campaigns that Maillane paused, the newest first."""
    rows = await connection.execute(_PAUSED, {"workspace": workspace_id})
    return [Paused(campaign, reason, since, int(waiting)) for campaign, reason, since, waiting in rows]


async def failures(connection: AsyncConnection, workspace_id: int) -> list[Failed]:
    """Failures of the last days, by campaign and by what they call for."""
    rows = await connection.execute(_FAILED, {"workspace": workspace_id})
    found: dict[tuple[int, FailureKind, int], Failed] = {}
    for campaign, code, _, reply, count in rows:
        key = (campaign, kind(code, reply), code)
        before = found.get(key)
        found[key] = Failed(*key, before.reply if before else reply, count + (before.count if before else 0))
    return list(found.values())[:MOST_GROUPS]
