"""Settles that make a message PENDING again, or that come late: rarer than the others, and with more to look at.

Whatever makes a message PENDING locks its campaign's row, as cancelling and completing do: so none is left waiting in a
campaign that has ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from maillane_scheduler.handover import Finished, Release
from maillane_scheduler.states import CampaignState, MessageState, SuppressionReason
from maillane_scheduler.store.claims import SLOTS, SettledRow
from maillane_scheduler.store.due import time_sql, us_sql
from maillane_scheduler.store.engine import DispatchPool


@dataclass(frozen=True, slots=True)
class Backoff:
    """When a recipient is tried again: first × 4ⁿ seconds, up to `most_s`, give or take a fifth; `attempts` in all."""

    first_s: float
    most_s: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Refund:
    """A permit that was not used."""

    workspace: int
    reservation_id: str
    message: int
    token: int


@dataclass(frozen=True, slots=True)
class ReleasedRow:
    """What became of a release.

    Attributes:
        due_us: when it is due again; None where it is not PENDING (its campaign was cancelled, or its tries are over).
        mark: of the lane, to be cleared once the queue has it; None with due_us.
    """

    settled: SettledRow
    due_us: int | None
    mark: int | None


# In statements of their own, so that what follows has a later snapshot: the lease sweep may be at these very messages,
# and what it makes of them must be seen, or a release finds them neither SENDING nor UNCONFIRMED, and is lost.
_LOCKS = (
    b"""
SELECT id FROM campaigns
WHERE id IN (SELECT campaign_id FROM messages WHERE id = ANY($1::bigint[]))
ORDER BY id FOR NO KEY UPDATE
""",
    b"SELECT id FROM messages WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE",
)

_OLD = """
old AS MATERIALIZED (
  SELECT m.id, m.state, m.token, o.code, o.reply, {columns}
  FROM messages m JOIN o ON o.id = m.id AND o.token = m.token
  WHERE m.state IN ({states})
)"""

_RELEASABLE = f"{MessageState.SENDING:d}, {MessageState.UNCONFIRMED:d}"
_DUE = time_sql(ordinal="r.ordinal", delay_us="r.delay_us", retry_time="r.retry_time")

# A campaign that was completed is open again; one that was cancelled stays so, and the message with it.
_RELEASE = f"""
WITH o AS MATERIALIZED (
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::smallint[], $5::text[], $6::float8[],
                       $7::boolean[])
    AS o(id, token, spent, code, reply, wait_s, permit_spent)
), {_OLD.format(columns="o.spent, o.wait_s, o.permit_spent", states=_RELEASABLE)},
released AS (
  UPDATE messages m SET
    state = CASE WHEN old.spent AND m.attempt >= $8 THEN {MessageState.FAILED:d}
                 WHEN c.state = {CampaignState.CANCELLED:d} THEN {MessageState.CANCELLED:d}
                 ELSE {MessageState.PENDING:d} END,
    attempt = m.attempt - (NOT old.spent)::int,
    token = NULL,
    retry_time = CASE
      WHEN old.spent THEN statement_timestamp() + interval '1 second'
        * (least($10, $9 * 4 ^ least(m.attempt - 1, 20)) * (0.8 + 0.4 * random()))
      WHEN old.wait_s > 0 THEN statement_timestamp() + interval '1 second' * (old.wait_s * (0.8 + 0.4 * random()))
      ELSE m.retry_time END
  FROM old, campaigns c
  WHERE m.id = old.id AND m.token = old.token AND m.state = old.state AND c.id = m.campaign_id
  RETURNING m.id, m.campaign_id, m.mailbox_id, old.token, old.state AS was, m.state, m.attempt, m.ordinal, m.retry_time,
            old.spent, old.spent OR old.permit_spent AS permit_spent, old.code, old.reply, c.workspace_id, c.delay_us,
            c.state AS campaign_state
), tried AS (
  INSERT INTO attempts (message_id, campaign_id, claim_time, settle_time, mailbox_id, number, state, code, reply)
  SELECT r.id, r.campaign_id, k.create_time, statement_timestamp(), r.mailbox_id, r.attempt + (NOT r.spent)::int,
         r.state, r.code, r.reply
  FROM released r JOIN claims k ON k.token = r.token WHERE r.spent OR r.reply <> ''
), reopened AS (
  UPDATE campaigns SET state = {CampaignState.ACTIVE:d}, end_time = NULL, revision = revision + 1
  WHERE state = {CampaignState.COMPLETED:d}
    AND id IN (SELECT campaign_id FROM released WHERE state = {MessageState.PENDING:d})
), marked AS (
  INSERT INTO marks (campaign_id, mailbox_id, first_id, last_id)
  SELECT campaign_id, mailbox_id, id, id FROM released WHERE state = {MessageState.PENDING:d} RETURNING id, first_id
), returned AS (
  UPDATE lanes l SET has_returned = true FROM released r
  WHERE r.state = {MessageState.PENDING:d} AND l.campaign_id = r.campaign_id AND l.mailbox_id = r.mailbox_id
    AND l.leave_time IS NOT NULL AND NOT l.has_returned
), refunded AS (
  UPDATE permits p SET refunded = p.refunded + r.n
  FROM (SELECT token, campaign_id, mailbox_id, count(*) AS n FROM released WHERE NOT permit_spent GROUP BY 1, 2, 3) AS r
  WHERE p.token = r.token AND p.campaign_id = r.campaign_id AND p.mailbox_id = r.mailbox_id
  RETURNING p.token, p.campaign_id, p.mailbox_id, p.reservation_id
), counted AS (
  INSERT INTO campaign_counts (campaign_id, slot, pending, sending, failed, unconfirmed, cancelled)
  SELECT campaign_id, pg_backend_pid() % {SLOTS}, sum((state = {MessageState.PENDING:d})::int),
         -sum((was = {MessageState.SENDING:d})::int), sum((state = {MessageState.FAILED:d})::int),
         -sum((was = {MessageState.UNCONFIRMED:d})::int), sum((state = {MessageState.CANCELLED:d})::int)
  FROM released GROUP BY 1 ORDER BY 1
  ON CONFLICT (campaign_id, slot) DO UPDATE SET
    pending = campaign_counts.pending + excluded.pending, sending = campaign_counts.sending + excluded.sending,
    failed = campaign_counts.failed + excluded.failed, cancelled = campaign_counts.cancelled + excluded.cancelled,
    unconfirmed = campaign_counts.unconfirmed + excluded.unconfirmed
)
SELECT r.id, r.mailbox_id, r.campaign_id, r.token,
  CASE WHEN r.state = {MessageState.PENDING:d} THEN {us_sql(_DUE)} END,
  k.id, r.workspace_id, f.reservation_id
