"""Recipients on their way in: a chunk is one transaction, which holds the campaign's row from its first statement.

So chunks of one campaign follow each other, ids and ordinals keep the order of the import, and what `fresh` says of a
campaign's addresses stays true until the commit.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from maillane_chassis.errors import FailedPrecondition, NotFound, ResourceExhausted
from psycopg import AsyncConnection as DriverConnection
from psycopg.errors import UniqueViolation
from sqlalchemy import BigInteger, Integer, Text, any_, bindparam, cast, column, extract, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler import plan, rotation
from maillane_scheduler.states import CampaignKind, CampaignState
from maillane_scheduler.store import counts, marks, tables, variables
from maillane_scheduler.validation.recipients import Row

# Counts and ordinals are 32-bit numbers, and one campaign of this size takes a mailbox of 100,000 an hour four days.
MAX_RECIPIENTS = 10_000_000

_MESSAGES = tables.messages
_CAMPAIGNS = tables.campaigns
_LANES = tables.lanes
_MAILBOXES = tables.mailboxes
_COPY = "COPY messages (id, campaign_id, mailbox_id, ordinal, line, email, variables) FROM STDIN"


class KnownAddressError(Exception):
    """A row's address is in the campaign already: nothing of the transaction stands; repeat with the `fresh` ones."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as it is before a chunk; `base_us` None: a draft."""

    mailbox_id: int
    weight: int
    size: int
    base_us: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """What recipients are added to, while its row is held."""

    campaign_id: int
    started: bool
    delay_us: int
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Added:
    """What the queue must be told of a chunk, once it is committed.

    Attributes:
        messages: (message, due_us) by mailbox; made when asked for, so that the commit need not wait for it.
    """

    marks: tuple[int, ...] = ()
    messages: Callable[[], dict[int, list[tuple[int, int]]]] = dict


async def target(
    connection: AsyncConnection, workspace_id: int, campaign_id: int, kind: CampaignKind = CampaignKind.CAMPAIGN
) -> Target:
    """Holds a campaign for a chunk.

    Raises:
        NotFound: the workspace has no such campaign.
        FailedPrecondition: CAMPAIGN_ENDED, or CAMPAIGN_INCOMPLETE (it has no mailboxes).
    """
    found = (
        select(_CAMPAIGNS.c.state, _CAMPAIGNS.c.delay_us)
        .where(
            _CAMPAIGNS.c.workspace_id == workspace_id, _CAMPAIGNS.c.id == campaign_id, _CAMPAIGNS.c.kind == int(kind)
        )
        .with_for_update(key_share=True)
    )
    row = (await connection.execute(found)).first()
    if row is None:
        raise NotFound("there is no such campaign", reason="CAMPAIGN_NOT_FOUND")
    state = CampaignState(row.state)
    if state.ended:
        raise FailedPrecondition("the campaign has ended", reason="CAMPAIGN_ENDED")
    lanes = await _lanes(connection, campaign_id)
    if not lanes:
        raise FailedPrecondition("the campaign has no mailboxes yet", reason="CAMPAIGN_INCOMPLETE")
    return Target(campaign_id, state is not CampaignState.DRAFT, row.delay_us, lanes)


async def fresh(connection: AsyncConnection, campaign_id: int, rows: Sequence[Row]) -> list[Row]:
    """The rows whose addresses the campaign does not have yet, in whatever case; of those that are alike, the first."""
    # Lower case by Postgres, as the index has it: of letters beyond ASCII, Python thinks otherwise here and there.
    emails = func.unnest(literal([row.email for row in rows], ARRAY(Text)))
    given = emails.table_valued(column("email", Text), with_ordinality="place").render_derived()
    lowered = select(func.lower(given.c.email)).order_by(given.c.place)
    keys = list((await connection.execute(lowered)).scalars())
    key = func.lower(_MESSAGES.c.email)
    found = select(key).where(_MESSAGES.c.campaign_id == campaign_id, key == any_(literal(keys, ARRAY(Text))))
    seen = set((await connection.execute(found)).scalars())
    new = []
    for row, lower in zip(rows, keys, strict=True):
        if lower not in seen:
            seen.add(lower)
            new.append(row)
    return new


