"""The compare-and-set: what makes a claim true, and settles what is finished, in one commit.

The statement is one, so that one commit makes both durable: a claim must be durable before its messages leave, and a
settle that rides with it costs nothing more. It runs behind a statement of its own that takes the shared side of the
locks, so that its snapshot is later than whatever the exclusive side waited for (a pause, a stop, a restore).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.errors import DeadlockDetected, UniqueViolation

from maillane_scheduler.handover import Finished
from maillane_scheduler.states import MessageState
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.locks import SHARED

# Slots of campaign_counts: schedulers and their connections spread over them by their backend's process id.
SLOTS = 16
# Two statements that lock the same rows in another order: one of them is told so, and is simply repeated.
DEADLOCK_TRIES = 3


@dataclass(frozen=True, slots=True)
class Permit:
    """What one lane's hand-out rests on.

    Attributes:
        remaining_s: how long the permit is still good, from when the statement is sent, on the safe side.
        deployment_epoch: None where no limit of the deployment was asked.
        campaign_revision, mailbox_revision: the rows that the allowances were read from; a limit that changed since
            makes the permit worthless.
    """

    campaign: int
    mailbox: int
    workspace: int
    address_key: str
    reservation_id: str
    reserve_time: datetime
    remaining_s: float
    epoch: int
    deployment_epoch: int | None
    campaign_revision: int
    mailbox_revision: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Who claims which messages, under which token.

    Attributes:
        places: (message, mailbox), as the queue has them: one that has moved since is not claimed.
    """

    token: int
    claim_id: int
    sender_id: str
    incarnation: str
    lease_s: float
    places: Sequence[tuple[int, int]]
    permits: Sequence[Permit]


class ClaimedRow(NamedTuple):
    """A message as it is handed out."""

    message: int
    campaign: int
    mailbox: int
    attempt: int
    recipient: str
    variables: str
    template_revision: int
    transport_revision: int


@dataclass(frozen=True, slots=True)
class SettledRow:
    """A message that left SENDING, and where the queue has it."""

    message: int
    mailbox: int
    campaign: int
    token: int


@dataclass(frozen=True, slots=True)
class Committed:
    """What took effect.

    Attributes:
        claimed: by id; what is missing was refused, and `store.refusals` says why.
        settled: those of the finished that were SENDING under their token.
    """

    claimed: dict[int, ClaimedRow]
    settled: list[SettledRow]


# The name that Postgres gave it. What another one forbids is a defect, and nobody's claim.
ONE_CLAIM_OF_AN_ID = "claims_claim_id_key"


class ClaimTaken(Exception):
    """The claim id has been used: another scheduler, or an earlier call, was first. Nothing was changed."""


