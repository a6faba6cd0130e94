"""Parks, kept with the mailbox: a rebuild of the queue knows them, and people are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from maillane_scheduler.mailbox import stop_reason
from maillane_scheduler.states import MailboxState, ParkReason
from maillane_scheduler.store.engine import DispatchPool

# A park of the whole mailbox, not of one of its lanes.
GATE = 0
# 30 s × 2¹⁰ is past any cap on the back-off that the settings allow.
MOST_LEVEL = 10


@dataclass(frozen=True, slots=True)
class Park:
    """Sets a mailbox (campaign GATE) or one of its lanes aside until an instant, for one reason.

    Attributes:
        of_deployment: by the deployment's cap.
        mailbox_revision, campaign_revision: of the rows that say so; the campaign's counts for a lane only.
    """

    mailbox: int
    campaign: int
    reason: ParkReason
    until: datetime
    detail: str
    of_deployment: bool
    mailbox_revision: int
    campaign_revision: int


@dataclass(frozen=True, slots=True)
class Rest:
    """How long a mailbox rests from now; `is_new` where it did not before."""

    is_new: bool
    seconds: float


# Shared with whoever changes a limit, which deletes the parks of the old one: one of the two sees what the other did.
_PUT = b"""
WITH p AS MATERIALIZED (
  SELECT DISTINCT ON (1, 2, 3) *
  FROM unnest($1::int[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::text[], $6::boolean[], $7::bigint[],
              $8::bigint[])
    AS p(mailbox_id, campaign_id, reason, until_time, detail, of_deployment, mailbox_revision, campaign_revision)
  ORDER BY 1, 2, 3
), b AS MATERIALIZED (
  SELECT id, revision FROM mailboxes WHERE id IN (SELECT mailbox_id FROM p) ORDER BY id FOR SHARE
), c AS MATERIALIZED (
  SELECT id, revision FROM campaigns WHERE id IN (SELECT campaign_id FROM p) ORDER BY id FOR SHARE
)
INSERT INTO parks (mailbox_id, campaign_id, reason, until_time, detail, of_deployment)
SELECT p.mailbox_id, p.campaign_id, p.reason, p.until_time, p.detail, p.of_deployment
FROM p JOIN b ON b.id = p.mailbox_id AND b.revision = p.mailbox_revision
WHERE p.campaign_id = 0 OR EXISTS (SELECT FROM c WHERE c.id = p.campaign_id AND c.revision = p.campaign_revision)
ON CONFLICT (mailbox_id, campaign_id, reason) DO UPDATE
SET until_time = excluded.until_time, detail = excluded.detail, of_deployment = excluded.of_deployment
RETURNING mailbox_id, campaign_id
"""
# By mailbox, as the table's key begins.
_OF_CAMPAIGNS = b"""
SELECT p.mailbox_id, p.campaign_id FROM lanes l
JOIN parks p ON p.mailbox_id = l.mailbox_id AND p.campaign_id = l.campaign_id AND p.reason = $2
WHERE l.campaign_id = ANY($1::bigint[])
"""
_LIFT = b"""
DELETE FROM parks p USING unnest($1::int[], $2::bigint[]) AS u(mailbox_id, campaign_id)
WHERE p.mailbox_id = u.mailbox_id AND p.campaign_id = u.campaign_id AND p.reason = $3
RETURNING p.mailbox_id, p.campaign_id
"""
# By lot: in any fixed order the first would have whatever the deployment has left, and the last nothing, hour by hour.
_OF_DEPLOYMENT = b"""
SELECT mailbox_id, campaign_id FROM parks WHERE of_deployment AND until_time > statement_timestamp()
ORDER BY random() LIMIT $1
"""
_STANDS = b"SELECT EXISTS (SELECT FROM parks WHERE mailbox_id = $1 AND campaign_id = $2 AND reason = $3)"
# In a statement of its own: the next one sees what whoever held the row before has committed.
_LOCK = b"SELECT FROM mailboxes WHERE id = $1 FOR NO KEY UPDATE"
# More of the same news changes nothing: five messages in flight are one refusal, not five, also where some are told
# after the rest, for they waited for a server that hung. What was claimed since is news.
_BACK_OFF = f"""
WITH raised AS (
  UPDATE mailboxes b SET backoff_level = least(b.backoff_level + 1, {MOST_LEVEL}),
    stop_time = coalesce(b.stop_time, statement_timestamp()),
    stop_reason = CASE WHEN b.state = {MailboxState.PAUSED:d} THEN b.stop_reason ELSE $5 END,
    stop_detail = CASE WHEN b.state = {MailboxState.PAUSED:d} THEN b.stop_detail ELSE $4 END
  WHERE b.id = $1 AND NOT EXISTS (
    SELECT FROM parks p WHERE p.mailbox_id = b.id AND p.campaign_id = {GATE} AND p.reason = {ParkReason.BACKOFF:d}
      AND p.until_time > coalesce(
        (SELECT max(k.create_time) FROM claims k WHERE k.token = ANY($6::bigint[])), statement_timestamp()))
  RETURNING b.id, b.backoff_level
), put AS (
  INSERT INTO parks (mailbox_id, campaign_id, reason, until_time, detail)
  SELECT id, {GATE}, {ParkReason.BACKOFF:d}, statement_timestamp()
         + interval '1 second' * (least($3, $2 * 2 ^ (backoff_level - 1)) * (0.8 + 0.4 * random())), $4
  FROM raised
  ON CONFLICT (mailbox_id, campaign_id, reason) DO UPDATE SET until_time = excluded.until_time, detail = excluded.detail
  RETURNING until_time
)
SELECT true, extract(epoch FROM until_time - statement_timestamp())::float8 FROM put
UNION ALL
SELECT false, extract(epoch FROM until_time - statement_timestamp())::float8 FROM parks
WHERE mailbox_id = $1 AND campaign_id = {GATE} AND reason = {ParkReason.BACKOFF:d} AND NOT EXISTS (SELECT FROM raised)
""".encode()
_RECOVER = f"""
WITH well AS (
  UPDATE mailboxes SET backoff_level = 0,
    stop_time = CASE WHEN state = {MailboxState.PAUSED:d} THEN stop_time END,
    stop_reason = CASE WHEN state = {MailboxState.PAUSED:d} THEN stop_reason END,
    stop_detail = CASE WHEN state = {MailboxState.PAUSED:d} THEN stop_detail ELSE '' END
  WHERE id = ANY($1::int[]) AND backoff_level > 0 RETURNING id
)
DELETE FROM parks WHERE mailbox_id IN (SELECT id FROM well) AND campaign_id = {GATE}
  AND reason = {ParkReason.BACKOFF:d} AND until_time <= statement_timestamp()
""".encode()
_BACKING_OFF = b"SELECT id FROM mailboxes WHERE backoff_level > 0"


async def put(pool: DispatchPool, parks: Sequence[Park]) -> set[tuple[int, int]]:
    """Notes parks; one of the same reason replaces the one before.

    Returns the (mailbox, campaign) of those that were noted: not those whose mailbox or campaign is gone, or has
    changed since what they rest on was read.
    """
    rows = [
        (
            p.mailbox,
            p.campaign,
            int(p.reason),
            p.until,
            p.detail,
            p.of_deployment,
            p.mailbox_revision,
            p.campaign_revision,
        )
        for p in parks
    ]
    async with pool.connection() as connection:
        cursor = await connection.execute(_PUT, [list(column) for column in zip(*rows, strict=True)])
        return {(mailbox, campaign) for mailbox, campaign in await cursor.fetchall()}


async def of_campaigns(pool: DispatchPool, reason: ParkReason, campaigns: Sequence[int]) -> list[tuple[int, int]]:
    """The lanes of campaigns that are parked for one reason, as (mailbox, campaign)."""
    async with pool.connection() as connection:
        cursor = await connection.execute(_OF_CAMPAIGNS, (list(campaigns), int(reason)))
        return [(mailbox, campaign) for mailbox, campaign in await cursor.fetchall()]


async def of_deployment(pool: DispatchPool, limit: int) -> list[tuple[int, int]]:
    """So many of those that the deployment's cap has parked, drawn by lot, as (mailbox, campaign or GATE)."""
    async with pool.connection() as connection:
        cursor = await connection.execute(_OF_DEPLOYMENT, (limit,))
        return [(mailbox, campaign) for mailbox, campaign in await cursor.fetchall()]


async def lift(pool: DispatchPool, reason: ParkReason, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Forgets the parks of one reason of (mailbox, campaign or GATE); returns those that there were."""
    mailboxes, campaigns = zip(*places, strict=True)
    async with pool.connection() as connection:
        cursor = await connection.execute(_LIFT, (list(mailboxes), list(campaigns), int(reason)))
        return [(mailbox, campaign) for mailbox, campaign in await cursor.fetchall()]


async def stands(pool: DispatchPool, mailbox: int, campaign: int, reason: ParkReason) -> bool:
    """Whether a park is noted."""
    async with pool.connection() as connection:
        row = await (await connection.execute(_STANDS, (mailbox, campaign, int(reason)))).fetchone()
    return row is not None and bool(row[0])


async def back_off(
    pool: DispatchPool, mailbox: int, first_s: float, most_s: float, detail: str, tokens: Sequence[int] = ()
) -> Rest:
    """Parks a mailbox for first × 2ⁿ seconds, at most `most_s`, give or take a fifth, n growing until it recovers.

    One that rests already goes on as it was, whoever sent it to rest; and so does one that has rested since the claims
    were made which bring the news.

    Args:
        tokens: of those claims; none: it is of now.
    """
    async with pool.connection() as connection:
        cursor = connection.cursor()
        async with connection.pipeline():
            await connection.execute(_LOCK, (mailbox,))
            await cursor.execute(_BACK_OFF, (mailbox, first_s, most_s, detail, int(stop_reason(detail)), list(tokens)))
        row = await cursor.fetchone()
    # No row: its park was lifted in this very moment.
    return Rest(*row) if row else Rest(False, 0)


async def recover(pool: DispatchPool, mailboxes: Sequence[int]) -> None:
    """Starts the back-off of mailboxes anew: their server took a message."""
    async with pool.connection() as connection:
        await connection.execute(_RECOVER, (sorted(mailboxes),))


async def backing_off(pool: DispatchPool) -> set[int]:
    """Mailboxes whose next back-off is not their first."""
    async with pool.connection() as connection:
        return {row[0] for row in await (await connection.execute(_BACKING_OFF)).fetchall()}
