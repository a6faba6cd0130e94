"""Lists of messages in each of their orders, and why a message waits."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from heapq import merge
from itertools import islice

from maillane.scheduler.v1 import message_service_pb2 as pb
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.api import convert
from maillane_scheduler.api.holds import explained, explained_resend, lane_state
from maillane_scheduler.forecast.trace import Trace
from maillane_scheduler.forecast.world import Place
from maillane_scheduler.message import Message
from maillane_scheduler.outlook import Outlook, Outlooks, Waiting
from maillane_scheduler.states import CampaignState, MessageState
from maillane_scheduler.store import message_pages, message_reads, outcome_pages, resends
from maillane_scheduler.store.message_pages import Cursor
from maillane_scheduler.validation.messages import Filters, Order

CURSOR_IDS = 2
"""How many ids a page token holds, in each order."""

EXPORT_PAGE = 500
# What a person holds up has no time: it comes behind everything that has one, by its lane and its place there.
_NEVER_US = 2**62
_Key = tuple[int, int]


@dataclass(frozen=True, slots=True, order=True)
class _Leaving:
    """A message that waits: where a list has it, and when it leaves (None: not known).

    Attributes:
        resend_us: of one that has no place in its lane until its first try can no longer succeed: until when at least.
    """

    key: _Key
    message: int
    at_us: int | None = field(compare=False)
    resend_us: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, and the ids of the next page's token; None where this was the last."""

    messages: list[pb.Message]
    next: Sequence[int] | None


