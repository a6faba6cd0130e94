"""The queue and the counters on a real cluster of three primaries, which are killed, replaced and stopped.

Row 5 of docs/reliability.md in short; the long form is tests/faults/s05_cluster.py.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from os import kill
from signal import SIGCONT, SIGSTOP

import pytest
from maillane_chassis.errors import Unavailable
from maillane_ratelimit.counters import connection as counters_connection
from maillane_ratelimit.counters.counters import Counters, Demand
from maillane_ratelimit.permits import Allowance, Counter, Scope
from maillane_ratelimit.windows import Window
from maillane_scheduler.errors import translate
from maillane_scheduler.queue.connection import EvictsError
from redis.exceptions import RedisError
from support.valkey_cluster import ValkeyCluster

from .world import World, limiter_at, world

QUEUE = "q:{0}:sentinel"
ANSWER_S = 2.0
"""Within this a call answers, whatever hangs; a moment more for a machine that is busy."""

GOES_ON_S = 10.0


@pytest.fixture
async def here(database_url: str, valkey_cluster: ValkeyCluster) -> AsyncIterator[World]:
    """A tenant, a scheduler and a limiter over the cluster, emptied."""
    await valkey_cluster.empty()
    async with limiter_at(valkey_cluster.url) as target, world(database_url, valkey_cluster.url, target) as made:
        yield made


def counters(here: World) -> str:
    """The key by whose slot the tenant's counters are found."""
    return f"ratelimit:{{{here.workspace}}}:epoch"


async def claimed_all(here: World, slots: int) -> list[int]:
    """Claims until nothing comes, again and again while stores are away; every refusal says why, and soon.

    What is claimed is settled, so that nothing is held up by what is in flight.
    """
    until = time.monotonic() + GOES_ON_S
    found: list[int] = []
    more = True
    while more:
        assert time.monotonic() < until
        rows = await refused_or(claimed(here, slots))
        found += rows or []
        more = rows is None or bool(rows) or not found
    return found


async def claimed(here: World, slots: int) -> list[int]:
    await here.scheduler.sweeper.sweep()
    hand_out = await here.claim(slots)
    await here.settle(hand_out)
    return [row.message for row in hand_out.rows]


async def refused_or(call: Coroutine[None, None, list[int]]) -> list[int] | None:
    """What a call answers; None where it is refused as it must be: soon, and with a reason."""
    begun = time.monotonic()
    try:
        return await call
    except Exception as error:  # noqa: BLE001 - a store may fail in any way: how it is told is judged
        refusal = error if isinstance(error, Unavailable) else translate(error)
    # Of sweep and claim each may meet what hangs.
    assert time.monotonic() - begun < 2 * ANSWER_S + 1
    assert isinstance(refusal, Unavailable)
    return None


@pytest.mark.parametrize("held", ["queue", "counters"])
async def test_a_killed_primary_costs_seconds(here: World, valkey_cluster: ValkeyCluster, held: str) -> None:
    """Its replica takes over; nothing is handed out twice, nothing is lost, and the limit holds to the last permit."""
    here.campaign([here.mailbox(hourly=30)], 40)
    await here.sweep()
    first = await here.claim(12)
    generation = here.scheduler.queue.generation
    await here.settle(first)
    await valkey_cluster.kill(await valkey_cluster.primary_of(QUEUE if held == "queue" else counters(here)))

    rest = await claimed_all(here, 12)

    assert sorted([*(row.message for row in first.rows), *rest]) == sorted(
        row[0] for row in here.sql("SELECT id FROM messages ORDER BY id LIMIT 30")
    )
    assert held == "counters" or here.scheduler.queue.generation > generation


