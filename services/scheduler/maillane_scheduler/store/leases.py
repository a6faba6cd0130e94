"""Who holds what, and until when: replays of a claim id, renewals, and what becomes of a lease that runs out.

A lease that runs out never puts a message back: its sender may be in the middle of it. The message is UNCONFIRMED until
a late settle says better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from maillane_scheduler.states import CampaignState, MailboxState, MessageState
from maillane_scheduler.store.claims import SLOTS, ClaimedRow, SettledRow
from maillane_scheduler.store.due import DUE_US
from maillane_scheduler.store.engine import DispatchPool

# Claims looked at in one sweep: at ten messages each, more than any number of senders claims in a second.
SWEEP_CLAIMS = 500
VANISHED = "the sender vanished while it held the message"


@dataclass(frozen=True, slots=True)
class Replay:
    """What a claim id brought before: its token, what of it is not settled, and of that what is to be handed back."""

    token: int
    rows: list[ClaimedRow]
    revoked: list[int]


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a sender may keep.

    Attributes:
        revoked: messages to hand back, unless their content has begun.
        lost: tokens that are not the sender's any more, or of which nothing is left.
    """

    revoked: list[int]
    lost: list[int]


# Of a message's campaign, mailbox and workspace: it is not to be sent now.
_STOPPED = f"c.state <> {CampaignState.ACTIVE:d} OR b.state <> {MailboxState.ACTIVE:d} OR w.stopped"

# The claim's row is locked first, in a statement of its own: the sweep takes it too, so one of the two is first, and
# what follows here has a snapshot that shows what the sweep did.
_HOLD = b"SELECT FROM claims WHERE claim_id = $1 FOR UPDATE"
_REPLAY = f"""
WITH k AS (
  UPDATE claims SET lease_until = statement_timestamp() + $4 * interval '1 second'
  WHERE claim_id = $1 AND sender_id = $2 AND incarnation = $3 AND ids <> '{{}}' RETURNING token, ids
), held AS MATERIALIZED (
  SELECT m.id, m.state FROM k, unnest(k.ids) AS u(id) JOIN messages m ON m.id = u.id
  WHERE m.token = k.token AND m.state IN ({MessageState.SENDING:d}, {MessageState.UNCONFIRMED:d})
), again AS (
  UPDATE messages m SET state = {MessageState.SENDING:d} FROM held h
  WHERE m.id = h.id AND m.state = h.state
  RETURNING m.id, m.campaign_id, m.mailbox_id, m.attempt, m.email, m.variables, h.state AS was
), counted AS (
  INSERT INTO campaign_counts (campaign_id, slot, sending, unconfirmed)
  SELECT campaign_id, pg_backend_pid() % {SLOTS}, count(*), -count(*) FROM again
  WHERE was = {MessageState.UNCONFIRMED:d} GROUP BY 1 ORDER BY 1
  ON CONFLICT (campaign_id, slot) DO UPDATE SET
    sending = campaign_counts.sending + excluded.sending,
    unconfirmed = campaign_counts.unconfirmed + excluded.unconfirmed
)
SELECT k.token, {_STOPPED}, a.id, a.campaign_id, a.mailbox_id, a.attempt, a.email, a.variables, c.revision, b.revision
FROM k LEFT JOIN again a ON true LEFT JOIN campaigns c ON c.id = a.campaign_id
LEFT JOIN mailboxes b ON b.id = a.mailbox_id LEFT JOIN workspaces w ON w.id = c.workspace_id
ORDER BY a.id
""".encode()

_TOMBSTONE = b"""
INSERT INTO claims (token, claim_id, sender_id, incarnation, lease_until, ids) VALUES ($1, $2, $3, $4, NULL, '{}')
ON CONFLICT (claim_id) DO NOTHING RETURNING true
"""

_RENEW = f"""
WITH k AS (
  UPDATE claims SET lease_until = statement_timestamp() + $4 * interval '1 second'
  WHERE token = ANY($1::bigint[]) AND sender_id = $2 AND incarnation = $3 AND lease_until IS NOT NULL
  RETURNING token, ids
)
SELECT true, token FROM k
UNION ALL
SELECT false, m.id
FROM k, unnest(k.ids) AS u(id) JOIN messages m ON m.id = u.id JOIN campaigns c ON c.id = m.campaign_id
JOIN mailboxes b ON b.id = m.mailbox_id JOIN workspaces w ON w.id = c.workspace_id
WHERE m.token = k.token AND m.state = {MessageState.SENDING:d}
  AND ({_STOPPED})
""".encode()