_COMMIT = f"""
WITH finished AS MATERIALIZED (
  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::text[], $6::boolean[])
    AS f(id, token, state, code, reply, suppress)
), settled AS (
  UPDATE messages m SET state = f.state FROM finished f
  WHERE m.id = f.id AND m.token = f.token AND m.state = {MessageState.SENDING:d}
  RETURNING m.id, m.campaign_id, m.mailbox_id, m.token, m.attempt, m.state, m.email, f.code, f.reply, f.suppress
), tried AS (
  INSERT INTO attempts (message_id, campaign_id, claim_time, settle_time, mailbox_id, number, state, code, reply)
  SELECT s.id, s.campaign_id, k.create_time, statement_timestamp(), s.mailbox_id, s.attempt, s.state, s.code, s.reply
  FROM settled s JOIN claims k ON k.token = s.token
), dead AS (
  INSERT INTO suppressions (workspace_id, email, reason)
  SELECT DISTINCT c.workspace_id, lower(s.email), 2 FROM settled s JOIN campaigns c ON c.id = s.campaign_id
  WHERE s.suppress ON CONFLICT DO NOTHING
), lane AS MATERIALIZED (
  SELECT p.*, l.base, c.delay_us
  FROM unnest($7::bigint[], $8::int[], $9::int[], $10::text[], $11::text[], $12::timestamptz[], $13::float8[],
              $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[])
    AS p(campaign_id, mailbox_id, workspace_id, address_key, reservation_id, reserve_time, remaining_s,
         epoch, deployment_epoch, campaign_revision, mailbox_revision)
  JOIN campaigns c ON c.id = p.campaign_id AND c.state = 2 AND c.revision = p.campaign_revision
  JOIN mailboxes b ON b.id = p.mailbox_id AND b.state = 1 AND b.revision = p.mailbox_revision
    AND b.delete_time IS NULL
  JOIN lanes l ON l.campaign_id = p.campaign_id AND l.mailbox_id = p.mailbox_id
  JOIN workspaces w ON w.id = p.workspace_id AND NOT w.stopped
  JOIN counters k ON k.workspace_id = p.workspace_id AND k.epoch = p.epoch
  JOIN counters d ON d.workspace_id = 0 AND (p.deployment_epoch IS NULL OR d.epoch = p.deployment_epoch)
  JOIN senders s ON s.sender_id = $20 AND s.incarnation = $21 AND s.replace_time IS NULL
  WHERE statement_timestamp() < transaction_timestamp() + p.remaining_s * interval '1 second'
), claimed AS (
  UPDATE messages m SET state = {MessageState.SENDING:d}, attempt = m.attempt + 1, token = $18
  FROM unnest($23::bigint[], $24::int[]) AS u(id, mailbox_id), lane l
  WHERE m.id = u.id AND m.state = {MessageState.PENDING:d}
    AND m.mailbox_id = u.mailbox_id
    AND l.campaign_id = m.campaign_id AND l.mailbox_id = m.mailbox_id
    AND l.base + m.ordinal * l.delay_us * interval '1 microsecond' <= statement_timestamp()
    AND (m.retry_time IS NULL OR m.retry_time <= statement_timestamp())
    AND NOT EXISTS (SELECT FROM suppressions s WHERE s.workspace_id = l.workspace_id AND s.email = lower(m.email))
  RETURNING m.id, m.campaign_id, m.mailbox_id, m.attempt, m.email, m.variables, l.campaign_revision, l.mailbox_revision
), held AS (
  INSERT INTO claims (token, claim_id, sender_id, incarnation, lease_until, create_time, ids)
  SELECT $18, $19, $20, $21, statement_timestamp() + $22 * interval '1 second', statement_timestamp(),
         array_agg(id ORDER BY id)
  FROM claimed HAVING count(*) > 0
), used AS (
  INSERT INTO permits (token, campaign_id, workspace_id, mailbox_id, reserve_time, permits, address_key, reservation_id)
  SELECT $18, l.campaign_id, l.workspace_id, l.mailbox_id, l.reserve_time, count(*), l.address_key, l.reservation_id
  FROM lane l JOIN claimed c ON c.campaign_id = l.campaign_id AND c.mailbox_id = l.mailbox_id
  GROUP BY 2, 3, 4, 5, 7, 8
), counted AS (
  INSERT INTO campaign_counts (campaign_id, slot, pending, sending, sent, failed, unconfirmed)
  SELECT campaign_id, pg_backend_pid() % {SLOTS}, sum(pending), sum(sending), sum(sent), sum(failed), sum(unconfirmed)
  FROM (
    SELECT campaign_id, -1 AS pending, 1 AS sending, 0 AS sent, 0 AS failed, 0 AS unconfirmed FROM claimed
    UNION ALL
    SELECT campaign_id, 0, -1, (state = {MessageState.SENT:d})::int, (state = {MessageState.FAILED:d})::int,
           (state = {MessageState.UNCONFIRMED:d})::int FROM settled
  ) AS change
  GROUP BY campaign_id ORDER BY campaign_id
  ON CONFLICT (campaign_id, slot) DO UPDATE SET
    pending = campaign_counts.pending + excluded.pending, sending = campaign_counts.sending + excluded.sending,
    sent = campaign_counts.sent + excluded.sent, failed = campaign_counts.failed + excluded.failed,
    unconfirmed = campaign_counts.unconfirmed + excluded.unconfirmed
)
SELECT true AS is_claim, id, campaign_id, mailbox_id, attempt, email, variables, campaign_revision, mailbox_revision,
       NULL::bigint AS token FROM claimed
UNION ALL
SELECT false, id, campaign_id, mailbox_id, NULL, NULL, NULL, NULL, NULL, token FROM settled
"""
_STATEMENT = _COMMIT.encode()


