"""Failed messages that are tried again, a batch at a time."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import MessageState
from maillane_scheduler.store import audit, campaigns, counts, mailboxes, marks
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.store.due import DUE_US
from maillane_scheduler.store.recipients import Added
from maillane_scheduler.validation.messages import RetryFilters

# Rows that one statement changes: some 100 ms, so that locks are short and what waits for them is not noticed.
BATCH = 5_000

# Through the attempts, which are indexed by what they came to; the last one of a message is the one that counts.
_FAILED = text(f"""
SELECT DISTINCT a.message_id FROM attempts a JOIN messages m ON m.id = a.message_id
WHERE a.campaign_id = :campaign AND a.state = {MessageState.FAILED:d} AND a.message_id > :after
  AND m.state = {MessageState.FAILED:d} AND m.mailbox_id = ANY(CAST(:mailboxes AS int[]))
  AND (:code = 0 OR a.code = :code) AND (:reply = '' OR strpos(lower(a.reply), lower(:reply)) > 0)
  AND NOT EXISTS (
    SELECT FROM attempts b WHERE b.message_id = a.message_id AND b.settle_time > a.settle_time)
ORDER BY a.message_id LIMIT {BATCH}
""")
# Without the old token: a settle of the last try that is repeated now must find nothing.
_RETRY = text(f"""
UPDATE messages m SET state = {MessageState.PENDING:d}, retry_time = statement_timestamp(), token = NULL
FROM campaigns c, lanes l
WHERE m.id = ANY(CAST(:ids AS bigint[])) AND m.id BETWEEN :first AND :last AND m.campaign_id = :campaign
  AND m.state = {MessageState.FAILED:d} AND c.id = m.campaign_id
  AND l.campaign_id = m.campaign_id AND l.mailbox_id = m.mailbox_id
RETURNING m.mailbox_id, m.id, {DUE_US}
""")
_RETURNED = text("""
UPDATE lanes SET has_returned = true
WHERE campaign_id = :campaign AND mailbox_id = ANY(CAST(:mailboxes AS int[]))
  AND leave_time IS NOT NULL AND NOT has_returned
""")


@dataclass(frozen=True, slots=True)
class Retried:
    """A batch: how many are PENDING by it, the last id that was looked at, whether there may be more behind it."""

    number: int
    last_id: int
    more: bool
    added: Added


async def retry(
    connection: AsyncConnection, actor: Actor, campaign_id: int, filters: RetryFilters, after_id: int
) -> Retried:
    """Makes the first BATCH failed messages behind an id PENDING, with a mark for each lane; reopens their campaign.

    Raises:
        NotFound: the workspace has no such campaign.
        FailedPrecondition: CAMPAIGN_ENDED, it was cancelled.
    """
    await campaigns.lock_to_reopen(connection, actor.workspace_id, campaign_id)
    ids = await _failed(connection, campaign_id, filters, after_id)
    if not ids:
        return Retried(0, after_id, more=False, added=Added())
    where = {"ids": ids, "first": ids[0], "last": ids[-1], "campaign": campaign_id}
    messages: dict[int, list[tuple[int, int]]] = {}
    for mailbox_id, message_id, due_us in await connection.execute(_RETRY, where):
        messages.setdefault(mailbox_id, []).append((message_id, due_us))
    spans = {mailbox_id: (min(items)[0], max(items)[0]) for mailbox_id, items in messages.items()}
    made = await marks.add_spans(connection, campaign_id, spans)
    await connection.execute(_RETURNED, {"campaign": campaign_id, "mailboxes": list(messages)})
    number = sum(map(len, messages.values()))
    await counts.add(connection, campaign_id, failed=-number, pending=number)
    await campaigns.reopen(connection, campaign_id)
    await audit.record(connection, actor, "messages.retry", f"campaigns/{campaign_id}", {"messages": number})
    return Retried(number, ids[-1], more=len(ids) == BATCH, added=Added(tuple(made), lambda: messages))


async def _failed(connection: AsyncConnection, campaign_id: int, filters: RetryFilters, after_id: int) -> list[int]:
    living = await mailboxes.share_living(connection, campaign_id)
    asked = {"campaign": campaign_id, "after": after_id, "mailboxes": living}
    found = await connection.execute(_FAILED, {**asked, "code": filters.code, "reply": filters.reply_contains})
    return list(found.scalars())
