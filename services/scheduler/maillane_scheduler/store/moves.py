"""Messages that move from one mailbox of a campaign to others, a batch at a time.

A move is one commit: new lane and place of each message, the sizes of the lanes, a mark for each lane that has to be
loaded. The queue is told after it; what it still has in the old lane until then, or for good where nobody tells it, no
claim gets past Postgres, for a message is claimed only in the mailbox that it is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler import rotation
from maillane_scheduler.mailbox import Move
from maillane_scheduler.states import CampaignKind, CampaignState, MailboxState, MessageState
from maillane_scheduler.store import audit, campaigns, mailboxes, marks, messages, tables
from maillane_scheduler.store.audit import Actor

# Rows that one commit changes: some 200 ms, so that claims of the campaign do not wait for it noticeably.
BATCH = 5_000
# Lanes that one look of the sweep names; the next look, some seconds later, names the others.
LANES_AT_ONCE = 50

_USED = {"leave_time": None, "has_returned": False}

_CAMPAIGNS = tables.campaigns
_LANES = tables.lanes
_MAILBOXES = tables.mailboxes
_MESSAGES = tables.messages


@dataclass(frozen=True, slots=True)
class Moved:
    """A batch: what the queue must take out of the old lane, and whether there may be more."""

    ids: list[int]
    more: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """A lane whose mailbox has been stopped for longer than its campaign waits, and mailboxes that are not."""

    workspace_id: int
    campaign_id: int
    mailbox_id: int
    to_ids: tuple[int, ...]


async def check_mailboxes(connection: AsyncConnection, workspace_id: int, mailbox_ids: Sequence[int]) -> None:
    """Sees that a workspace has mailboxes.

    Raises:
        NotFound: MAILBOX_NOT_FOUND, it lacks one of them.
    """
    await mailboxes.share(connection, workspace_id, mailbox_ids)


async def used_by(connection: AsyncConnection, workspace_id: int, mailbox_id: int) -> list[int]:
    """Campaigns that have not ended and use a mailbox, or have used it, in order."""
    found = (
        select(_CAMPAIGNS.c.id)
        .join(_LANES, _LANES.c.campaign_id == _CAMPAIGNS.c.id)
        .where(
            _LANES.c.mailbox_id == mailbox_id,
            _CAMPAIGNS.c.workspace_id == workspace_id,
            _CAMPAIGNS.c.state.in_([int(state) for state in CampaignState if not state.ended]),
        )
        .order_by(_CAMPAIGNS.c.id)
    )
    return list((await connection.execute(found)).scalars())


async def move(connection: AsyncConnection, actor: Actor, campaign_id: int, what: Move, after_id: int) -> Moved:
    """Moves the first BATCH messages of a campaign that wait in a mailbox, behind an id; they keep their order.

    What is handed out, and what waits for the end of its first try, stays.

    Raises:
        NotFound: CAMPAIGN_NOT_FOUND, or MAILBOX_NOT_FOUND, of one to move to.
        FailedPrecondition: CAMPAIGN_ENDED.
    """
    state = await campaigns.lock_open(connection, actor.workspace_id, campaign_id)
    await mailboxes.share(connection, actor.workspace_id, what.to_ids)
    ids = await _waiting(connection, campaign_id, what.mailbox_id, after_id)
    more = len(ids) == BATCH
    leaves = what.leaves and not more and await _leave(connection, campaign_id, what.mailbox_id)
    if not ids and not leaves:
        return Moved([], more=False)
    if ids:
        await _assign(connection, campaign_id, what.to_ids, ids, started=state is not CampaignState.DRAFT)
    # Permits that were reserved before are void: their lanes are not what they were. And the queue is told of new ones.
    await campaigns.touch(connection, campaign_id)
    detail = {"messages": len(ids), "from": what.mailbox_id, "to": list(what.to_ids)}
    if leaves:
        detail["left"] = True
    await audit.record(connection, actor, "messages.move", f"campaigns/{campaign_id}", detail)
    return Moved(ids, more)


async def stopped(connection: AsyncConnection) -> list[Stopped]:
    """Lanes that are to be left, for their mailbox is stopped for longer than their campaign wants to wait."""
    return [
        Stopped(workspace_id, campaign_id, mailbox_id, tuple(to_ids))
        for workspace_id, campaign_id, mailbox_id, to_ids in await connection.execute(_STOPPED)
    ]


_STOPPED = text(f"""
SELECT c.workspace_id, c.id, l.mailbox_id, array_agg(o.mailbox_id ORDER BY o.position)
FROM campaigns c
JOIN lanes l ON l.campaign_id = c.id AND (l.leave_time IS NULL OR l.has_returned)
JOIN mailboxes b ON b.id = l.mailbox_id AND b.delete_time IS NULL
JOIN lanes o ON o.campaign_id = c.id AND o.leave_time IS NULL AND o.mailbox_id <> l.mailbox_id
JOIN mailboxes w ON w.id = o.mailbox_id AND w.state = {MailboxState.ACTIVE:d} AND w.stop_time IS NULL
  AND w.delete_time IS NULL
