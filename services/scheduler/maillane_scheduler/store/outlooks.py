"""What a forecast is made of that Postgres knows: mailboxes with their parks, and lanes of open campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import CampaignState, MailboxState, ParkReason
from maillane_scheduler.store.parks import GATE

# Of one workspace: the newest campaigns' first. What is beyond them is left out of forecasts.
MOST_LANES = 5_000
MOST_MAILBOXES = 2_000


@dataclass(frozen=True, slots=True)
class Parked:
    """Set aside until an instant: a mailbox, or (with a campaign) one of its lanes; `of_deployment` by its cap."""

    campaign: int
    reason: ParkReason
    until_us: int
    detail: str
    of_deployment: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox as a forecast sees it. `stop_reason` is the number of the proto's; 0: nothing stops it."""

    id: int
    address: str
    address_key: str
    hourly_limit: int
    daily_limit: int | None
    gap_us: int
    state: MailboxState
    stop_reason: int
    stop_us: int | None
    stop_detail: str
    parks: list[Parked] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OpenLane:
    """A lane of an active or paused campaign.

    Attributes:
        size: messages that were ever in it.
        pending: those of its whole campaign that are pending.
    """

    campaign: int
    mailbox: int
    state: CampaignState
    base_us: int
    size: int
    delay_us: int
    campaign_limit: int | None
    pending: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one workspace, at one instant."""

    stopped: bool
    boxes: dict[int, Box]
    lanes: list[OpenLane]


_STOPPED = text("SELECT stopped FROM workspaces WHERE id = :workspace")
_BOXES = text(f"""
SELECT id, address, address_key, hourly_limit, daily_limit, min_gap_us, state, coalesce(stop_reason, 0) AS stop_reason,
       (extract(epoch FROM stop_time) * 1000000)::bigint AS stop_us, stop_detail
FROM mailboxes WHERE workspace_id = :workspace AND delete_time IS NULL ORDER BY id LIMIT {MOST_MAILBOXES}
""")
_PARKS = text(f"""
SELECT p.mailbox_id, p.campaign_id, p.reason, (extract(epoch FROM p.until_time) * 1000000)::bigint AS until_us,
       p.detail, p.of_deployment
FROM mailboxes b JOIN parks p ON p.mailbox_id = b.id AND p.until_time > statement_timestamp()
WHERE b.workspace_id = :workspace AND b.delete_time IS NULL LIMIT {MOST_LANES}
""")
_LANES = text(f"""
SELECT c.id, l.mailbox_id, c.state, (extract(epoch FROM l.base) * 1000000)::bigint AS base_us, l.size, c.delay_us,
       c.hourly_limit, n.pending
FROM campaigns c CROSS JOIN LATERAL (
  SELECT coalesce(sum(pending), 0) AS pending FROM campaign_counts WHERE campaign_id = c.id) n
JOIN lanes l ON l.campaign_id = c.id
WHERE c.workspace_id = :workspace AND c.state IN ({CampaignState.ACTIVE:d}, {CampaignState.PAUSED:d})
  AND l.base IS NOT NULL
ORDER BY c.id DESC, l.position LIMIT {MOST_LANES}
""")


async def facts(connection: AsyncConnection, workspace_id: int) -> Facts:
    """All that forecasts of a workspace rest on: some ms."""
    of = {"workspace": workspace_id}
    boxes = {
        row.id: Box(
            id=row.id,
            address=row.address,
            address_key=row.address_key,
            hourly_limit=row.hourly_limit,
            daily_limit=row.daily_limit,
            gap_us=row.min_gap_us,
            state=MailboxState(row.state),
            stop_reason=row.stop_reason,
            stop_us=row.stop_us,
            stop_detail=row.stop_detail,
        )
        for row in await connection.execute(_BOXES, of)
    }
    for row in await connection.execute(_PARKS, of):
        if row.mailbox_id in boxes:
            park = Parked(row.campaign_id, ParkReason(row.reason), row.until_us, row.detail, row.of_deployment)
            boxes[row.mailbox_id].parks.append(park)
    lanes = [
        OpenLane(
            row.id,
            row.mailbox_id,
            CampaignState(row.state),
            row.base_us,
            row.size,
            row.delay_us,
            row.hourly_limit,
            int(row.pending),
        )
        for row in await connection.execute(_LANES, of)
    ]
    stopped = bool((await connection.execute(_STOPPED, of)).scalar())
    return Facts(stopped, boxes, lanes)


def gate_parks(box: Box) -> Sequence[Parked]:
    """The parks of a mailbox itself."""
    return [park for park in box.parks if park.campaign == GATE]