async def test_a_promotion_in_order_is_followed_at_once(here: World, valkey_cluster: ValkeyCluster) -> None:
    """Who asks the old primary is sent on, and what the new one holds is not trusted before it was loaded anew."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    generation = here.scheduler.queue.generation
    await valkey_cluster.fail_over(await valkey_cluster.primary_of(QUEUE))

    hand_out = await here.claim(5)
    await here.sweep()

    assert (len(hand_out.rows), here.scheduler.queue.generation) == (5, generation + 1)


async def test_a_server_that_is_primary_again_is_another_run(here: World, valkey_cluster: ValkeyCluster) -> None:
    """It never stopped, but what it holds came back to it from another server, which may have lagged."""
    first = await here.scheduler.queue.run_id()
    port = await valkey_cluster.primary_of(QUEUE)
    await valkey_cluster.fail_over(port)
    await valkey_cluster.whole()
    await valkey_cluster.fail_over(await valkey_cluster.primary_of(QUEUE))

    again = await here.scheduler.queue.run_id()

    assert (await valkey_cluster.primary_of(QUEUE), again.split("-")[0]) == (port, first.split("-")[0])
    assert again != first


async def test_a_primary_that_hangs_is_replaced(here: World, valkey_cluster: ValkeyCluster) -> None:
    """Calls answer soon, with a reason; its replica takes over, and that the old primary comes back harms nothing."""
    here.campaign([here.mailbox()], 10)
    await here.sweep()
    pid = valkey_cluster.nodes[await valkey_cluster.primary_of(QUEUE)].pid
    kill(pid, SIGSTOP)

    try:
        found = await claimed_all(here, 5)
    finally:
        kill(pid, SIGCONT)
    await valkey_cluster.whole()

    assert (len(found), len(set(found)), (await here.claim(5)).rows) == (10, 10, [])


async def test_counters_whose_slot_moves_are_away(valkey_cluster: ValkeyCluster) -> None:
    """Where it moves key by key, a script finds half of them: nothing is granted, and that is no fault of ours."""
    await valkey_cluster.empty()
    client = counters_connection.open_client(valkey_cluster.url)
    await Counters(client).restore("w", 1, [])
    window = Window(3_600_000_000, 0, 0)
    demand = Demand("r", 1, ((0, Allowance(Counter(Scope.MAILBOX, "m", window), 10)),))
    stay = await valkey_cluster.begin_to_move("ratelimit:{w}:epoch")

    with pytest.raises(RedisError) as failed:
        await Counters(client).reserve("w", [demand])
    await stay()
    [answer] = await Counters(client).reserve("w", [demand])
    await client.aclose()

    assert (type(counters_connection.translate(failed.value)), answer.granted) == (Unavailable, 1)


async def test_a_queue_whose_slot_moves_is_away(here: World, valkey_cluster: ValkeyCluster) -> None:
    """Nothing is read or written by halves: its keys are asked of who gets them, who must not answer yet."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    stay = await valkey_cluster.begin_to_move(QUEUE)

    refused = await refused_or(claimed(here, 5))
    await stay()

    assert (refused, len(await claimed_all(here, 5))) == (None, 5)


async def test_hints_reach_every_scheduler(here: World, database_url: str, valkey_cluster: ValkeyCluster) -> None:
    """What one puts into the queue wakes another, whichever node both speak to."""
    await here.sweep()
    async with world(database_url, valkey_cluster.url, "127.0.0.1:1") as other:
        await other.scheduler.queue.now_us()
        hints = other.scheduler.queue.wakes()
        await anext(hints)
        await here.scheduler.queue.enqueue(1, 1, [(1, 1)])

        async with asyncio.timeout(5):
            await anext(hints)


async def test_a_primary_that_evicts_is_refused(here: World, database_url: str, valkey_cluster: ValkeyCluster) -> None:
    """Before the first command on it: another node of the cluster may be set up well."""
    port = await valkey_cluster.primary_of(QUEUE)
    await valkey_cluster.command(port, "CONFIG SET", "maxmemory-policy", "allkeys-lru")

    try:
        async with world(database_url, valkey_cluster.url, "127.0.0.1:1") as other:
            with pytest.raises(EvictsError):
                await other.scheduler.queue.now_us()
    finally:
        await valkey_cluster.command(port, "CONFIG SET", "maxmemory-policy", "noeviction")
