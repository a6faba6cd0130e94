"""Messages that are sent again though nobody knows what became of their first try.

A resend is PENDING at once, so that its campaign stays open, and keeps the token of the first try, so that a late
settle still tells the truth. But it may not be claimed before the first try can no longer succeed. No wall clock
decides that alone, for one that jumps ahead would let a message go while its first try goes on: its retry time is the
end of time, which no claim accepts, until the sweep lifts it, which has watched the clock for as long as the wait is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import CampaignState, MessageState, UnconfirmedPolicy
from maillane_scheduler.store import campaigns, counts, mailboxes
from maillane_scheduler.store.due import DUE_US, LAST

# Resends that one statement makes or lifts: some 50 ms.
BATCH = 1_000
# Campaigns looked at in one sweep.
CAMPAIGNS = 100

_HOLD = text(f"""
WITH held AS (
  UPDATE messages SET state = {MessageState.PENDING:d}, retry_time = timestamptz '{LAST}'
  WHERE id = ANY(CAST(:ids AS bigint[])) AND campaign_id = :campaign AND state = {MessageState.UNCONFIRMED:d}
  RETURNING id
), waiting AS (
  INSERT INTO resends (message_id, campaign_id, ready_time)
  SELECT h.id, :campaign, t.since + CAST(:wait_s AS float8) * interval '1 second'
  FROM held h CROSS JOIN LATERAL (
    SELECT coalesce(max(a.settle_time), statement_timestamp()) AS since FROM attempts a WHERE a.message_id = h.id
  ) AS t
  ON CONFLICT (message_id) DO UPDATE SET ready_time = excluded.ready_time
)
SELECT count(*) FROM held
""")

# A campaign that completed before the sweep saw what is unconfirmed in it is looked at for an hour yet.
_OF_POLICY = text(f"""
SELECT c.id, c.workspace_id FROM campaigns c
WHERE c.unconfirmed_policy = {UnconfirmedPolicy.RESEND:d}
  AND (c.state IN ({CampaignState.ACTIVE:d}, {CampaignState.PAUSED:d})
    OR c.state = {CampaignState.COMPLETED:d} AND c.end_time > statement_timestamp() - interval '1 hour')
  AND (SELECT sum(n.unconfirmed) FROM campaign_counts n WHERE n.campaign_id = c.id AND n.unconfirmed <> 0) > 0
ORDER BY c.id LIMIT {CAMPAIGNS}
""")
_UNCONFIRMED = text(f"""
SELECT m.id FROM messages m
WHERE m.state = {MessageState.UNCONFIRMED:d} AND m.attempt < :most_attempts
  AND m.mailbox_id = ANY(CAST(:mailboxes AS int[]))
  AND m.id IN (
    SELECT a.message_id FROM attempts a WHERE a.campaign_id = :campaign AND a.state = {MessageState.UNCONFIRMED:d})
