"""No lane starves: what is eligible is passed over at most once by each that competes with it."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maillane_scheduler.queue import GateConfig, Grant, Queue, Settled
from redis.asyncio import Redis

from .conftest import opened

M, C, OTHER_C = 11, 21, 22
NOW = 1_790_000_000_000_000
LEASE = 5_000_000
STEP_US = 10

Lane = tuple[int, int]
# (mailbox, campaign) of what waits: lanes of one mailbox that compete, and mailboxes, each with several lanes.
CONTESTS = {
    "lanes": [(M, campaign) for campaign in (7, 10, 70, 700)],
    "gates": [(mailbox, campaign) for mailbox in (9, 100) for campaign in (7, 10)],
}


async def test_an_overdue_campaign_does_not_starve_the_next(queue: Queue) -> None:
    """Behind 3,000 overdue messages of one campaign the first of another leaves within two turns of five."""
    await queue.enqueue(M, C, [(message, NOW - 3_000 + message) for message in range(3_000)], now_us=NOW)
    await queue.enqueue(M, OTHER_C, [(5_000, NOW)], now_us=NOW)
    served: list[int] = []
    while 5_000 not in served and len(served) < 3_000:
        served += await serve_first(queue, 5, NOW + len(served))

    assert served.index(5_000) <= 10


# What waits in a lane: when its first message is due (in steps of serving), and how many there are.
backlogs = st.lists(st.tuples(st.integers(-5, 12), st.integers(1, 25)), min_size=4, max_size=4)


@pytest.mark.parametrize("contest", CONTESTS)
def test_whoever_competes_gets_one_turn_before_one_that_waits(contest: str, redis_url: str) -> None:
    """Whatever waits where, and however large turns are, nobody has two turns while one that is eligible has none."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(waiting=backlogs, turns=st.lists(st.integers(1, 4), min_size=30, max_size=30))
    def passed_over_once(waiting: list[tuple[int, int]], turns: list[int]) -> None:
        lanes = dict(zip(CONTESTS[contest], waiting, strict=True))
        assert asyncio.run(Contest(contest == "gates", lanes).run(redis_url, turns)) <= 1

    passed_over_once()


class Contest:
    """Lanes that are served one turn at a time, and how often each competitor was passed over by each other one.

    Args:
        gates: whether the competitors are the mailboxes, or else the lanes.
        backlogs: by lane, when all its messages are due, in steps of serving, and how many they are.
    """

    def __init__(self, gates: bool, backlogs: dict[Lane, tuple[int, int]]) -> None:
        self.gates = gates
        # Due between two steps of serving, so that nobody becomes eligible at the very µs of another's turn.
        self.left = {lane: [NOW + step * STEP_US + STEP_US // 2] * count for lane, (step, count) in backlogs.items()}
        self.passed = Counter[tuple[Lane, Lane]]()

    async def run(self, url: str, turns: Sequence[int]) -> int:
        """Serves turns of the given sizes; returns the most turns that one had while another one waited in vain."""
        worst = 0
        async with Redis.from_url(url) as client:
            await client.flushall()
            queue = await opened(client)
            await self.fill(queue)
            for step, count in enumerate(turns):
                now = NOW + step * STEP_US
                for offer in (await queue.due(count, now_us=now)).offers[:1]:
                    lane = (offer.mailbox, offer.campaign)
                    await queue.claim(1, LEASE, [Grant(*lane, count)], now_us=now)
                    worst = max(worst, self.served(lane, count, now))
        return worst

    async def fill(self, queue: Queue) -> None:
        for n, (lane, dues) in enumerate(self.left.items()):
            await queue.configure_gate(lane[0], GateConfig(1, False, 0, 100), now_us=NOW)
            await queue.enqueue(*lane, [(n * 100 + i, due) for i, due in enumerate(dues)], now_us=NOW)

    def served(self, lane: Lane, count: int, now: int) -> int:
        """Notes a turn; returns how often its competitor passed another one over since that was served or came."""
        del self.left[lane][:count]
        winner = self.competitor(lane)
        waiting = {self.competitor(other) for other, dues in self.left.items() if dues and dues[0] <= now} - {winner}
        self.passed = Counter({pair: n for pair, n in self.passed.items() if pair[0] in waiting})
        self.passed.update((other, winner) for other in waiting)
        return max((self.passed[other, winner] for other in waiting), default=0)

    def competitor(self, lane: Lane) -> Lane:
        return (lane[0], 0) if self.gates else lane


async def serve_first(queue: Queue, slots: int, now_us: int) -> list[int]:
    """One turn of the first lane that is offered, settled at once."""
    offer = (await queue.due(slots, now_us=now_us)).offers[0]
    claimed = await queue.claim(1, LEASE, [Grant(offer.mailbox, offer.campaign, offer.count)], now_us=now_us)
    await queue.settle([Settled(claim.mailbox, claim.message, 1) for claim in claimed], now_us=now_us)
    return [claim.message for claim in claimed]
