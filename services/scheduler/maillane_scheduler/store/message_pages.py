"""Lists of messages by keyset, in campaign order, the newest campaign first.

State is in no index of messages, so that sending stays cheap. What was sent, failed or is unconfirmed is found through
the attempts, what is being sent through the claims; for the rest, a bounded number of messages is looked at. A page may
therefore be short, or empty, with more behind it: only a page without a cursor is the last one.
"""

from dataclasses import dataclass

from maillane_chassis.errors import NotFound
from sqlalchemy import ColumnElement, Select, TextClause, func, literal, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.message import Message
from maillane_scheduler.states import CampaignKind, MessageState
from maillane_scheduler.store import mailboxes, message_reads, tables
from maillane_scheduler.validation.messages import Filters

# Messages that are looked at for a page: some 10 ms.
SCANNED = 20_000
# Campaigns that are looked at for a page.
CAMPAIGNS = 10
# States that a message reaches only by an attempt, which is indexed by it.
_OUTCOMES = frozenset((MessageState.SENT, MessageState.FAILED, MessageState.UNCONFIRMED))


def _without(*ways: str) -> TextClause:
    """For the transaction: plans without these ways to read, nor workers, which take longer to begin than a page."""
    settings = ["set_config('max_parallel_workers_per_gather', '0', true)"]
    settings += [f"set_config('enable_{way}', 'off', true)" for way in ways]
    return text(f"SELECT {', '.join(settings)}")


# States change faster than statistics, so the planner expects none of one, or all. Of ten million messages it may read
# every one to join what was sent in a small campaign, which some lookups by id find.
BY_LOOKUPS = _without("hashjoin", "mergejoin", "seqscan")
# And until a large import was analysed, which takes Postgres up to a minute, it takes a campaign for small: it would
# read and sort all of it (a million in 300 ms) for a page that an index has in order. (A search has two indexes.)
_ALONG_THE_INDEX = _without("hashjoin", "mergejoin", "seqscan", "bitmapscan", "sort", "incremental_sort")

_MESSAGES = tables.messages
_ATTEMPTS = tables.attempts
_CAMPAIGNS = tables.campaigns
_LANES = tables.lanes


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind a message, in a campaign or in those that are older."""

    campaign_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, and where the next page begins; None where this was the last."""

    messages: list[Message]
    next: Cursor | None


async def list_page(
    connection: AsyncConnection, workspace_id: int, filters: Filters, cursor: Cursor | None, limit: int
) -> Page:
    """A page of messages of the workspace.

    Raises:
        NotFound: it has no such campaign (CAMPAIGN_NOT_FOUND) or mailbox (MAILBOX_NOT_FOUND).
    """
    if filters.mailbox_id is not None:
        await mailboxes.check_known(connection, workspace_id, filters.mailbox_id)
    await connection.execute(BY_LOOKUPS if filters.query else _ALONG_THE_INDEX)
    campaigns = await _campaigns(connection, workspace_id, filters, cursor)
    ids: list[int] = []
    following = None
    for place, campaign_id in enumerate(campaigns):
        if len(ids) >= limit or place >= CAMPAIGNS:
            following = Cursor(campaign_id, 0)
            break
        after = cursor.message_id if cursor and cursor.campaign_id == campaign_id else 0
        found, reached = await _find(connection, campaign_id, filters, after, limit - len(ids))
        ids += found
        if reached is not None:
            following = Cursor(campaign_id, reached)
            break
    return Page(await message_reads.read(connection, ids), following)


async def _find(
    connection: AsyncConnection, campaign_id: int, filters: Filters, after: int, want: int
) -> tuple[list[int], int | None]:
    """Ids of a campaign behind one, and how far it was looked at; None: to its end."""
    horizon = None
    if filters.state in _OUTCOMES and filters.recipient is None:
        candidates = _outcomes(campaign_id, int(filters.state or 0), after)
        horizon = await _horizon(connection, candidates)
        found = candidates.join(_MESSAGES, _MESSAGES.c.id == _ATTEMPTS.c.message_id).distinct()
        behind: ColumnElement[int] = _ATTEMPTS.c.message_id
    else:
        is_looked_up = filters.recipient or filters.query or filters.state is MessageState.SENDING
        found = _looked_up(campaign_id, after) if is_looked_up else _in_order(campaign_id, after)
        if filters.state is MessageState.SENDING:
            found = found.where(_MESSAGES.c.id.in_(_held()))
        elif filters.recipient is None and (filters.state or filters.mailbox_id):
            horizon = await _horizon(connection, found)
        behind = _MESSAGES.c.id
    found = found.where(*_conditions(filters)).limit(want + 1)
    if horizon is not None:
        found = found.where(behind <= horizon)
    ids = list((await connection.execute(found)).scalars())
    if len(ids) > want:
        return ids[:want], ids[want - 1]
    return ids, horizon


