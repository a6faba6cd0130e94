"""What the sink saw, what Postgres has, and what the API says, held against one another at the end."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import psycopg
from maillane_scheduler.states import MessageState

from .sink import Content

SLACK_S: Final = 2.0
"""From a hand-out to the end of its content, on a busy machine: by so much a limit seen by the sink may be shifted."""

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]

_LOCAL_PART: Final = re.compile(r"([0-9a-z]+)\.")


@dataclass(frozen=True, slots=True)
class Row:
    """A message in Postgres. `place` is its campaign order; `incarnation` the sender process that held it last."""

    id: int
    campaign: int
    mailbox: int
    address: str
    recipient: str
    state: MessageState
    attempt: int
    incarnation: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that was set: of a mailbox's address, or of a campaign (by its id as text)."""

    key: str
    most: int
    window_s: int


@dataclass(slots=True)
class Findings:
    """What was found. Lists name messages by id.

    Attributes:
        lost: SENT without an accepted content; not ended; or rows that are missing (as -1 each).
        doubled: a complete content after one that was not refused.
        untrue: the sink took it, and Postgres neither says SENT nor UNCONFIRMED.
        over: by limit, the most by which a window has passed it: of hand-outs in Postgres, and of contents at the sink
            (shifted by SLACK_S at most).
        uncounted: contents beyond what was handed out by the permits' count.
        miscounted: what the campaigns' counts say that the rows do not.
        displaced: how many places a first content stood from its place in its lane, at most.
    """

    total: int = 0
    states: dict[str, int] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    doubled: list[int] = field(default_factory=list)
    untrue: list[int] = field(default_factory=list)
    unconfirmed: list[Row] = field(default_factory=list)
    over: dict[str, int] = field(default_factory=dict)
    over_at_sink: dict[str, int] = field(default_factory=dict)
    uncounted: int = 0
    miscounted: dict[str, tuple[int, int]] = field(default_factory=dict)
    displaced: int = 0
    spent: int = 0

    @property
    def by_incarnation(self) -> dict[str, int]:
        """Unconfirmed messages by the sender process that held them."""
        found: dict[str, int] = defaultdict(int)
        for row in self.unconfirmed:
            found[row.incarnation] += 1
        return dict(found)


