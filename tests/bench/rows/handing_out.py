"""What the dispatch path does alone, with a played sender that sends nothing."""

import asyncio
import time
from itertools import pairwise
from typing import Final

from .. import limits
from ..limits import valkey
from ..peers.driver import bullmq, python_queue
from ..played_sender import PlayedSender
from ..rig import MAILBOXES, Rig, started
from ..row import Figures, Form, Goal, Line, Row, limit, ours, peer
from ..spread import percentile
from ..watch import commands, watched

WARM: Final = 400
ECHOED_BYTES: Final = 250
"""About what a message takes in an answer."""


async def _null(form: Form) -> Figures:
    """Everything is due, nothing is sent: one poll of 50, then two."""
    figures: Figures = {}
    async with started(form.tree) as rig:
        await warmed(rig)
        for in_flight in (50, 100):
            count = form.pick(40_000, 2_000)
            await rig.fill(count // MAILBOXES)
            sender = PlayedSender(rig.stub)
            before, begun = rig.cpu_s(), time.perf_counter()
            await asyncio.gather(*(sender.work(50, count) for _ in range(in_flight // 50)))
            elapsed = time.perf_counter() - begun
            used = sum(now - before[name] for name, now in rig.cpu_s().items())
            figures |= {f"per_s_{in_flight}": count / elapsed, f"cpu_us_{in_flight}": used / count * 1e6}
    return {**figures, "empty_per_s": figures["per_s_50"]}


async def _echo(form: Form) -> Figures:
    one, two = [await limits.echo(n, 50 * ECHOED_BYTES) for n in (1, 2)]
    return {"per_s_50": 50 * one[0], "per_s_100": 50 * two[0]}


async def _bullmq_null(form: Form) -> Figures:
    found = await _bullmq("empty", count=form.pick(20_000, 1_000))
    return {"empty_per_s": found["per_s"]}


async def _arq_null(form: Form) -> Figures:
    async with valkey() as (server, _):
        found = await python_queue("arq", server.url, form.pick(2_000, 300))
    return {"empty_per_s": found["per_s"]}


async def _procrastinate_null(form: Form) -> Figures:
    async with started() as rig:
        found = await python_queue("procrastinate", rig.database_url, form.pick(1_000, 200))
    return {"empty_per_s": found["per_s"]}


async def _lag(form: Form) -> Figures:
    """100 a second, from four mailboxes: from due to handed out."""
    count = form.pick(2_000, 200)
    async with started(form.tree) as rig:
        await warmed(rig)
        await rig.fill(count // MAILBOXES, start="3 s", every_us=MAILBOXES * 10_000)
        sender = PlayedSender(rig.stub)
        await asyncio.gather(*(sender.work(15, count, 5) for _ in range(2)))
        due = dict(rig.sql("SELECT id, extract(epoch FROM retry_time)::float8 FROM messages"))
    lags = [1000 * (at - due[message]) for at, message in sender.handed_out]
    return {"p50_ms": percentile(lags, 50), "p99_ms": percentile(lags, 99)}


async def _bullmq_lag(form: Form) -> Figures:
    return await _bullmq("lag", count=form.pick(2_000, 200), everyMs=10)


async def _burst(form: Form) -> Figures:
    """All due at one instant, with two polls of 50 waiting."""
    count = form.pick(5_000, 1_000)
    async with started(form.tree) as rig:
        await warmed(rig)
        campaign = await rig.fill(count // MAILBOXES, start="4 s")
        sender = PlayedSender(rig.stub)
        await asyncio.gather(*(sender.work(50, count, 10) for _ in range(2)))
        [(due,)] = rig.sql("SELECT extract(epoch FROM min(base))::float8 FROM lanes WHERE campaign_id = %s", campaign)
    return {"s": max(at for at, _ in sender.handed_out) - due}


async def _bullmq_burst(form: Form) -> Figures:
    return await _bullmq("burst", count=form.pick(5_000, 1_000))


async def _limit(form: Form) -> Figures:
    """Many messages in one mailbox meet a limit of 200."""
    async with started(form.tree) as rig:
        await warmed(rig)
        await rig.fill(form.pick(10_000, 1_000), hourly=200, mailboxes=1)
        sender = PlayedSender(rig.stub)
        with watched(rig.redis) as seen:
            await sender.work(10, 200)
            await sender.claim(10, 1)
        after = seen.from_first_park()
    ids = [message for _, message in sender.handed_out]
    return {"commands": len(after), "ms": seen.span_ms(after), "out_of_order": sum(a > b for a, b in pairwise(ids))}


async def _bullmq_limit(form: Form) -> Figures:
    return await _bullmq("limit", count=form.pick(10_000, 1_000), limit=200)


async def _idle(form: Form) -> Figures:
    """Everything is far ahead, one poll waits."""
    for_s, calm_s = form.pick(20, 2), form.pick(3, 1)
    async with started(form.tree) as rig:
        await rig.fill(form.pick(100_000, 2_000) // MAILBOXES, start="1 hour")
        sender = PlayedSender(rig.stub)
        poll = asyncio.create_task(sender.claim(10, calm_s + for_s + 1))
        await asyncio.sleep(calm_s)
        calls, cpu = commands(rig.redis), rig.cpu_s()
        await asyncio.sleep(for_s)
        # Less the look itself, on a connection that is there already.
        asked = commands(rig.redis) - calls - 1
        used = {name: 100 * (now - cpu[name]) / for_s for name, now in rig.cpu_s().items() if name != "sender"}
        await poll
    return {"commands_per_s": asked / for_s, "cpu_percent": max(used.values())}


async def warmed(rig: Rig) -> None:
    """Lets all processes have done once what is measured."""
    await rig.fill(WARM // MAILBOXES)
    await PlayedSender(rig.stub).work(50, WARM)


async def _bullmq(mode: str, **options: object) -> Figures:
    async with valkey() as (server, _):
        return await bullmq(mode, redis=server.url, **options)


NULL: Final = Row(
    "null",
    (
        Line("per_s_50", "claim → settle, nothing sent, 50 in flight", "/s", Goal(least=6000)),
        Line("per_s_100", "the same, 100 in flight", "/s", Goal(least=9000)),
        Line("cpu_us_50", "CPU of all processes for each, 50 in flight", "µs"),
        Line(
            "empty_per_s",
            "the same, 50 in flight, beside jobs that do nothing",
            "/s",
            peers_note="BullMQ and arq write to Redis alone; no peer checks limits or keeps attempts",
        ),
    ),
    (
        ours(_null),
        limit("gRPC echo of 50", _echo),
        peer("BullMQ", _bullmq_null),
        peer("arq", _arq_null),
        peer("procrastinate", _procrastinate_null),
    ),
    long_s=105,
)
LAG: Final = Row(
    "lag",
    (
        Line("p50_ms", "pick-up lag at 100/s for 20 s, median", "ms", Goal(most=5)),
        Line("p99_ms", "the same, 99th percentile", "ms", Goal(most=25)),
    ),
    (ours(_lag), peer("BullMQ", _bullmq_lag)),
    long_s=170,
)
BURST: Final = Row(
    "burst",
    (Line("s", "5,000 due at one instant: until all are handed out", "s", Goal(most=1.4)),),
    (ours(_burst), peer("BullMQ", _bullmq_burst)),
    long_s=60,
)
LIMIT: Final = Row(
    "limit",
    (
        Line("commands", "10,000 messages meet a limit of 200: Redis commands until quiet", "", Goal(most=50)),
        Line("ms", "the same: time until quiet", "ms", Goal(most=20)),
        Line("out_of_order", "the same: messages out of order", "", Goal(most=0)),
    ),
    (ours(_limit), peer("BullMQ", _bullmq_limit)),
    long_s=40,
)
IDLE: Final = Row(
    "idle",
    (
        Line("commands_per_s", "idle with 100,000 pending: Redis commands", "/s", Goal(most=2)),
        Line("cpu_percent", "the same: CPU of the busiest process", "%", Goal(most=1)),
    ),
    (ours(_idle),),
    long_s=90,
)
