"""The lanes of a campaign as its plan makes them: which mailboxes, in which order, from which base."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler import plan
from maillane_scheduler.states import MessageState
from maillane_scheduler.store import tables

_CAMPAIGNS = tables.campaigns
_LANES = tables.lanes
_MESSAGES = tables.messages
_MICROSECOND: ColumnElement[timedelta] = literal_column("interval '1 microsecond'")


async def create(connection: AsyncConnection, campaign_id: int, mailbox_ids: Sequence[int]) -> None:
    """Makes the lanes of a draft, in the order of its mailboxes."""
    rows = [
        {"campaign_id": campaign_id, "mailbox_id": mailbox_id, "position": position}
        for position, mailbox_id in enumerate(mailbox_ids)
    ]
    if rows:
        await connection.execute(insert(_LANES), rows)


async def replace(connection: AsyncConnection, campaign_id: int, mailbox_ids: Sequence[int]) -> None:
    """Gives a draft other lanes, empty ones: its messages must be assigned anew."""
    await connection.execute(delete(_LANES).where(_LANES.c.campaign_id == campaign_id))
    await create(connection, campaign_id, mailbox_ids)


async def begin(connection: AsyncConnection, campaign_id: int) -> None:
    """Plans all lanes from the campaign's start time, or from now where that is past or not set."""
    start = select(_CAMPAIGNS.c.start_time).where(_CAMPAIGNS.c.id == campaign_id).scalar_subquery()
    await connection.execute(
        # greatest() leaves nulls out.
        update(_LANES).where(_LANES.c.campaign_id == campaign_id).values(base=func.greatest(start, func.now()))
    )


async def change_delay(connection: AsyncConnection, campaign_id: int, old_us: int, new_us: int) -> None:
    """Moves the bases so that the first message of each lane that was not tried yet keeps its due time.

    Retries are left out: they have times of their own, and their places in the plan are long past.
    """
    # Over the campaign once: ids say nothing of ordinals where messages have moved. 150 ms for a million.
    waiting = (
        select(_MESSAGES.c.mailbox_id, func.min(_MESSAGES.c.ordinal).label("first"))
        .where(
            _MESSAGES.c.campaign_id == campaign_id,
            _MESSAGES.c.state == int(MessageState.PENDING),
            _MESSAGES.c.retry_time.is_(None),
        )
        .group_by(_MESSAGES.c.mailbox_id)
        .subquery()
    )
    found = await connection.execute(
        select(_LANES.c.mailbox_id, func.coalesce(waiting.c.first, _LANES.c.size))
        .outerjoin(waiting, waiting.c.mailbox_id == _LANES.c.mailbox_id)
        .where(_LANES.c.campaign_id == campaign_id)
    )
    moves = [{"lane": mailbox_id, "moved": plan.rebased_us(0, first, old_us, new_us)} for mailbox_id, first in found]
    lane = (_LANES.c.campaign_id == literal(campaign_id, BigInteger)) & (
        _LANES.c.mailbox_id == bindparam("lane", type_=Integer)
    )
    moved = _LANES.c.base + bindparam("moved", type_=BigInteger) * _MICROSECOND
    await connection.execute(update(_LANES).where(lane).values(base=moved), moves)
