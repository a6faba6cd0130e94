"""Lists of what was sent, failed or became unconfirmed, the latest first, across the campaigns of a workspace."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import CampaignKind, MessageState
from maillane_scheduler.store import mailboxes, message_pages
from maillane_scheduler.validation.messages import Filters

# The newest campaigns, of which outcomes are listed; a filter by campaign reaches the others.
MOST_CAMPAIGNS = 500
# Attempts that are looked at for a page, over all campaigns: some 20 ms. With filters a page may be short.
SCANNED = 10_000
# What a search finds at most, the newest campaigns' first.
MOST_MATCHES = 1_000
# Of each campaign, however many there are.
LEAST_MATCHES = 20
LAST_US = 2**62


@dataclass(frozen=True, slots=True)
class Outcome:
    """Which message, and when it was settled."""

    settled_us: int
    message_id: int


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """Outcomes, and where the next page begins; None where this was the last."""

    outcomes: list[Outcome]
    next: tuple[int, int] | None


_US = "(extract(epoch FROM a.settle_time) * 1000000)::bigint"
_CURRENT = """
m.state = a.state AND NOT EXISTS (
  SELECT FROM attempts l WHERE l.message_id = a.message_id AND l.settle_time > a.settle_time)
"""
_TIMES = """
a.settle_time >= to_timestamp(:start_us / 1000000.0) AND a.settle_time < to_timestamp(:end_us / 1000000.0)
"""
# By campaign, for that is what the index begins with; what lies behind the place up to which every campaign was looked
# at is for the next page. That is a time with an id: what is settled together has one time.
_SCAN = text(f"""
WITH scanned AS MATERIALIZED (
  SELECT a.* FROM unnest(CAST(:campaigns AS bigint[])) AS c(id) CROSS JOIN LATERAL (
    SELECT a.message_id, a.campaign_id, a.settle_time, a.state, {_US} AS us,
           row_number() OVER (ORDER BY a.settle_time DESC, a.message_id DESC) AS place
    FROM attempts a WHERE a.campaign_id = c.id
      AND (a.settle_time, a.message_id) < (to_timestamp(:before_us / 1000000.0), CAST(:before_id AS bigint))
      AND {_TIMES}
    ORDER BY a.settle_time DESC, a.message_id DESC LIMIT :each) a
), edge AS (
  SELECT us, message_id FROM scanned WHERE place = :each ORDER BY us DESC, message_id DESC LIMIT 1
)
SELECT a.us, a.message_id, false AS is_edge
FROM scanned a JOIN messages m ON m.id = a.message_id
WHERE NOT EXISTS (SELECT FROM edge e WHERE (e.us, e.message_id) > (a.us, a.message_id))
  AND a.state = ANY(CAST(:states AS int[])) AND {_CURRENT}
  AND (CAST(:mailbox AS int) IS NULL OR m.mailbox_id = :mailbox)
UNION ALL SELECT us, message_id, true FROM edge
ORDER BY 1 DESC, 2 DESC
""")
_OF_MESSAGES = text(f"""
SELECT {_US}, a.message_id FROM attempts a JOIN messages m ON m.id = a.message_id
WHERE a.message_id = ANY(CAST(:ids AS bigint[])) AND a.state = ANY(CAST(:states AS int[])) AND {_TIMES} AND {_CURRENT}
  AND (CAST(:mailbox AS int) IS NULL OR m.mailbox_id = :mailbox)
  AND (CAST(:recipient AS text) IS NULL OR lower(m.email) = lower(:recipient))
  AND (a.settle_time, a.message_id) < (to_timestamp(:before_us / 1000000.0), CAST(:before_id AS bigint))
