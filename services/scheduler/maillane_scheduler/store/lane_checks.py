"""What Postgres says waits in lanes, for the check of what the queue holds of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from maillane_scheduler.states import CampaignState, MessageState
from maillane_scheduler.store.due import LAST
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.marks import FIRST_ID, LAST_ID


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits in an open campaign, and what the queue was told of its lanes.

    Attributes:
        pending: in all of its lanes, without resends, which the queue need not have before they are lifted.
        revision: of the campaign, as the queue knows it at least.
        gates: the same of each of its mailboxes.
    """

    campaign: int
    pending: int
    revision: int
    gates: dict[int, int]


_OPEN = f"state IN ({CampaignState.ACTIVE:d}, {CampaignState.PAUSED:d})"
_AFTER = f"SELECT id FROM campaigns WHERE {_OPEN} AND id > $1 ORDER BY id LIMIT $2".encode()
_IS_SETTLED = f"""
EXISTS (SELECT FROM campaigns WHERE id = $1 AND {_OPEN}) AND NOT EXISTS (SELECT FROM marks WHERE campaign_id = $1)
"""
_LOOK = f"""
SELECT c.id,
  (SELECT coalesce(sum(pending), 0) FROM campaign_counts WHERE campaign_id = $1)
    - (SELECT count(*) FROM resends WHERE campaign_id = $1),
  c.queue_revision, array_agg(b.id ORDER BY b.id), array_agg(b.queue_revision ORDER BY b.id)
FROM campaigns c JOIN lanes l ON l.campaign_id = c.id JOIN mailboxes b ON b.id = l.mailbox_id
WHERE c.id = $1 AND l.base IS NOT NULL AND {_IS_SETTLED} GROUP BY c.id
""".encode()
_PENDING = f"""
SELECT mailbox_id, count(*) FROM messages
WHERE campaign_id = $1 AND state = {MessageState.PENDING:d} AND retry_time IS DISTINCT FROM timestamptz '{LAST}'
  AND {_IS_SETTLED}
GROUP BY 1
""".encode()
_MARK = f"""
INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id)
SELECT $1, mailbox_id, {FIRST_ID}, {LAST_ID} FROM unnest($2::int[]) AS u(mailbox_id)
""".encode()


async def open_after(pool: DispatchPool, campaign: int, limit: int) -> list[int]:
    """The first open campaigns with an id above that, in order."""
    async with pool.connection() as connection:
        return [row[0] for row in await (await connection.execute(_AFTER, (campaign, limit))).fetchall()]


async def look(pool: DispatchPool, campaign: int) -> Waits | None:
    """What waits in a campaign, by its counts: some rows, whatever waits.

    None where it is not open, or where the queue still has to be told of any of it: there is a mark.
    """
    async with pool.connection() as connection:
        row = await (await connection.execute(_LOOK, (campaign,))).fetchone()
    if row is None:
        return None
    found, pending, revision, mailboxes, revisions = row
    return Waits(found, int(pending), revision, dict(zip(mailboxes, revisions, strict=True)))


async def pending(pool: DispatchPool, campaign: int) -> dict[int, int]:
    """How many messages wait in each lane of a campaign, by mailbox: reads all of its messages, some 200 ms a million.

    Empty under the conditions of `look`.
    """
    async with pool.connection() as connection:
        return dict(await (await connection.execute(_PENDING, (campaign,))).fetchall())


async def mark(pool: DispatchPool, campaign: int, mailboxes: Sequence[int]) -> None:
    """Marks lanes of a campaign as a whole: the queue is told anew what they hold."""
    async with pool.connection() as connection:
        await connection.execute(_MARK, (campaign, list(mailboxes)))
