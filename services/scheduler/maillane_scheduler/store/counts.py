"""Messages of a campaign by state: kept by change, in slots, and read as the sum over them."""

from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import LateralFromClause

from maillane_scheduler.campaign import COUNTED, Counts
from maillane_scheduler.store import tables
from maillane_scheduler.store.claims import SLOTS

_COUNTS = tables.campaign_counts


async def add(connection: AsyncConnection, campaign_id: int, **changes: int) -> None:
    """Adds to the counts of a campaign, by the names of states; for the transaction that changes the messages."""
    slot = func.pg_backend_pid() % SLOTS
    row = insert(_COUNTS).values(campaign_id=campaign_id, slot=slot, **changes)
    raised = {name: _COUNTS.c[name] + row.excluded[name] for name in changes}
    await connection.execute(row.on_conflict_do_update(index_elements=["campaign_id", "slot"], set_=raised))


async def read(connection: AsyncConnection, campaign_id: int) -> Counts:
    """The counts of a campaign; all zero where there are none."""
    row = (await connection.execute(_sums().where(_COUNTS.c.campaign_id == campaign_id))).one()
    return of_row(row)


def of_row(row: Row[*tuple[Any, ...]]) -> Counts:
    """The counts that a row has, by the names of states."""
    return Counts(*(int(getattr(row, name)) for name in COUNTED))


def lateral() -> LateralFromClause:
    """The sums beside a row of campaigns, to be joined to it: a column for each of COUNTED."""
    return _sums().where(_COUNTS.c.campaign_id == tables.campaigns.c.id).lateral("counts")


def _sums() -> Select[*tuple[Any, ...]]:
    return select(*(func.coalesce(func.sum(_COUNTS.c[name]), 0).label(name) for name in COUNTED))
