"""What the queue is told of mailboxes, campaigns and lanes: reads for hand-outs, loads and rebuilds."""

from collections.abc import Sequence
from dataclasses import dataclass

from maillane_scheduler.states import CampaignState, MailboxState, MessageState, ParkReason
from maillane_scheduler.store.caps import CAP
from maillane_scheduler.store.due import DUE_US
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.marks import FIRST_ID, LAST_ID

# Messages read from a lane at once while it is loaded: a few hundred KiB, a few ms.
LOAD_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What a lane's permits are reserved under, as of two revisions."""

    campaign: int
    mailbox: int
    workspace: int
    address_key: str
    hourly_limit: int
    daily_limit: int | None
    campaign_limit: int | None
    campaign_revision: int
    mailbox_revision: int


@dataclass(frozen=True, slots=True)
class Gate:
    """What the queue holds of a mailbox."""

    mailbox: int
    revision: int
    paused: bool
    gap_us: int
    cap: int
    parks: dict[ParkReason, int]


@dataclass(frozen=True, slots=True)
class Flags:
    """What the queue holds of a campaign, and the mailboxes that it uses.

    Attributes:
        limited: until when lanes are parked by the campaign's own limit, in µs, by mailbox; other parks of lanes are
            the queue's alone.
    """

    campaign: int
    revision: int
    state: CampaignState
    gap_us: int
    mailboxes: list[int]
    limited: dict[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """Messages of a lane that the queue must be told of, by id."""

    id: int
    campaign: int
    mailbox: int
    first: int
    last: int

    @property
    def is_whole(self) -> bool:
        """It is of all of its lane: a start, a new plan, or a rebuild of the queue."""
        return (self.first, self.last) == (FIRST_ID, LAST_ID)


_TERMS = b"""
SELECT c.id, b.id, c.workspace_id, b.address_key, b.hourly_limit, b.daily_limit, c.hourly_limit, c.revision, b.revision
FROM unnest($1::bigint[], $2::int[]) AS u(campaign_id, mailbox_id)
JOIN campaigns c ON c.id = u.campaign_id JOIN mailboxes b ON b.id = u.mailbox_id AND b.workspace_id = c.workspace_id
"""
_GATES = f"""
SELECT b.id, b.revision, b.state <> {MailboxState.ACTIVE:d} OR w.stopped OR b.delete_time IS NOT NULL, b.min_gap_us,
       {CAP}, p.reason, (extract(epoch FROM p.until_time) * 1000000)::bigint
FROM mailboxes b JOIN workspaces w ON w.id = b.workspace_id
LEFT JOIN parks p ON p.mailbox_id = b.id AND p.campaign_id = 0 AND p.until_time > statement_timestamp()
WHERE b.id = ANY($1::int[])
""".encode()
_FLAGS = b"""
SELECT c.id, c.revision, c.state, c.delay_us, array_remove(array_agg(l.mailbox_id ORDER BY l.position), NULL)
FROM campaigns c LEFT JOIN lanes l ON l.campaign_id = c.id WHERE c.id = ANY($1::bigint[]) GROUP BY c.id
"""
_LIMITED = f"""
SELECT p.campaign_id, p.mailbox_id, (extract(epoch FROM p.until_time) * 1000000)::bigint
FROM lanes l JOIN parks p ON p.mailbox_id = l.mailbox_id AND p.campaign_id = l.campaign_id
  AND p.reason = {ParkReason.LIMIT:d} AND p.until_time > statement_timestamp()
WHERE l.campaign_id = ANY($1::bigint[])
""".encode()
_PENDING = f"""
SELECT m.id, {DUE_US}
FROM messages m JOIN campaigns c ON c.id = m.campaign_id
JOIN lanes l ON l.campaign_id = m.campaign_id AND l.mailbox_id = m.mailbox_id
WHERE m.campaign_id = $1 AND m.mailbox_id = $2 AND m.id BETWEEN $3 AND $4 AND m.state = {MessageState.PENDING:d}
  AND l.base IS NOT NULL AND c.state IN ({CampaignState.ACTIVE:d}, {CampaignState.PAUSED:d})
ORDER BY m.id LIMIT {LOAD_BATCH}
""".encode()
_LEFT_BEHIND = b"""
SELECT id, campaign_id, mailbox_id, first_id, last_id FROM marks
WHERE create_time < statement_timestamp() - $1 * interval '1 second' ORDER BY id LIMIT $2
"""
_MARKS_OF = b"SELECT id, campaign_id, mailbox_id, first_id, last_id FROM marks WHERE campaign_id = $1 ORDER BY id"
_LOADING = f"""
SELECT EXISTS (SELECT FROM marks WHERE campaign_id = $1 AND mailbox_id = ANY($2::int[])
  AND first_id = {FIRST_ID} AND last_id = {LAST_ID})
""".encode()
_RENEW = b"UPDATE marks SET create_time = statement_timestamp() WHERE id = $1"
_CLEAR = b"DELETE FROM marks WHERE id = ANY($1::bigint[])"
_DIRTY = b"""
SELECT 'mailbox', id FROM mailboxes WHERE queue_revision <> revision
UNION ALL SELECT 'campaign', id FROM campaigns WHERE queue_revision <> revision LIMIT 1000
"""
_TOLD_MAILBOX = b"UPDATE mailboxes SET queue_revision = $2 WHERE id = $1 AND queue_revision < $2"
_TOLD_CAMPAIGN = b"UPDATE campaigns SET queue_revision = $2 WHERE id = $1 AND queue_revision < $2"
_FLYING = f"""
SELECT m.id, {DUE_US}, m.token
FROM claims k, unnest(k.ids) AS u(id) JOIN messages m ON m.id = u.id JOIN campaigns c ON c.id = m.campaign_id
JOIN lanes l ON l.campaign_id = m.campaign_id AND l.mailbox_id = m.mailbox_id
WHERE k.lease_until IS NOT NULL AND m.token = k.token AND m.state = {MessageState.SENDING:d}
  AND m.campaign_id = $1 AND m.mailbox_id = $2
""".encode()
_SERVED = b"""
SELECT (extract(epoch FROM k.create_time) * 1000000)::bigint
FROM permits p JOIN claims k ON k.token = p.token
WHERE p.campaign_id = $1 AND p.mailbox_id = $2 AND p.workspace_id = (SELECT workspace_id FROM campaigns WHERE id = $1)
  AND p.reserve_time > statement_timestamp() - interval '25 hours'
ORDER BY p.reserve_time DESC LIMIT 1
"""


async def terms(pool: DispatchPool, lanes: Sequence[tuple[int, int]]) -> list[Terms]:
    """What permits of each (campaign, mailbox) are reserved under; lanes that are gone are left out."""
    campaigns, mailboxes = zip(*lanes, strict=True)
    return [Terms(*row) for row in await _all(pool, _TERMS, list(campaigns), list(mailboxes))]


async def gates(pool: DispatchPool, mailboxes: Sequence[int]) -> list[Gate]:
    """What the queue must hold of mailboxes: a mailbox of a stopped workspace, or that is deleted, is paused."""
    found: dict[int, Gate] = {}
    for mailbox, revision, paused, gap_us, cap, reason, until_us in await _all(pool, _GATES, list(mailboxes)):
        gate = found.setdefault(mailbox, Gate(mailbox, revision, paused, gap_us, cap, {}))
        if reason is not None:
            gate.parks[ParkReason(reason)] = until_us
    return list(found.values())


async def flags(pool: DispatchPool, campaigns: Sequence[int]) -> list[Flags]:
    """What the queue must hold of campaigns."""
    found = {
        campaign: Flags(campaign, revision, CampaignState(state), gap, boxes, {})
        for campaign, revision, state, gap, boxes in await _all(pool, _FLAGS, list(campaigns))
    }
    for campaign, mailbox, until_us in await _all(pool, _LIMITED, list(campaigns)):
        if campaign in found:
            found[campaign].limited[mailbox] = until_us
    return list(found.values())


async def pending(pool: DispatchPool, campaign: int, mailbox: int, first: int, last: int) -> list[tuple[int, int]]:
    """The first LOAD_BATCH pending messages of a lane with ids from first to last, as (message, due_us), in order."""
    return [(message, due) for message, due in await _all(pool, _PENDING, campaign, mailbox, first, last)]


async def left_behind(pool: DispatchPool, age_s: float, limit: int) -> list[Mark]:
    """Marks older than that, the oldest first: whoever wrote them should have cleared them by now."""
    return [Mark(*row) for row in await _all(pool, _LEFT_BEHIND, age_s, limit)]


async def loading(pool: DispatchPool, campaign: int, mailboxes: Sequence[int]) -> bool:
    """Whether the queue still has to be told of a whole lane among these."""
    rows = await _all(pool, _LOADING, campaign, mailboxes)
    return bool(rows[0][0])


async def renew(pool: DispatchPool, mark: int) -> None:
    """Keeps a mark from being taken for left behind: its load goes on."""
    await _do(pool, _RENEW, mark)


async def clear(pool: DispatchPool, marks: Sequence[int]) -> None:
    """Forgets marks that the queue has been told of. Safe to repeat."""
    await _do(pool, _CLEAR, sorted(marks))


async def dirty(pool: DispatchPool) -> list[tuple[str, int]]:
    """("mailbox" or "campaign", id) of the first 1,000 whose last change the queue was not told of."""
    return [(kind, id_) for kind, id_ in await _all(pool, _DIRTY)]


async def told_mailbox(pool: DispatchPool, mailbox: int, revision: int) -> None:
    """Notes that the queue knows this revision of a mailbox."""
    await _do(pool, _TOLD_MAILBOX, mailbox, revision)


async def told_campaign(pool: DispatchPool, campaign: int, revision: int) -> None:
    """Notes that the queue knows this revision of a campaign."""
    await _do(pool, _TOLD_CAMPAIGN, campaign, revision)


async def marks_of(pool: DispatchPool, campaign: int) -> list[Mark]:
    """All marks of a campaign, the oldest first."""
    return [Mark(*row) for row in await _all(pool, _MARKS_OF, campaign)]


async def flying(pool: DispatchPool, campaign: int, mailbox: int) -> list[tuple[int, int, int]]:
    """What of a lane is SENDING on an open claim, as (message, due_us, token)."""
    return [(message, due_us, token) for message, due_us, token in await _all(pool, _FLYING, campaign, mailbox)]


async def served(pool: DispatchPool, campaign: int, mailbox: int) -> int | None:
    """When a lane was last served, in µs, if that was in the last 25 hours: no gap is longer than 24."""
    rows = await _all(pool, _SERVED, campaign, mailbox)
    return rows[0][0] if rows else None


async def _all(pool: DispatchPool, statement: bytes, *parameters: object) -> list[tuple]:  # type: ignore[type-arg]
    async with pool.connection() as connection:
        return await (await connection.execute(statement, parameters)).fetchall()


async def _do(pool: DispatchPool, statement: bytes, *parameters: object) -> None:
    async with pool.connection() as connection:
        await connection.execute(statement, parameters)