ORDER BY 1 DESC, 2 DESC LIMIT :limit
""")
_CAMPAIGNS = text(f"""
SELECT id FROM campaigns WHERE workspace_id = :workspace AND kind = {CampaignKind.CAMPAIGN:d}
ORDER BY id DESC LIMIT {MOST_CAMPAIGNS}
""")
_OUTCOMES = (MessageState.SENT, MessageState.FAILED, MessageState.UNCONFIRMED)
# The year 2200: no time that is asked for is later, and every one fits into a timestamp.
_END_US = 7_258_118_400_000_000


async def list_page(
    connection: AsyncConnection, workspace_id: int, filters: Filters, cursor: Sequence[int] | None, limit: int
) -> OutcomePage:
    """A page of outcomes.

    Raises:
        NotFound: CAMPAIGN_NOT_FOUND or MAILBOX_NOT_FOUND.
    """
    await connection.execute(message_pages.BY_LOOKUPS)
    campaigns = await campaigns_of(connection, workspace_id, filters)
    before_us, before_id = cursor or (_END_US, 0)
    of = {
        "states": [int(filters.state)] if filters.state else list(map(int, _OUTCOMES)),
        "mailbox": filters.mailbox_id,
        "start_us": filters.start_us or 0,
        "end_us": filters.end_us if filters.end_us is not None else _END_US,
        "before_us": before_us,
        "before_id": before_id,
    }
    if searched := filters.query or filters.recipient:
        ids = await matches(connection, campaigns, searched)
        only = {"recipient": filters.recipient, "ids": ids, "limit": limit + 1}
        rows = (await connection.execute(_OF_MESSAGES, {**of, **only})).all()
        found = [Outcome(*row) for row in rows]
        return _cut(found, limit, None)
    # Without filters, all that is looked at is listed, but for what was tried again since.
    is_filtered = any((filters.state, filters.mailbox_id))
    each = max(2 * limit, SCANNED // max(1, len(campaigns)) if is_filtered else 0)
    rows = (await connection.execute(_SCAN, {**of, "campaigns": campaigns, "each": each})).all()
    found = [Outcome(us, message) for us, message, is_edge in rows if not is_edge]
    return _cut(found, limit, next(((us, message) for us, message, is_edge in rows if is_edge), None))


async def campaigns_of(connection: AsyncConnection, workspace_id: int, filters: Filters) -> list[int]:
    """The campaigns that a list across campaigns is made of.

    Raises:
        NotFound: CAMPAIGN_NOT_FOUND or MAILBOX_NOT_FOUND.
    """
    if filters.mailbox_id is not None:
        await mailboxes.check_known(connection, workspace_id, filters.mailbox_id)
    if filters.campaign_id is not None:
        await message_pages.check_campaign(connection, workspace_id, filters.campaign_id)
        return [filters.campaign_id]
    return list((await connection.execute(_CAMPAIGNS, {"workspace": workspace_id})).scalars())


async def matches(connection: AsyncConnection, campaigns: Sequence[int], query: str) -> list[int]:
    """Messages to addresses that begin so, or whose domain does, up to MOST_MATCHES."""
    begin = message_pages.beginning(query)
    rows = await connection.execute(
        _MATCHES,
        {
            "campaigns": list(campaigns),
            "address": _pattern(begin.address),
            "domain": _pattern(begin.domain),
            "most": MOST_MATCHES,
            "each": max(LEAST_MATCHES, MOST_MATCHES // max(1, len(campaigns))),
        },
    )
    return list(rows.scalars())


_MATCHES = text("""
SELECT DISTINCT m.id FROM unnest(CAST(:campaigns AS bigint[])) AS c(id) CROSS JOIN LATERAL (
  (SELECT id FROM messages WHERE campaign_id = c.id AND lower(email) LIKE :address LIMIT :each)
  UNION ALL
  (SELECT id FROM messages WHERE campaign_id = c.id AND split_part(lower(email), '@', 2) LIKE :domain LIMIT :each)
) m LIMIT :most
""")


def _pattern(begin: str) -> str:
    return "".join("\\" + sign if sign in "\\%_" else sign for sign in begin) + "%"


def _cut(found: list[Outcome], limit: int, edge: tuple[int, int] | None) -> OutcomePage:
    if len(found) > limit:
        last = found[limit - 1]
        return OutcomePage(found[:limit], (last.settled_us, last.message_id))
    return OutcomePage(found, edge)