ORDER BY m.id LIMIT {BATCH}
""")

# What a late settle or a cancel has ended meanwhile is not lifted, only forgotten.
# EXISTS, decided first: where nothing is ready, as in most sweeps, no message is read.
_LIFT = text(f"""
WITH ready AS (
  DELETE FROM resends WHERE message_id IN (
    SELECT message_id FROM resends WHERE ready_time <= statement_timestamp()
    ORDER BY ready_time LIMIT {BATCH} FOR UPDATE SKIP LOCKED)
  RETURNING message_id
), lifted AS (
  UPDATE messages m SET retry_time = statement_timestamp() FROM ready r
  WHERE EXISTS (SELECT FROM ready) AND m.id = r.message_id
    AND m.state = {MessageState.PENDING:d} AND m.retry_time = timestamptz '{LAST}'
  RETURNING m.id, m.campaign_id, m.mailbox_id, m.ordinal, m.retry_time
), marked AS (
  INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id)
  SELECT campaign_id, mailbox_id, id, id FROM lifted RETURNING id, first_id
), returned AS (
  UPDATE lanes l SET has_returned = true FROM lifted m
  WHERE l.campaign_id = m.campaign_id AND l.mailbox_id = m.mailbox_id
    AND l.leave_time IS NOT NULL AND NOT l.has_returned
)
SELECT k.id, m.campaign_id, m.mailbox_id, m.id, {DUE_US}
FROM lifted m JOIN marked k ON k.first_id = m.id JOIN campaigns c ON c.id = m.campaign_id
JOIN lanes l ON l.campaign_id = m.campaign_id AND l.mailbox_id = m.mailbox_id
""")

# Postgres cannot tell how many lanes are asked for; it goes by the few that are held, along their index.
_HELD = text(f"""
WITH held AS (
  SELECT m.id, (extract(epoch FROM r.ready_time) * 1000000)::bigint AS ready_us
  FROM resends r JOIN messages m ON m.id = r.message_id
  WHERE (m.campaign_id, m.mailbox_id) IN (
      SELECT * FROM unnest(CAST(:campaigns AS bigint[]), CAST(:mailboxes AS int[])))
    AND (CAST(:ids AS bigint[]) IS NULL OR m.id = ANY(CAST(:ids AS bigint[])))
    AND m.state = {MessageState.PENDING:d} AND m.retry_time = timestamptz '{LAST}'
)
SELECT id, ready_us FROM held WHERE (ready_us, id) > (:after_us, :after_id) ORDER BY ready_us, id LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Held:
    """A resend that waits for its first try's end, and until when at least."""

    message: int
    ready_us: int


@dataclass(frozen=True, slots=True)
class Lifted:
    """A resend that may be claimed now, and the mark that the queue has to be told by."""

    mark: int
    campaign: int
    mailbox: int
    message: int
    due_us: int


async def hold(connection: AsyncConnection, campaign_id: int, ids: Sequence[int], wait_s: float) -> int:
    """Makes unconfirmed messages of a campaign, which the caller holds, PENDING; returns how many.

    None is claimed before `wait_s` after it became unconfirmed, and not before it is lifted.
    """
    held = await connection.execute(_HOLD, {"ids": list(ids), "campaign": campaign_id, "wait_s": wait_s})
    number = int(held.scalar_one())
    if number:
        await counts.add(connection, campaign_id, pending=number, unconfirmed=-number)
        await campaigns.reopen(connection, campaign_id)
    return number


async def of_policy(connection: AsyncConnection) -> list[tuple[int, int]]:
    """(campaign, workspace) of those that want to send again what is unconfirmed, where something is."""
    return [(campaign, workspace) for campaign, workspace in await connection.execute(_OF_POLICY)]


async def hold_by_policy(
    connection: AsyncConnection, workspace_id: int, campaign_id: int, *, wait_s: float, most_attempts: int
) -> int:
    """Makes what is unconfirmed in a campaign PENDING, some at a time, where it has tries left; returns how many."""
    if (await campaigns.lock(connection, workspace_id, campaign_id)) is CampaignState.CANCELLED:
        return 0
    living = await mailboxes.share_living(connection, campaign_id)
    found = await connection.execute(
        _UNCONFIRMED, {"campaign": campaign_id, "most_attempts": most_attempts, "mailboxes": living}
    )
    ids = list(found.scalars())
    return await hold(connection, campaign_id, ids, wait_s) if ids else 0


async def held(
    connection: AsyncConnection,
    lanes: Sequence[tuple[int, int]],
    after: tuple[int, int],
    most: int,
    ids: Sequence[int] | None = None,
) -> list[Held]:
    """Resends of these (campaign, mailbox) that wait, the first to be ready first.

    Args:
        after: they come behind this (instant in µs, message).
        ids: of these messages alone.
    """
    asked = {
        "campaigns": [campaign for campaign, _ in lanes],
        "mailboxes": [mailbox for _, mailbox in lanes],
        "ids": ids if ids is None else list(ids),
        "after_us": after[0],
        "after_id": after[1],
        "most": most,
    }
    return [Held(*row) for row in await connection.execute(_HELD, asked)]


async def lift(connection: AsyncConnection) -> list[Lifted]:
    """Lets go, some at a time, the resends whose wait is over by this database's clock.

    For a caller that has watched that clock for as long as the wait is, and saw it go on steadily.
    """
    return [Lifted(*row) for row in await connection.execute(_LIFT)]