class Oracle:
    """Reconciles. It reads Postgres directly: what is judged here must not come from who is judged."""

    def __init__(self, postgres_url: str) -> None:
        self._url = postgres_url

    async def reconcile(
        self,
        contents: Sequence[Content],
        expected: Mapping[int, int],
        *,
        limits: Iterable[Limit] = (),
        may_wait: bool = False,
    ) -> Findings:
        """Holds all against all.

        Args:
            contents: what the sink took.
            expected: recipients accepted, by campaign.
            limits: those that were set.
            may_wait: messages may still be pending (behind a limit).
        """
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            # One snapshot for all that is held against one another.
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            return await self._reconcile(connection, contents, expected, limits, may_wait)

    async def _reconcile(
        self,
        connection: Connection,
        contents: Sequence[Content],
        expected: Mapping[int, int],
        limits: Iterable[Limit],
        may_wait: bool,
    ) -> Findings:
        rows = await _rows(connection, list(expected))
        found = Findings(total=len(rows), spent=sum(row.attempt for row in rows))
        found.lost = [-1] * sum(
            max(0, count - sum(row.campaign == campaign for row in rows)) for campaign, count in expected.items()
        )
        self._judge_messages(found, rows, contents, may_wait)
        await self._judge_counts(connection, found, list(expected))
        await self._judge_limits(connection, found, contents, limits)
        found.displaced = _displaced(rows, contents)
        return found

    async def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """One query's rows."""
        async with await psycopg.AsyncConnection.connect(self._url, connect_timeout=5) as connection:
            return await _ask(connection, query, *values)

    def _judge_messages(
        self, found: Findings, rows: Sequence[Row], contents: Sequence[Content], may_wait: bool
    ) -> None:
        by_id: dict[int, list[Content]] = defaultdict(list)
        for content in contents:
            by_id[row_id(content.message_id)].append(content)
        for row in rows:
            found.states[row.state.name] = found.states.get(row.state.name, 0) + 1
            taken = any(content.accepted for content in by_id[row.id])
            ended = row.state not in (MessageState.PENDING, MessageState.SENDING)
            if (row.state is MessageState.SENT and not taken) or not (ended or may_wait):
                found.lost.append(row.id)
            if taken and row.state not in (MessageState.SENT, MessageState.UNCONFIRMED):
                found.untrue.append(row.id)
            if row.state is MessageState.UNCONFIRMED:
                found.unconfirmed.append(row)
            if _began_twice(by_id[row.id]):
                found.doubled.append(row.id)

    async def _judge_counts(self, connection: Connection, found: Findings, campaigns: Sequence[int]) -> None:
        counts = await _ask(
            connection,
            """
            SELECT sum(pending), sum(sending), sum(sent), sum(failed), sum(unconfirmed), sum(suppressed), sum(cancelled)
            FROM campaign_counts WHERE campaign_id = ANY(%s)
            """,
            campaigns,
        )
        for state, count in zip(MessageState, counts[0], strict=True):
            told, real = int(count or 0), found.states.get(state.name, 0)
            if told != real:
                found.miscounted[state.name] = (told, real)

    async def _judge_limits(
        self, connection: Connection, found: Findings, contents: Sequence[Content], limits: Iterable[Limit]
    ) -> None:
        handed = await _ask(
            connection,
            "SELECT address_key, campaign_id::text, reserve_time, permits - refunded FROM permits",
        )
        total = sum(row[3] for row in handed)
        found.uncounted = max(0, len(contents) - total)
        for limit in limits:
            windows: dict[int, int] = defaultdict(int)
            for address, campaign, time, count in handed:
                if limit.key in (address, campaign):
                    windows[int(time.timestamp() // limit.window_s)] += count
            found.over[limit.key] = max(0, max(windows.values(), default=0) - limit.most)
            found.over_at_sink[limit.key] = _over_at_sink(limit, contents)


async def _rows(connection: Connection, campaigns: Sequence[int]) -> list[Row]:
    """The campaigns' messages, in order."""
    found = await _ask(
        connection,
        """
        SELECT m.id, m.campaign_id, m.mailbox_id, b.address, m.email, m.state, m.attempt, coalesce(k.incarnation, '')
        FROM messages m JOIN mailboxes b ON b.id = m.mailbox_id LEFT JOIN claims k ON k.token = m.token
        WHERE m.campaign_id = ANY(%s) ORDER BY m.id
        """,
        list(campaigns),
    )
    return [
        Row(id_, campaign, mailbox, address, recipient, MessageState(state), attempt, incarnation)
        for id_, campaign, mailbox, address, recipient, state, attempt, incarnation in found
    ]


async def _ask(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query.encode(), values)).fetchall()


def row_id(message_id: str) -> int:
    """The row of a Message-ID, whose local part begins with it in base 36; 0 where it is none of ours."""
    match = _LOCAL_PART.match(message_id)
    return int(match[1], 36) if match else 0


def _began_twice(contents: Sequence[Content]) -> bool:
    """Whether a content came after one that the client could not know to be refused."""
    ordered = sorted(contents, key=lambda content: content.read_s)
    return any(not content.refused for content in ordered[:-1])


def _over_at_sink(limit: Limit, contents: Sequence[Content]) -> int:
    """What is read later than SLACK_S after a window began was handed out in it."""
    windows: dict[int, int] = defaultdict(int)
    for content in contents:
        if content.sender == limit.key and content.read_s % limit.window_s > SLACK_S:
            windows[int(content.read_s // limit.window_s)] += 1
    return max(0, max(windows.values(), default=0) - limit.most)


def _displaced(rows: Sequence[Row], contents: Sequence[Content]) -> int:
    lane_of = {row.id: (row.campaign, row.mailbox) for row in rows}
    lanes: dict[tuple[int, int], dict[int, None]] = defaultdict(dict)
    for content in contents:
        message = row_id(content.message_id)
        if message in lane_of:
            lanes[lane_of[message]].setdefault(message)
    worst = 0
    for lane in lanes.values():
        order = {message: place for place, message in enumerate(sorted(lane))}
        worst = max(worst, *(abs(order[message] - place) for place, message in enumerate(lane)))
    return worst
