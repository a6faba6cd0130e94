"""Messages in bulk: what verbs of their campaign do to them, a batch at a time."""

from sqlalchemy import BigInteger, Integer, column, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler import rotation
from maillane_scheduler.states import CampaignState, MessageState
from maillane_scheduler.store import counts, tables

# Rows that one statement changes: some 100 ms, so that locks are short and what waits for them is not noticed.
BATCH = 10_000

_MESSAGES = tables.messages
_LANES = tables.lanes


async def cancel_pending_after(
    connection: AsyncConnection, campaign_id: int, after_id: int, limit: int
) -> tuple[int, int]:
    """Turns the first `limit` pending messages of a cancelled campaign behind an id to CANCELLED.

    Returns the last id that was looked at, for the next call, which need not pass over those that are done, and how
    many turned: fewer than `limit` where none is left, or the campaign is not cancelled. Safe to repeat, and from
    several places at once.
    """
    campaigns = tables.campaigns
    is_cancelled = (
        select(literal(1))
        .where(campaigns.c.id == campaign_id, campaigns.c.state == int(CampaignState.CANCELLED))
        .exists()
    )
    pending = (_MESSAGES.c.campaign_id == campaign_id) & (_MESSAGES.c.state == int(MessageState.PENDING))
    batch = select(_MESSAGES.c.id).where(pending, _MESSAGES.c.id > after_id, is_cancelled)
    batch_ids = batch.order_by(_MESSAGES.c.id).limit(limit).subquery()
    last = (await connection.execute(select(func.max(batch_ids.c.id)))).scalar_one()
    if last is None:
        return after_id, 0
    # By range: joined to a list of ids, the planner would read the whole table for each batch.
    turned = await connection.execute(
        update(_MESSAGES)
        .where(pending, _MESSAGES.c.id > after_id, _MESSAGES.c.id <= last)
        .values(state=int(MessageState.CANCELLED))
    )
    await counts.add(connection, campaign_id, pending=-turned.rowcount, cancelled=turned.rowcount)
    return int(last), turned.rowcount


async def remove_all(connection: AsyncConnection, campaign_id: int) -> None:
    """Deletes the messages of a draft, which have no attempts."""
    await connection.execute(delete(_MESSAGES).where(_MESSAGES.c.campaign_id == campaign_id))


async def assign_anew(connection: AsyncConnection, campaign_id: int) -> None:
    """Deals the messages of a draft, in their order, to its lanes, which are empty: the draft got other mailboxes."""
    mailboxes = tables.mailboxes
    found = await connection.execute(
        select(_LANES.c.mailbox_id, mailboxes.c.hourly_limit)
        .join(mailboxes, mailboxes.c.id == _LANES.c.mailbox_id)
        .where(_LANES.c.campaign_id == campaign_id)
        .order_by(_LANES.c.position)
    )
    lanes = found.all()
    sizes, weights = [0] * len(lanes), [lane.hourly_limit for lane in lanes]
    after_id = 0
    while ids := await _batch(connection, campaign_id, after_id):
        turns = rotation.assign(sizes, weights, len(ids))
        ordinals = rotation.ordinals(sizes, turns)
        await place(connection, campaign_id, ids, [lanes[turn].mailbox_id for turn in turns], ordinals)
        after_id = ids[-1]
    for lane, size in zip(lanes, sizes, strict=True):
        where = (_LANES.c.campaign_id == campaign_id) & (_LANES.c.mailbox_id == lane.mailbox_id)
        await connection.execute(update(_LANES).where(where).values(size=size))


async def _batch(connection: AsyncConnection, campaign_id: int, after_id: int) -> list[int]:
    found = (
        select(_MESSAGES.c.id)
        .where(_MESSAGES.c.campaign_id == campaign_id, _MESSAGES.c.id > after_id)
        .order_by(_MESSAGES.c.id)
        .limit(BATCH)
    )
    return list((await connection.execute(found)).scalars())


async def place(
    connection: AsyncConnection, campaign_id: int, ids: list[int], mailbox_ids: list[int], ordinals: list[int]
) -> None:
    """Gives messages of a campaign, by ascending ids, another lane and place each. Their rows are the caller's."""
    columns = (literal(ids, ARRAY(BigInteger)), literal(mailbox_ids, ARRAY(Integer)), literal(ordinals, ARRAY(Integer)))
    moved = (
        func.unnest(*columns)
        .table_valued(column("id", BigInteger), column("mailbox_id", Integer), column("ordinal", Integer))
        .render_derived("moved")
    )
    await connection.execute(
        update(_MESSAGES)
        .where(
            _MESSAGES.c.id == moved.c.id,
            # Says nothing new, but that the planner need not read the whole table.
            _MESSAGES.c.campaign_id == campaign_id,
            _MESSAGES.c.id.between(ids[0], ids[-1]),
        )
        .values(mailbox_id=moved.c.mailbox_id, ordinal=moved.c.ordinal)
    )