def _outcomes(campaign_id: int, state: int, after: int) -> Select[int]:
    return (
        select(_ATTEMPTS.c.message_id)
        .where(_ATTEMPTS.c.campaign_id == campaign_id, _ATTEMPTS.c.state == state, _ATTEMPTS.c.message_id > after)
        .order_by(_ATTEMPTS.c.message_id)
    )


def _looked_up(campaign_id: int, after: int) -> Select[int]:
    """For conditions that an index finds few by."""
    mine = select(_MESSAGES.c.id).where(_MESSAGES.c.campaign_id == campaign_id, _MESSAGES.c.id > after)
    return mine.order_by(_MESSAGES.c.id)


def _in_order(campaign_id: int, after: int) -> Select[int]:
    """Along the campaign's own index, which alone has this order.

    With an equal sign the order of ids would do, and the planner might read them from the first of all campaigns on.
    """
    order = (_MESSAGES.c.campaign_id, _MESSAGES.c.id)
    behind = tuple_(*order) > tuple_(literal(campaign_id), literal(after))
    return select(_MESSAGES.c.id).where(behind, _MESSAGES.c.campaign_id <= campaign_id).order_by(*order)


def _held() -> Select[int]:
    """What senders hold, of all campaigns: bounded by what they can hold."""
    claims = tables.claims
    return select(func.unnest(claims.c.ids)).where(claims.c.lease_until.is_not(None))


async def _horizon(connection: AsyncConnection, candidates: Select[int]) -> int | None:
    """The last id to be looked at; None where fewer than SCANNED are left."""
    last: int | None = (await connection.execute(candidates.offset(SCANNED - 1).limit(1))).scalar()
    return last


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions = []
    if filters.state is not None:
        conditions.append(_MESSAGES.c.state == int(filters.state))
    if filters.mailbox_id is not None:
        conditions.append(_MESSAGES.c.mailbox_id == filters.mailbox_id)
    if filters.recipient is not None:
        conditions.append(func.lower(_MESSAGES.c.email) == func.lower(filters.recipient))
    if filters.query:
        conditions.append(searched(filters.query))
    return conditions


def searched(query: str) -> ColumnElement[bool]:
    """Whether an address, or its domain, begins so; both have an index, by campaign."""
    begin = beginning(query)
    address, domain = func.lower(_MESSAGES.c.email), func.split_part(func.lower(_MESSAGES.c.email), "@", 2)
    return or_(address.startswith(begin.address, autoescape=True), domain.startswith(begin.domain, autoescape=True))


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an address, or its domain, begins with, in lower case."""

    address: str
    domain: str


def beginning(query: str) -> Beginning:
    """What is searched for: an @ in front says that it is a domain."""
    lower = query.lower()
    return Beginning(lower, lower.lstrip("@"))


async def check_campaign(connection: AsyncConnection, workspace_id: int, campaign_id: int) -> None:
    """Sees to it that a workspace has a campaign.

    Raises:
        NotFound: CAMPAIGN_NOT_FOUND.
    """
    await _campaigns(connection, workspace_id, Filters(campaign_id=campaign_id), None)


async def _campaigns(
    connection: AsyncConnection, workspace_id: int, filters: Filters, cursor: Cursor | None
) -> list[int]:
    """Campaigns that a page may come from, the newest first, and one more."""
    found = select(_CAMPAIGNS.c.id).where(_CAMPAIGNS.c.workspace_id == workspace_id)
    if filters.campaign_id is not None:
        ids = list((await connection.execute(found.where(_CAMPAIGNS.c.id == filters.campaign_id))).scalars())
        if not ids:
            raise NotFound("there is no such campaign", reason="CAMPAIGN_NOT_FOUND")
        return ids
    found = found.where(_CAMPAIGNS.c.kind == int(CampaignKind.CAMPAIGN))
    if filters.mailbox_id is not None:
        lane = (_LANES.c.campaign_id == _CAMPAIGNS.c.id) & (_LANES.c.mailbox_id == filters.mailbox_id)
        found = found.where(select(literal(1)).where(lane).exists())
    if cursor is not None:
        found = found.where(_CAMPAIGNS.c.id <= cursor.campaign_id)
    found = found.order_by(_CAMPAIGNS.c.id.desc()).limit(CAMPAIGNS + 1)
    return list((await connection.execute(found)).scalars())
