"""Why a compare-and-set refused messages, so that the queue can be put right and the same is not tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from maillane_scheduler.states import CampaignState, MailboxState, MessageState
from maillane_scheduler.store.due import time_sql, us_sql
from maillane_scheduler.store.engine import DispatchPool


class Refusal(Enum):
    """The first thing that stood in the way, from the outermost."""

    # The queue has what Postgres does not have as PENDING there: it is dropped.
    NOT_PENDING = "not_pending"
    # The campaign is a draft, or has ended: its lane is dropped.
    CAMPAIGN_CLOSED = "campaign_closed"
    CAMPAIGN_PAUSED = "campaign_paused"
    MAILBOX_PAUSED = "mailbox_paused"
    WORKSPACE_STOPPED = "workspace_stopped"
    SUPPRESSED = "suppressed"
    # Due later, by Postgres's clock and plan.
    NOT_DUE = "not_due"
    # The permit was of another epoch, its window ended, or its limits changed: ask for another.
    PERMIT_VOID = "permit_void"


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was not claimed.

    Attributes:
        wait_us: NOT_DUE: how long until it is due; else 0.
        due_us: when it is due by the plan; None where it has no plan.
    """

    message: int
    campaign: int
    mailbox: int
    refusal: Refusal
    wait_us: int
    due_us: int | None


_LOOK = f"""
SELECT u.id, u.campaign_id, u.mailbox_id,
  CASE
    WHEN m.state IS DISTINCT FROM {MessageState.PENDING:d} OR l.campaign_id IS NULL THEN 'not_pending'
    WHEN c.state NOT IN ({CampaignState.ACTIVE:d}, {CampaignState.PAUSED:d}) THEN 'campaign_closed'
    WHEN c.state = {CampaignState.PAUSED:d} THEN 'campaign_paused'
    WHEN b.state <> {MailboxState.ACTIVE:d} OR b.delete_time IS NOT NULL THEN 'mailbox_paused'
    WHEN w.stopped THEN 'workspace_stopped'
    WHEN EXISTS (SELECT FROM suppressions s WHERE s.workspace_id = w.id AND s.email = lower(m.email)) THEN 'suppressed'
    WHEN d.due > statement_timestamp() THEN 'not_due'
    ELSE 'permit_void'
  END,
  greatest(0, {us_sql("d.due - statement_timestamp()")}),
  {us_sql("d.due")}
FROM unnest($1::bigint[], $2::bigint[], $3::int[]) AS u(id, campaign_id, mailbox_id)
LEFT JOIN messages m ON m.id = u.id AND m.campaign_id = u.campaign_id AND m.mailbox_id = u.mailbox_id
LEFT JOIN campaigns c ON c.id = u.campaign_id
LEFT JOIN mailboxes b ON b.id = u.mailbox_id
LEFT JOIN workspaces w ON w.id = c.workspace_id
LEFT JOIN lanes l ON l.campaign_id = u.campaign_id AND l.mailbox_id = u.mailbox_id
CROSS JOIN LATERAL (SELECT {time_sql()} AS due) AS d
""".encode()

_SUPPRESS = f"""
WITH suppressed AS (
  UPDATE messages SET state = {MessageState.SUPPRESSED:d}
  WHERE id = ANY($1::bigint[]) AND state = {MessageState.PENDING:d} RETURNING campaign_id
)
INSERT INTO campaign_counts (campaign_id, slot, pending, suppressed)
SELECT campaign_id, pg_backend_pid() % 16, -count(*), count(*) FROM suppressed GROUP BY 1 ORDER BY 1
ON CONFLICT (campaign_id, slot) DO UPDATE SET
  pending = campaign_counts.pending + excluded.pending, suppressed = campaign_counts.suppressed + excluded.suppressed
""".encode()


async def explain(pool: DispatchPool, messages: Sequence[tuple[int, int, int]]) -> list[Refused]:
    """Why each of (message, campaign, mailbox) cannot be claimed now. Reads only.

    What could be claimed by now counts as PERMIT_VOID: it is tried again with another permit.
    """
    ids, campaigns, mailboxes = zip(*messages, strict=True)
    async with pool.connection() as connection:
        cursor = await connection.execute(_LOOK, (list(ids), list(campaigns), list(mailboxes)))
        rows = await cursor.fetchall()
    return [
        Refused(message, campaign, mailbox, Refusal(refusal), wait_us or 0, due_us)
        for message, campaign, mailbox, refusal, wait_us, due_us in rows
    ]


async def suppress(pool: DispatchPool, messages: Sequence[int]) -> None:
    """Makes pending messages SUPPRESSED. Safe to repeat."""
    async with pool.connection() as connection:
        await connection.execute(_SUPPRESS, (sorted(messages),))
