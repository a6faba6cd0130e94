"""Cost beside how much is pending: claims, pages, and a rebuild of the queue."""

import asyncio
import time
from typing import Final

from maillane.scheduler.v1 import message_service_pb2 as message_pb

from ..played_sender import PlayedSender
from ..processes import forget_peak, peak_mib
from ..rig import Rig, started
from ..row import Figures, Form, Goal, Line, Row, ours
from ..spread import percentile

CLAIMS: Final = 1_000
CLAIMED: Final = 15
PAGES: Final = 30
PAGE: Final = 50
LOAD_S: Final = 900.0
LANE: Final = 999_999
"""The most in a mailbox: its block of ids (LANE_IDS), which count from 1."""


async def _growth(form: Form) -> Figures:
    """Claims of fifteen at each size; at the last, pages of messages, too."""
    figures: Figures = {}
    async with started(form.tree) as rig:
        await _claim_p99_ms(rig, CLAIMS // 5)
        pending = 0
        for size in form.pick_all((10_000, 100_000, 1_000_000, 10_000_000), (1_000, 10_000)):
            await _grow(rig, size - pending)
            pending = size
            figures[f"p99_ms_{size}"] = await _claim_p99_ms(rig)
        sizes = [value for key, value in figures.items() if key.startswith("p99_ms_")]
        figures["times"] = max(sizes) / sizes[0]
        figures |= await _pages(rig)
    return figures


async def _grow(rig: Rig, more: int) -> None:
    """Adds so many messages that are due in an hour, in campaigns of up to four mailboxes."""
    while more > 0:
        mailboxes = min(4, -(-more // LANE))
        each = min(LANE, -(-more // mailboxes))
        await rig.fill(each, start="1 hour", mailboxes=mailboxes, wait_s=LOAD_S)
        more -= each * mailboxes


async def _claim_p99_ms(rig: Rig, claims: int = CLAIMS) -> float:
    """How long a claim takes that finds what it asks for, one after another."""
    await rig.fill(claims * CLAIMED // 4, wait_s=LOAD_S)
    sender = PlayedSender(rig.stub)
    took: list[float] = []
    while len(sender.handed_out) < claims * CLAIMED:
        begun = time.perf_counter()
        answer = await sender.claim(CLAIMED, 5)
        took.append(1000 * (time.perf_counter() - begun))
        await sender.settle(answer)
    return percentile(took, 99)


async def _pages(rig: Rig) -> Figures:
    """First pages: of what was sent, of what waits in a large campaign behind others, and of what an address finds."""
    [(done,)] = rig.sql("SELECT max(campaign_id) FROM messages")
    [(largest,)] = rig.sql("SELECT campaign_id FROM lanes GROUP BY 1 ORDER BY sum(size) DESC, 1 DESC LIMIT 1")
    [(email,)] = rig.sql("SELECT email FROM messages WHERE campaign_id = %s ORDER BY id DESC LIMIT 1", largest)
    by_state = [
        message_pb.ListMessagesRequest(campaign_id=str(campaign), state=state, page_size=PAGE)
        for campaign, state in ((done, message_pb.MESSAGE_STATE_SENT), (largest, message_pb.MESSAGE_STATE_PENDING))
    ]
    searches = [
        message_pb.ListMessagesRequest(query=query, campaign_id=str(largest), page_size=PAGE)
        for query in (email, email[:4])
    ]
    return {
        "state_ms": max([await _page_ms(rig, request) for request in by_state]),
        "search_ms": max([await _page_ms(rig, request) for request in searches]),
    }


async def _page_ms(rig: Rig, request: message_pb.ListMessagesRequest) -> float:
    """The median of some, in ms."""
    took = []
    for _ in range(PAGES):
        begun = time.perf_counter()
        answer = await rig.client.messages.ListMessages(request)
        took.append(1000 * (time.perf_counter() - begun))
        assert answer.messages, "the page is empty"
    return percentile(took, 50)


async def _rebuild(form: Form) -> Figures:
    """Redis is wiped: until every lane is told to the queue again."""
    count = form.pick(1_000_000, 20_000)
    async with started(form.tree) as rig:
        await rig.fill(count // 4, start="1 hour", wait_s=LOAD_S)
        forget_peak(rig.pids["scheduler"])
        begun = time.perf_counter()
        rig.redis.flushall()
        async with asyncio.timeout(LOAD_S):
            while _in_lanes(rig) < count // 4 * 4:
                await asyncio.sleep(0.1)
        return {"s": time.perf_counter() - begun, "rss_mib": peak_mib(rig.pids["scheduler"])}


def _in_lanes(rig: Rig) -> int:
    return sum(rig.redis.zcard(key) for key in rig.redis.scan_iter("q:*:l:*", count=1000))


GROWTH: Final = Row(
    "growth",
    (
        Line("times", "claim p99 from 10 k to 10 M pending: the worst, times the first", "×", Goal(most=1.5)),
        *(
            Line(f"p99_ms_{size}", f"claim p99 with {size:,} pending", "ms")
            for size in (10_000, 100_000, 1_000_000, 10_000_000)
        ),
        Line("state_ms", "page of 50 at 10 M rows, by campaign and state", "ms", Goal(most=30)),
        Line("search_ms", "page of 50 at 10 M rows, by recipient", "ms", Goal(most=30)),
    ),
    (ours(_growth),),
    rounds=1,
    long_s=600,
)
REBUILD: Final = Row(
    "rebuild",
    (
        Line("s", "rebuild of the queue, 1 M pending", "s", Goal(most=30)),
        Line("rss_mib", "the same: peak of the scheduler's memory", "MiB", Goal(most=300)),
    ),
    (ours(_rebuild),),
    rounds=2,
    long_s=150,
)
