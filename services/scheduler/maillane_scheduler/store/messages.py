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


async def cancel_pending(connection: AsyncConnection, campaign_id: int, limit: int, after_id: int = 0) -> int:
    """Turns up to `limit` pending messages of a cancelled campaign to CANCELLED, the first ones first.

    Returns how many; 0 where none is left, or the campaign is not cancelled. Safe to repeat, and from several places.
    `after_id` spares a caller that goes through a million of them from passing over those that are done.
    """
    _, cancelled = await cancel_pending_after(connection, campaign_id, after_id, limit)
    return cancelled


async def cancel_pending_after(
    connection: AsyncConnection, campaign_id: int, after_id: int, limit: int
) -> tuple[int, int]:
    """The same; returns the last id that was turned, for the next call, and how many were."""
    campaigns = tables.campaigns
    is_cancelled = (
        select(literal(1))
        .where(campaigns.c.id == campaign_id, campaigns.c.state == int(CampaignState.CANCELLED))
        .exists()
    )
    picked = (
        select(_MESSAGES.c.id)
        .where(
            _MESSAGES.c.campaign_id == campaign_id,
            _MESSAGES.c.id > after_id,
            _MESSAGES.c.state == int(MessageState.PENDING),
            is_cancelled,
        )
        .order_by(_MESSAGES.c.id)
        .limit(limit)
        .with_for_update()
        .cte("picked")
    )
    turned = (
        update(_MESSAGES)
        .where(_MESSAGES.c.id == picked.c.id)
        .values(state=int(MessageState.CANCELLED))
        .returning(_MESSAGES.c.id)
        .cte("turned")
    )
    last, cancelled = (await connection.execute(select(func.max(turned.c.id), func.count()).select_from(turned))).one()
    if cancelled:
        await counts.add(connection, campaign_id, pending=-cancelled, cancelled=cancelled)
    return last or after_id, cancelled


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
        await _move(connection, ids, [lanes[turn].mailbox_id for turn in turns], ordinals)
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


async def _move(connection: AsyncConnection, ids: list[int], mailbox_ids: list[int], ordinals: list[int]) -> None:
    columns = (literal(ids, ARRAY(BigInteger)), literal(mailbox_ids, ARRAY(Integer)), literal(ordinals, ARRAY(Integer)))
    moved = (
        func.unnest(*columns)
        .table_valued(column("id", BigInteger), column("mailbox_id", Integer), column("ordinal", Integer))
        .render_derived("moved")
    )
    await connection.execute(
        update(_MESSAGES)
        .where(_MESSAGES.c.id == moved.c.id)
        .values(mailbox_id=moved.c.mailbox_id, ordinal=moved.c.ordinal)
    )