class MessageLists:
    """Reads pages."""

    def __init__(self, engine: AsyncEngine, outlooks: Outlooks) -> None:
        self._engine = engine
        self._outlooks = outlooks

    async def page(self, workspace_id: int, filters: Filters, place: Sequence[int] | None, size: int) -> Page:
        """A page behind a place."""
        if filters.order is Order.LEAVING:
            return await self._leaving(workspace_id, filters, place, size)
        async with self._engine.connect() as connection:
            if filters.order is Order.LATEST:
                found = await outcome_pages.list_page(connection, workspace_id, filters, place, size)
                messages = await message_reads.read(connection, [each.message_id for each in found.outcomes])
                return Page(list(map(convert.message, messages)), found.next)
            cursor = Cursor(*place) if place else None
            page = await message_pages.list_page(connection, workspace_id, filters, cursor, size)
            return Page(list(map(convert.message, page.messages)), astuple(page.next) if page.next else None)

    async def pages(self, workspace_id: int, filters: Filters) -> AsyncIterator[list[pb.Message] | None]:
        """All pages, behind a None."""
        page = await self.page(workspace_id, filters, None, EXPORT_PAGE)
        yield None
        while True:
            if page.messages:
                yield page.messages
            if page.next is None:
                return
            page = await self.page(workspace_id, filters, page.next, EXPORT_PAGE)

    async def explain(self, workspace_id: int, message: Message) -> pb.Hold | None:
        """What holds a message that waits, and when it leaves; None where that cannot be told now."""
        outlook = await self._outlooks.glance(workspace_id)
        if outlook is None or (message.campaign_id, message.mailbox_id) not in outlook.waiting:
            return None
        waiting = outlook.waiting[message.campaign_id, message.mailbox_id]
        traces = await self._outlooks.forecast(outlook)
        [place] = await self._outlooks.places([(message.mailbox_id, message.campaign_id, message.id)])
        trace = traces.get(waiting.place, Trace())
        expected = trace.time_us(place) if place is not None else None
        return convert.hold(explained(outlook, waiting, trace, message, expected))

    async def _leaving(self, workspace_id: int, filters: Filters, place: Sequence[int] | None, size: int) -> Page:
        async with self._engine.connect() as connection:
            campaigns = await outcome_pages.campaigns_of(connection, workspace_id, filters)
            searched = filters.query or filters.recipient
            ids = await outcome_pages.matches(connection, campaigns, searched) if searched else None
            matched = await message_reads.read(connection, ids) if ids is not None else None
        outlook = await self._outlooks.look(workspace_id)
        traces = await self._outlooks.forecast(outlook)
        asked = sorted(
            (lane for lane in outlook.waiting.values() if _is_asked(outlook, lane, filters)),
            key=lambda lane: lane.place,
        )
        lanes = [lane for lane in asked if lane.count]
        after: _Key = (place[0], place[1]) if place else (0, 0)
        if matched is not None:
            found = await self._of_matches(traces, lanes, matched)
        else:
            found = await self._timed(traces, lanes, after, size)
            if len(found) <= size:
                found += await self._held(traces, lanes, after, size)
        found += await self._resends(asked, after, size, ids)
        found = sorted(each for each in found if each.key > after)[: size + 1]
        async with self._engine.connect() as connection:
            rows = await message_reads.read(connection, [each.message for each in found[:size]])
        places = {each.message: each for each in found}
        wanted = filters.recipient.lower() if filters.recipient else None
        messages = [
            _with_hold(outlook, traces, row, places[row.id])
            for row in rows
            if row.state is MessageState.PENDING and wanted in (None, row.recipient.lower())
        ]
        return Page(messages, found[size - 1].key if len(found) > size else None)

    async def _of_matches(
        self, traces: dict[Place, Trace], lanes: Sequence[Waiting], messages: Sequence[Message]
    ) -> list[_Leaving]:
        indexes = {lane.place: index for index, lane in enumerate(lanes)}
        mine = [message for message in messages if (message.campaign_id, message.mailbox_id) in indexes]
        places = await self._outlooks.places([(m.mailbox_id, m.campaign_id, m.id) for m in mine])
        return [
            _leaving(traces.get(lane), indexes[lane], place, message.id)
            for message, place in zip(mine, places, strict=True)
            for lane in ((message.campaign_id, message.mailbox_id),)
            if place is not None
        ]

    async def _timed(
        self, traces: dict[Place, Trace], lanes: Sequence[Waiting], after: _Key, size: int
    ) -> list[_Leaving]:
        """The next messages of the lanes that send; of the very µs of the last page's end, also those of that page."""
        going = [(index, lane, traces[lane.place]) for index, lane in enumerate(lanes) if lane.place in traces]
        begins = {index: trace.position(after[0] - 1) for index, _, trace in going}
        times = [_times(trace, begins[index], index) for index, _, trace in going]
        # Of the µs of the last page's end, and of this one's, each lane may have one: all of both are put in order.
        counts = Counter(index for _, index in islice(merge(*times), size + 1 + 2 * len(going)))
        needed = [(index, lane, trace) for index, lane, trace in going if counts[index]]
        places = [(lane.lane.mailbox, lane.lane.campaign, begins[index]) for index, lane, _ in needed]
        ids = await self._outlooks.waiting(places, max(counts.values())) if places else []
        return [
            _leaving(trace, index, begins[index] + nth, message)
            for (index, _, trace), messages in zip(needed, ids, strict=True)
            for nth, message in enumerate(messages[: counts[index]])
        ]

    async def _held(
        self, traces: dict[Place, Trace], lanes: Sequence[Waiting], after: _Key, size: int
    ) -> list[_Leaving]:
        """What a person holds up, lane by lane."""
        found: list[_Leaving] = []
        for index, lane in enumerate(lanes):
            if lane.place in traces or _NEVER_US + index < after[0]:
                continue
            begin = after[1] if _NEVER_US + index == after[0] else 0
            [ids] = await self._outlooks.waiting([(lane.lane.mailbox, lane.lane.campaign, begin)], size + 1)
            found += [_leaving(None, index, begin + nth, message) for nth, message in enumerate(ids)]
            if len(found) > size:
                break
        return found

    async def _resends(
        self, lanes: Sequence[Waiting], after: _Key, size: int, ids: Sequence[int] | None
    ) -> list[_Leaving]:
        """What is sent again and has no place in its lane yet: where it may have one."""
        async with self._engine.connect() as connection:
            held = await resends.held(connection, [lane.place for lane in lanes], after, size + 1, ids)
        return [_Leaving((one.ready_us, one.message), one.message, None, one.ready_us) for one in held]


def _leaving(trace: Trace | None, index: int, place: int, message: int) -> _Leaving:
    at = None if trace is None else trace.time_us(place)
    return _Leaving((_NEVER_US + index, place + 1) if at is None else (at, message), message, at)


def _times(trace: Trace, begin: int, index: int) -> Iterator[tuple[int, int]]:
    position = begin
    while (at := trace.time_us(position)) is not None:
        yield at, index
        position += 1


def _is_asked(outlook: Outlook, waiting: Waiting, filters: Filters) -> bool:
    lane = waiting.lane
    return (
        lane.state is CampaignState.ACTIVE
        and filters.campaign_id in (None, lane.campaign)
        and filters.mailbox_id in (None, lane.mailbox)
        and (filters.lane_state is None or filters.lane_state is lane_state(outlook, waiting))
    )


def _with_hold(outlook: Outlook, traces: dict[Place, Trace], message: Message, place: _Leaving) -> pb.Message:
    answer = convert.message(message)
    waiting = outlook.waiting.get((message.campaign_id, message.mailbox_id))
    if waiting is not None:
        trace = traces.get(waiting.place, Trace())
        if place.resend_us is not None:
            why = explained_resend(outlook, waiting, place.resend_us)
        else:
            why = explained(outlook, waiting, trace, message, place.at_us)
        held = convert.hold(why)
        if held is not None:
            answer.hold.CopyFrom(held)
    return answer
