"""Marks: what the queue still has to be told of a lane, written in the commit that made it so."""

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, delete, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.store import tables

# Ids of messages are positive bigints: these two bounds mean the whole lane.
FIRST_ID = 0
LAST_ID = 2**63 - 1


async def add_spans(connection: AsyncConnection, campaign: int, spans: Mapping[int, tuple[int, int]]) -> list[int]:
    """Marks messages of a campaign for the queue, by mailbox from the first id to the last; returns the marks' ids."""
    if not spans:
        return []
    rows = [
        {"campaign_id": campaign, "mailbox_id": mailbox, "first_id": first, "last_id": last}
        for mailbox, (first, last) in spans.items()
    ]
    return list((await connection.execute(insert(tables.marks).returning(tables.marks.c.id), rows)).scalars())


async def add_lanes(connection: AsyncConnection, campaign: int) -> None:
    """Marks every lane of a campaign as a whole: it was started, or planned anew."""
    bounds = literal(FIRST_ID, BigInteger), literal(LAST_ID, BigInteger)
    lanes = select(tables.lanes.c.campaign_id, tables.lanes.c.mailbox_id, *bounds).where(
        tables.lanes.c.campaign_id == campaign
    )
    await connection.execute(
        insert(tables.marks).from_select(["campaign_id", "mailbox_id", "first_id", "last_id"], lanes)
    )


async def clear(connection: AsyncConnection, marks: Sequence[int]) -> None:
    """Forgets marks that the queue has been told of. Safe to repeat."""
    await connection.execute(delete(tables.marks).where(tables.marks.c.id.in_(marks)))
