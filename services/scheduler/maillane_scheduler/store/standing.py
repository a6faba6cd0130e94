"""How things stand, in numbers that operators watch."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import CampaignState, ParkReason
from maillane_scheduler.store.parks import GATE

# A change that the queue was not told of by now was left behind, and by more than one sweep.
LEFT_BEHIND_S = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """Over the whole deployment.

    Attributes:
        unconfirmed: messages of which nobody knows.
        limited, resting: mailboxes that a limit, or their server, holds now.
        left_behind: changes that the queue should have been told of.
    """

    unconfirmed: int
    limited: int
    resting: int
    open_campaigns: int
    stopped_workspaces: int
    left_behind: int


_PARKED = f"""
  (SELECT count(*) FROM parks WHERE campaign_id = {GATE} AND until_time > statement_timestamp() AND reason = {{0:d}})
"""
_LOOK = text(f"""
SELECT
  (SELECT coalesce(sum(unconfirmed), 0) FROM campaign_counts WHERE unconfirmed <> 0),
  {_PARKED.format(ParkReason.LIMIT)},
  {_PARKED.format(ParkReason.BACKOFF)},
  (SELECT count(*) FROM campaigns WHERE state IN ({CampaignState.ACTIVE:d}, {CampaignState.PAUSED:d})),
  (SELECT count(*) FROM workspaces WHERE stopped),
  (SELECT count(*) FROM marks WHERE create_time < statement_timestamp() - interval '{LEFT_BEHIND_S} seconds')
""")

_CLOCK = text("SELECT extract(epoch FROM clock_timestamp())")


async def look(connection: AsyncConnection) -> Standing:
    """Some milliseconds of reading."""
    return Standing(*map(int, (await connection.execute(_LOOK)).one()))


async def clock_s(connection: AsyncConnection) -> float:
    """What this database's clock says now, in seconds since the epoch."""
    return float((await connection.execute(_CLOCK)).scalar_one())