WHERE c.move_after_us IS NOT NULL AND c.state IN (2, 3) AND c.kind = {CampaignKind.CAMPAIGN:d}
  AND b.stop_time + c.move_after_us * interval '1 microsecond' <= statement_timestamp()
GROUP BY 1, 2, 3 ORDER BY 2, 3 LIMIT {LANES_AT_ONCE}
""")


async def _waiting(connection: AsyncConnection, campaign_id: int, mailbox_id: int, after_id: int) -> list[int]:
    resends = tables.resends
    found = (
        select(_MESSAGES.c.id)
        .where(
            _MESSAGES.c.campaign_id == campaign_id,
            _MESSAGES.c.id > after_id,
            _MESSAGES.c.mailbox_id == mailbox_id,
            _MESSAGES.c.state == int(MessageState.PENDING),
            # A late settle of the first try may still decide about these.
            ~select(literal(1)).where(resends.c.message_id == _MESSAGES.c.id).exists(),
        )
        .order_by(_MESSAGES.c.id)
        .limit(BATCH)
        # A claim that is under way decides first: what it took is not PENDING any more.
        .with_for_update(key_share=True)
    )
    return list((await connection.execute(found)).scalars())


async def _assign(
    connection: AsyncConnection, campaign_id: int, to_ids: Sequence[int], ids: list[int], *, started: bool
) -> None:
    await _open(connection, campaign_id, to_ids, started=started)
    found = await connection.execute(
        select(_LANES.c.mailbox_id, _LANES.c.size, _MAILBOXES.c.hourly_limit)
        .join(_MAILBOXES, _MAILBOXES.c.id == _LANES.c.mailbox_id)
        .where(_LANES.c.campaign_id == campaign_id, _LANES.c.mailbox_id.in_(to_ids))
        .order_by(_LANES.c.position)
    )
    lanes = found.all()
    # In proportion among themselves: what the lanes have had before does not count, or a new one would get all.
    turns = rotation.assign([0] * len(lanes), [lane.hourly_limit for lane in lanes], len(ids))
    sizes = [lane.size for lane in lanes]
    ordinals = rotation.ordinals(sizes, turns)
    await messages.place(connection, campaign_id, ids, [lanes[turn].mailbox_id for turn in turns], ordinals)
    spans = {}
    for place, (lane, size) in enumerate(zip(lanes, sizes, strict=True)):
        mine = [id_ for id_, turn in zip(ids, turns, strict=True) if turn == place]
        if not mine:
            continue
        where = (_LANES.c.campaign_id == campaign_id) & (_LANES.c.mailbox_id == lane.mailbox_id)
        await connection.execute(update(_LANES).where(where).values(size=size))
        spans[lane.mailbox_id] = mine[0], mine[-1]
    if started:
        await marks.add_spans(connection, campaign_id, spans)


async def _open(connection: AsyncConnection, campaign_id: int, to_ids: Sequence[int], *, started: bool) -> None:
    """Sees that the campaign has a lane in each mailbox; a new one begins now, or at the start where that is ahead."""
    of_campaign = _LANES.c.campaign_id == campaign_id
    known = {row.mailbox_id: row.position for row in await connection.execute(select(_LANES).where(of_campaign))}
    back = [mailbox_id for mailbox_id in to_ids if mailbox_id in known]
    await connection.execute(update(_LANES).where(of_campaign, _LANES.c.mailbox_id.in_(back)).values(_USED))
    start = select(_CAMPAIGNS.c.start_time).where(_CAMPAIGNS.c.id == campaign_id).scalar_subquery()
    position = max(known.values(), default=-1)
    for mailbox_id in to_ids:
        if mailbox_id in known:
            continue
        position += 1
        row = {"campaign_id": campaign_id, "mailbox_id": mailbox_id, "position": position}
        # greatest() leaves nulls out.
        base = func.greatest(start, func.now()) if started else None
        await connection.execute(insert(_LANES).values(**row, base=base))


async def _leave(connection: AsyncConnection, campaign_id: int, mailbox_id: int) -> bool:
    """Notes that a lane is left; returns whether that is news, or was again, for something had come back to it."""
    lane = (_LANES.c.campaign_id == campaign_id) & (_LANES.c.mailbox_id == mailbox_id)
    left = await connection.execute(
        update(_LANES)
        .where(lane, _LANES.c.leave_time.is_(None) | _LANES.c.has_returned)
        .values(leave_time=func.coalesce(_LANES.c.leave_time, func.now()), has_returned=False)
    )
    return left.rowcount > 0