FROM released r
JOIN lanes l ON l.campaign_id = r.campaign_id AND l.mailbox_id = r.mailbox_id
LEFT JOIN marked k ON k.first_id = r.id
LEFT JOIN refunded f ON NOT r.permit_spent AND f.token = r.token AND f.campaign_id = r.campaign_id
  AND f.mailbox_id = r.mailbox_id
""".encode()

# What settles after its lease: the sweep called it UNCONFIRMED, and now somebody knows. A resend that is not claimed
# yet keeps its token for this.
_LATE = f"""
WITH o AS MATERIALIZED (
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::text[], $6::boolean[])
    AS o(id, token, new_state, code, reply, suppress)
), {_OLD.format(columns="o.new_state, o.suppress", states=f"{MessageState.UNCONFIRMED:d}, {MessageState.PENDING:d}")},
settled AS (
  UPDATE messages m SET state = old.new_state FROM old
  WHERE m.id = old.id AND m.token = old.token AND m.state = old.state AND m.state <> old.new_state
  RETURNING m.id, m.mailbox_id, m.campaign_id, m.token, m.attempt, old.state AS was, m.state, m.email, old.code,
            old.reply, old.suppress
), dead AS (
  INSERT INTO suppressions (workspace_id, email, reason)
  SELECT DISTINCT c.workspace_id, lower(s.email), {SuppressionReason.DEAD_ADDRESS:d}
  FROM settled s JOIN campaigns c ON c.id = s.campaign_id WHERE s.suppress ON CONFLICT DO NOTHING
), tried AS (
  INSERT INTO attempts (message_id, campaign_id, claim_time, settle_time, mailbox_id, number, state, code, reply)
  SELECT s.id, s.campaign_id, k.create_time, statement_timestamp(), s.mailbox_id, s.attempt, s.state, s.code, s.reply
  FROM settled s JOIN claims k ON k.token = s.token
), counted AS (
  INSERT INTO campaign_counts (campaign_id, slot, pending, sent, failed, unconfirmed)
  SELECT campaign_id, pg_backend_pid() % {SLOTS}, -sum((was = {MessageState.PENDING:d})::int),
         sum((state = {MessageState.SENT:d})::int), sum((state = {MessageState.FAILED:d})::int),
         sum((state = {MessageState.UNCONFIRMED:d})::int) - sum((was = {MessageState.UNCONFIRMED:d})::int)
  FROM settled GROUP BY 1 ORDER BY 1
  ON CONFLICT (campaign_id, slot) DO UPDATE SET
    pending = campaign_counts.pending + excluded.pending, sent = campaign_counts.sent + excluded.sent,
    failed = campaign_counts.failed + excluded.failed,
    unconfirmed = campaign_counts.unconfirmed + excluded.unconfirmed
)
SELECT id, mailbox_id, campaign_id, token FROM settled
""".encode()


# Nobody was told of the claim: its lease is as it was committed, for whoever tells moves it. From now on nobody is.
_TAKE_BACK = b"""
UPDATE claims SET sender_id = '', incarnation = ''
WHERE token = $1 AND lease_until = create_time + $2 * interval '1 second' RETURNING true
"""


async def release(
    pool: DispatchPool, releases: Sequence[Release], backoff: Backoff
) -> tuple[list[ReleasedRow], list[Refund]]:
    """Makes messages PENDING again, durably, with a mark for the queue each; those that are spent wait for their turn.

    One whose tries are over becomes FAILED; one of a cancelled campaign CANCELLED. Also takes what the lease sweep
    has called UNCONFIRMED meanwhile. Safe to repeat: a token releases once.

    Returns what took effect, and the permits to give back.
    """
    async with pool.connection() as connection:
        return await _release(connection, releases, backoff)


async def take_back(
    pool: DispatchPool, token: int, messages: Sequence[int], lease_s: float, backoff: Backoff
) -> tuple[list[ReleasedRow], list[Refund]]:
    """Releases a whole claim, unless somebody has been told of it: a replay, while this scheduler was stalled.

    Returns the same as `release`; nothing where it was told.
    """
    untold = [Release(message, token, spent=False, code=0, reply="") for message in messages]
    async with pool.connection() as connection, connection.transaction():
        if await (await connection.execute(_TAKE_BACK, (token, lease_s))).fetchone() is None:
            return [], []
        return await _release(connection, untold, backoff)


async def _release(
    connection: AsyncConnection[TupleRow], releases: Sequence[Release], backoff: Backoff
) -> tuple[list[ReleasedRow], list[Refund]]:
    # A column is of one type: psycopg refuses a list of whole and broken numbers.
    rows = sorted((r.message, r.token, r.spent, r.code, r.reply, float(r.wait_s), r.permit_spent) for r in releases)
    ids, *_ = columns = [list(column) for column in zip(*rows, strict=True)]
    cursor = connection.cursor(binary=True)
    async with connection.pipeline():
        for lock in _LOCKS:
            await connection.execute(lock, (ids,))
        await cursor.execute(_RELEASE, (*columns, backoff.attempts, backoff.first_s, backoff.most_s))
    found = await cursor.fetchall()
    released = [
        ReleasedRow(SettledRow(message, mailbox, campaign, token), due_us, mark)
        for message, mailbox, campaign, token, due_us, mark, *_ in found
    ]
    refunds = [
        Refund(workspace, reservation, message, token)
        for message, _, _, token, _, _, workspace, reservation in found
        if reservation is not None
    ]
    return released, refunds


async def settle_late(pool: DispatchPool, finished: Sequence[Finished]) -> list[SettledRow]:
    """Turns UNCONFIRMED messages, and resends not yet claimed, into what really happened. Safe to repeat."""
    rows = sorted((f.message, f.token, int(f.state), f.code, f.reply, f.suppress) for f in finished)
    ids, *_ = columns = [list(column) for column in zip(*rows, strict=True)]
    async with pool.connection() as connection:
        cursor = connection.cursor(binary=True)
        async with connection.pipeline():
            for lock in _LOCKS:
                await connection.execute(lock, (ids,))
            await cursor.execute(_LATE, columns)
        found = await cursor.fetchall()
    return [SettledRow(*row) for row in found]
