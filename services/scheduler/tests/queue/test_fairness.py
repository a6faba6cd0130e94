"""No lane starves: what is eligible is passed over at most once by each that competes with it (DESIGN I5)."""

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
# (mailbox, campaign): lanes that compete within one gate, and gates that compete with each other.
CONTESTS = {
    "lanes of one gate": [(M, campaign) for campaign in (7, 10, 70, 700)],
    "gates": [(mailbox, C) for mailbox in (9, 10, 100, 1_000)],
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
def test_whoever_competes_gets_one_turn_before_a_lane_that_waits(contest: str, redis_url: str) -> None:
    """Whatever waits where, and however large turns are, nobody has two turns while an eligible lane has none."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(waiting=backlogs, turns=st.lists(st.integers(1, 4), min_size=30, max_size=30))
    def passed_over_once(waiting: list[tuple[int, int]], turns: list[int]) -> None:
        lanes = dict(zip(CONTESTS[contest], waiting, strict=True))
        assert asyncio.run(most_turns_before_another(redis_url, lanes, turns)) <= 1

    passed_over_once()


async def most_turns_before_another(
    url: str, lanes: dict[tuple[int, int], tuple[int, int]], turns: Sequence[int]
) -> int:
    """The most turns that any lane had while another one was eligible and had none."""
    async with Redis.from_url(url) as client:
        await client.flushall()
        queue = await opened(client)
        left: dict[tuple[int, int], list[int]] = {}
        for n, (lane, (step, count)) in enumerate(lanes.items()):
            # Between two steps of serving, so that no lane becomes eligible at the very µs of another's turn.
            left[lane] = [NOW + step * 10 + 5] * count
            await queue.enqueue(*lane, [(n * 100 + i, due) for i, due in enumerate(left[lane])], now_us=NOW)
            await queue.configure_gate(lane[0], GateConfig(1, False, 0, 100), now_us=NOW)

        had: dict[tuple[int, int], Counter[tuple[int, int]]] = {lane: Counter() for lane in lanes}
        for step, count in enumerate(turns):
            now = NOW + step * 10
            offers = (await queue.due(count, now_us=now)).offers[:1]
            for offer in offers:
                lane = (offer.mailbox, offer.campaign)
                await queue.claim(1, LEASE, [Grant(*lane, count)], now_us=now)
                del left[lane][:count]
                had[lane].clear()
                for other in lanes.keys() - {lane}:
                    had[other][lane] += bool(left[other]) and left[other][0] <= now
        return max((count for counter in had.values() for count in counter.values()), default=0)


async def serve_first(queue: Queue, slots: int, now_us: int) -> list[int]:
    """One turn of the first lane that is offered, settled at once."""
    offer = (await queue.due(slots, now_us=now_us)).offers[0]
    claimed = await queue.claim(1, LEASE, [Grant(offer.mailbox, offer.campaign, offer.count)], now_us=now_us)
    await queue.settle([Settled(claim.mailbox, claim.message, 1) for claim in claimed], now_us=now_us)
    return [claim.message for claim in claimed]