# EXISTS, decided first: where no lease is over, as in most sweeps, nothing is joined. The planner expects hundreds, and
# would rather read the messages.
_SWEEP = f"""
WITH k AS MATERIALIZED (
  SELECT token, ids, create_time FROM claims WHERE lease_until < statement_timestamp()
  ORDER BY lease_until LIMIT {SWEEP_CLAIMS} FOR UPDATE SKIP LOCKED
), lost AS (
  UPDATE messages m SET state = {MessageState.UNCONFIRMED:d} FROM k, unnest(k.ids) AS u(id)
  WHERE EXISTS (SELECT FROM k) AND m.id = u.id AND m.token = k.token AND m.state = {MessageState.SENDING:d}
  RETURNING m.id, m.mailbox_id, m.campaign_id, m.token, m.attempt, k.create_time
), tried AS (
  INSERT INTO attempts (message_id, campaign_id, claim_time, settle_time, mailbox_id, number, state, code, reply)
  SELECT id, campaign_id, create_time, statement_timestamp(), mailbox_id, attempt, {MessageState.UNCONFIRMED:d}, 0,
         '{VANISHED}' FROM lost
), closed AS (
  UPDATE claims SET lease_until = NULL FROM k WHERE claims.token = k.token
), counted AS (
  INSERT INTO campaign_counts (campaign_id, slot, sending, unconfirmed)
  SELECT campaign_id, pg_backend_pid() % {SLOTS}, -count(*), count(*) FROM lost GROUP BY 1 ORDER BY 1
  ON CONFLICT (campaign_id, slot) DO UPDATE SET
    sending = campaign_counts.sending + excluded.sending,
    unconfirmed = campaign_counts.unconfirmed + excluded.unconfirmed
)
SELECT n.claims, l.id, l.mailbox_id, l.campaign_id, l.token
FROM (SELECT count(*) AS claims FROM k) AS n LEFT JOIN lost l ON true
""".encode()

_HELD = f"""
SELECT u.id, u.token, m.state = {MessageState.SENDING:d} AND m.token = u.token,
  CASE WHEN m.state = {MessageState.PENDING:d} THEN {DUE_US} END
FROM unnest($1::bigint[], $2::bigint[], $3::int[]) AS u(id, token, mailbox_id)
LEFT JOIN messages m ON m.id = u.id AND m.mailbox_id = u.mailbox_id
LEFT JOIN campaigns c ON c.id = m.campaign_id
LEFT JOIN lanes l ON l.campaign_id = m.campaign_id AND l.mailbox_id = m.mailbox_id
""".encode()


async def replay(pool: DispatchPool, claim_id: int, sender: str, incarnation: str, lease_s: float) -> Replay | None:
    """Everything of a claim that is not settled, UNCONFIRMED included, as SENDING on a fresh lease.

    That the sender asks proves that it began nothing of it. But the call may have been stalled for so long that the
    sender gave it up, repeated it elsewhere, and is in content by now. So nothing is taken from the sender here, also
    where it was stopped meanwhile: it is told to hand that back. None where the claim id brought nothing (yet).
    """
    async with pool.connection() as connection:
        cursor = connection.cursor()
        async with connection.pipeline():
            await connection.execute(_HOLD, (claim_id,))
            await cursor.execute(_REPLAY, (claim_id, sender, incarnation, lease_s))
        found = await cursor.fetchall()
    if not found:
        return None
    rows = [(stopped, ClaimedRow(*row)) for _, stopped, *row in found if row[0] is not None]
    return Replay(found[0][0], [row for _, row in rows], [row.message for stopped, row in rows if stopped])


async def bury(pool: DispatchPool, token: int, claim_id: int, sender: str, incarnation: str) -> bool:
    """Leaves a tombstone, so that a claim of this id never commits; returns False where it has committed already."""
    async with pool.connection() as connection:
        cursor = await connection.execute(_TOMBSTONE, (token, claim_id, sender, incarnation))
        return await cursor.fetchone() is not None


async def renew(pool: DispatchPool, tokens: Sequence[int], sender: str, incarnation: str, lease_s: float) -> Renewal:
    """Moves the leases of a sender's claims to now + lease, and looks for what it must hand back."""
    async with pool.connection() as connection:
        cursor = await connection.execute(_RENEW, (sorted(tokens), sender, incarnation, lease_s))
        rows = await cursor.fetchall()
    kept = {value for is_token, value in rows if is_token}
    return Renewal(
        [value for is_token, value in rows if not is_token], [token for token in tokens if token not in kept]
    )


async def sweep(pool: DispatchPool) -> tuple[list[SettledRow], bool]:
    """Makes UNCONFIRMED what is SENDING on a lease that is over, some claims at a time; closes claims that are done.

    Returns what became UNCONFIRMED, and whether there may be more. Several schedulers may sweep at once.
    """
    async with pool.connection() as connection:
        rows = await (await connection.execute(_SWEEP)).fetchall()
    # Most claims are done when their leases end: those that lost nothing count as well.
    return [SettledRow(*row) for _, *row in rows if row[0] is not None], rows[0][0] == SWEEP_CLAIMS


@dataclass(frozen=True, slots=True)
class Held:
    """What Postgres says of a message that the queue has in flight.

    Attributes:
        sending: it is SENDING under that token: it stays in flight.
        due_us: else, where it is PENDING: when it is due, so that it goes back into its lane.
    """

    message: int
    token: int
    sending: bool
    due_us: int | None


async def look(pool: DispatchPool, flying: Sequence[tuple[int, int, int]]) -> list[Held]:
    """What Postgres says of each (message, token, mailbox) in flight. Reads only."""
    ids, tokens, mailboxes = zip(*flying, strict=True)
    async with pool.connection() as connection:
        cursor = await connection.execute(_HELD, (list(ids), list(tokens), list(mailboxes)))
        rows = await cursor.fetchall()
    return [Held(message, token, bool(sending), due_us) for message, token, sending, due_us in rows]