async def add(connection: AsyncConnection, to: Target, rows: Sequence[Row]) -> Added:
    """Adds recipients, pending, in their order; marks them for the queue where the campaign was started.

    Args:
        rows: at most a block of message ids.

    Raises:
        KnownAddressError: the campaign has an address of them already.
        ResourceExhausted: CAMPAIGN_FULL.
    """
    if sum(lane.size for lane in to.lanes) + len(rows) > MAX_RECIPIENTS:
        raise ResourceExhausted(f"a campaign has at most {MAX_RECIPIENTS:,} recipients", reason="CAMPAIGN_FULL")
    if not rows:
        return Added()
    first_id = int((await connection.execute(select(func.nextval(tables.MESSAGE_BLOCKS)))).scalar_one())
    sizes = [lane.size for lane in to.lanes]
    turns = rotation.assign(sizes, [lane.weight for lane in to.lanes], len(rows))
    ordinals = rotation.ordinals(sizes, turns)
    await _copy(connection, _lines(first_id, to, rows, turns, ordinals))
    await _grow(connection, to, sizes)
    await counts.add(connection, to.campaign_id, pending=len(rows))
    await variables.add(connection, to.campaign_id, _present(rows))
    return await _mark(connection, to, first_id, turns, ordinals)


def _lines(first_id: int, to: Target, rows: Sequence[Row], turns: Sequence[int], ordinals: Sequence[int]) -> str:
    """The rows in COPY's text format: what may hold a backslash is the JSON, and nothing holds a tab or line break."""
    campaign_id, mailbox_ids = to.campaign_id, [lane.mailbox_id for lane in to.lanes]
    return "".join(
        [
            f"{message_id}\t{campaign_id}\t{mailbox_ids[turn]}\t{ordinal}\t{row.line}\t{row.email}\t{row.variables}\n"
            for message_id, row, turn, ordinal in zip(
                range(first_id, first_id + len(rows)), rows, turns, ordinals, strict=True
            )
        ]
    ).replace("\\", "\\\\")


async def _copy(connection: AsyncConnection, lines: str) -> None:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, DriverConnection)
    try:
        async with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            await copy.write(lines)
    except UniqueViolation:
        raise KnownAddressError from None


async def _grow(connection: AsyncConnection, to: Target, sizes: Sequence[int]) -> None:
    lane = (_LANES.c.campaign_id == literal(to.campaign_id, BigInteger)) & (
        _LANES.c.mailbox_id == bindparam("lane", type_=Integer)
    )
    grown = [
        {"lane": lane.mailbox_id, "size_now": size}
        for lane, size in zip(to.lanes, sizes, strict=True)
        if size != lane.size
    ]
    await connection.execute(update(_LANES).where(lane).values(size=bindparam("size_now", type_=Integer)), grown)


async def _mark(
    connection: AsyncConnection, to: Target, first_id: int, turns: Sequence[int], ordinals: Sequence[int]
) -> Added:
    if not to.started:
        return Added()
    ids = range(first_id, first_id + len(turns))
    # Of messages with one turn the last wins; backwards, the first.
    last, first = dict(zip(turns, ids, strict=True)), dict(zip(reversed(turns), reversed(ids), strict=True))
    spans = {to.lanes[turn].mailbox_id: (first[turn], last[turn]) for turn in last}
    made = await marks.add_spans(connection, to.campaign_id, spans)
    return Added(tuple(made), partial(_planned, to, first_id, turns, ordinals))


def _planned(
    to: Target, first_id: int, turns: Sequence[int], ordinals: Sequence[int]
) -> dict[int, list[tuple[int, int]]]:
    """Messages and when they are due, by mailbox, in campaign order."""
    messages: dict[int, list[tuple[int, int]]] = {}
    for place, (turn, ordinal) in enumerate(zip(turns, ordinals, strict=True)):
        lane = to.lanes[turn]
        assert lane.base_us is not None
        due_us = plan.due_us(lane.base_us, ordinal, to.delay_us)
        messages.setdefault(lane.mailbox_id, []).append((first_id + place, due_us))
    return messages


async def _lanes(connection: AsyncConnection, campaign_id: int) -> tuple[Lane, ...]:
    base_us = cast(extract("epoch", _LANES.c.base) * 1_000_000, BigInteger)
    found = (
        select(_LANES.c.mailbox_id, _MAILBOXES.c.hourly_limit, _LANES.c.size, base_us)
        .join(_MAILBOXES, _MAILBOXES.c.id == _LANES.c.mailbox_id)
        .where(_LANES.c.campaign_id == campaign_id, _LANES.c.leave_time.is_(None))
        .order_by(_LANES.c.position)
    )
    return tuple(Lane(*row) for row in await connection.execute(found))


def _present(rows: Sequence[Row]) -> dict[str, int]:
    # Rows of one list have the same few sets of names: counting sets first is five times faster.
    present: Counter[str] = Counter()
    for names, number in Counter(row.names for row in rows).items():
        for name in names:
            present[name] += number
    return present