async def commit(pool: DispatchPool, finished: Sequence[Finished], claim: Claim | None) -> Committed:
    """Settles what is finished and claims what is claimable, durably and together, or neither.

    A message is claimed only where it is PENDING, in that mailbox, and due by this database's clock, its campaign and
    mailbox are active, its workspace is not stopped, its recipient is not suppressed, its permit is good (of the
    counters' epoch, within its window, reserved under the limits in force), and the sender is not replaced. Safe to
    repeat with the same tokens: what was settled stays settled, and a claim id commits once.

    Raises:
        ClaimTaken: the claim id is used up; nothing was changed, nor settled.
    """
    workspaces = sorted({permit.workspace for permit in claim.permits}) if claim else []
    parameters = (*_finished_columns(finished), *_claim_columns(claim))
    for left in reversed(range(DEADLOCK_TRIES)):
        try:
            return await _execute(pool, workspaces, parameters)
        except UniqueViolation as error:
            if error.diag.constraint_name != ONE_CLAIM_OF_AN_ID:
                raise
            raise ClaimTaken from None
        except DeadlockDetected:
            if not left:
                raise
    raise AssertionError("unreachable")


async def _execute(pool: DispatchPool, workspaces: list[int], parameters: Sequence[object]) -> Committed:
    # Statements of one pipeline, in autocommit, are one transaction, which its end commits.
    async with pool.connection() as connection:
        cursor = connection.cursor(binary=True)
        async with connection.pipeline():
            if workspaces:
                await connection.execute(SHARED, (_numbers(workspaces),))
            await cursor.execute(_STATEMENT, parameters)
        rows = await cursor.fetchall()
    committed = Committed({}, [])
    for row in rows:
        if row[0]:
            committed.claimed[row[1]] = ClaimedRow._make(row[1:-1])
        else:
            committed.settled.append(SettledRow(row[1], row[3], row[2], row[-1]))
    return committed


def _finished_columns(finished: Sequence[Finished]) -> list[object]:
    # Sorted: rows are locked in the arrays' order, and two statements that lock in one order cannot deadlock.
    rows = sorted((f.message, f.token, int(f.state), f.code, f.reply, int(f.suppress)) for f in finished)
    return _columns(rows, 6, texts={4})


def _claim_columns(claim: Claim | None) -> list[object]:
    if claim is None:
        return [*_columns([], 11), 0, 0, "", "", 0.0, *_columns([], 2)]
    lanes = [
        (
            *(p.campaign, p.mailbox, p.workspace, p.address_key, p.reservation_id, p.reserve_time, p.remaining_s),
            *(p.epoch, p.deployment_epoch, p.campaign_revision, p.mailbox_revision),
        )
        for p in claim.permits
    ]
    head = (claim.token, claim.claim_id, claim.sender_id, claim.incarnation, claim.lease_s)
    return [*_columns(lanes, 11, texts={3, 4, 5}), *head, *_columns(sorted(claim.places), 2)]


def _columns(rows: Sequence[Sequence[object]], width: int, texts: Collection[int] = ()) -> list[object]:
    """The rows by column: those at `texts` as lists, the numbers as arrays in Postgres's own words."""
    columns = list(zip(*rows, strict=True)) or [()] * width
    return [list(column) if place in texts else _numbers(column) for place, column in enumerate(columns)]


def _numbers(column: Iterable[object]) -> str:
    # A list of numbers costs five times as much to write, and is of a type that depends on the largest of them, so that
    # the statement would be prepared anew for each combination of types.
    return "{" + ",".join(["NULL" if number is None else str(number) for number in column]) + "}"
