"""The dispatch path, measured: real stores, limiter and scheduler as processes, and a played sender that sends nothing.

    python -m tests.bench.dispatch [null50 null100 burst limit lag idle] [--tree NAME=PATH …] [--rounds N]

With several trees, their runs alternate: the speed of a machine drifts, and only such ratios say anything. Each line
shows the hypervisor's steal beside it.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

# Read when grpc is imported: its fork handlers now and then break a child before its exec.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import uvloop
from redis import Redis
from redis.client import Monitor

from .played_sender import PlayedSender
from .rig import MAILBOXES, Rig, started
from .steal import steal, steal_since

QUIET_S: Final = 0.4
MARKER: Final = "end-of-what-was-watched"


async def null(rig: Rig, polls: int, slots: int, count: int) -> str:
    """Claim and settle with everything due and nothing sent."""
    await rig.fill(count // MAILBOXES)
    sender = PlayedSender(rig.stub)
    before, start = rig.cpu_s(), time.perf_counter()
    await asyncio.gather(*(sender.work(slots, count) for _ in range(polls)))
    elapsed = time.perf_counter() - start
    used = {name: (cpu - before[name]) / count * 1e6 for name, cpu in rig.cpu_s().items()}
    split = ", ".join(f"{name} {cpu:.0f}" for name, cpu in used.items())
    return f"{count / elapsed:7.0f}/s   CPU µs a message: {sum(used.values()):.0f} ({split})"


async def burst(rig: Rig) -> str:
    """5,000 come due at one instant, with two polls of 50 waiting."""
    await rig.fill(5000 // MAILBOXES, start="4 s")
    sender = PlayedSender(rig.stub)
    await asyncio.gather(*(sender.work(50, 5000, 10) for _ in range(2)))
    [(first,)] = rig.sql("SELECT extract(epoch FROM min(base))::float8 FROM lanes")
    return f"all handed out {max(at for at, _ in sender.handed_out) - first:.3f} s after they were due"


async def limit(rig: Rig) -> str:
    """10,000 messages meet a limit of 200: what Redis is asked from the claim that meets it until it is quiet."""
    await rig.fill(10_000, hourly=200, mailboxes=1)
    sender = PlayedSender(rig.stub)
    await sender.work(10, 200)
    await asyncio.sleep(2)
    with rig.redis.monitor() as monitor:
        poll = asyncio.create_task(sender.claim(10, 1))
        await asyncio.sleep(QUIET_S)
        seen = list(_seen(rig.redis, monitor))
        await poll
    scripts = sum(event["command"].upper().startswith(("EVAL", "EVALSHA")) for event in seen)
    span_ms = (seen[-1]["time"] - seen[0]["time"]) * 1000 if seen else 0
    return (
        f"handed out {len(sender.handed_out)}; {len(seen)} Redis commands, {scripts} of them scripts, {span_ms:.1f} ms"
    )


async def lag(rig: Rig) -> str:
    """100 a second for 10 s: from due to handed out."""
    await rig.fill(250, start="3 s", every_us=40_000)
    sender = PlayedSender(rig.stub)
    await asyncio.gather(*(sender.work(15, 1000, 5) for _ in range(2)))
    due = dict(rig.sql("SELECT id, extract(epoch FROM retry_time)::float8 FROM messages"))
    lags = sorted(1000 * (at - due[message]) for at, message in sender.handed_out)
    return f"lag p50 {statistics.median(lags):.1f} ms, p99 {lags[len(lags) * 99 // 100]:.1f} ms, max {lags[-1]:.1f} ms"


async def idle(rig: Rig) -> str:
    """100,000 pending far ahead, one poll waiting: commands and CPU over 10 s."""
    await rig.fill(100_000 // MAILBOXES, start="1 hour")
    sender = PlayedSender(rig.stub)
    poll = asyncio.create_task(sender.claim(10, 15))
    await asyncio.sleep(3)
    calls, cpu = _calls(rig.redis), rig.cpu_s()
    await asyncio.sleep(10)
    commands = (_calls(rig.redis) - calls - 1) / 10
    used = ", ".join(f"{name} {(now - cpu[name]) * 10:.1f} %" for name, now in rig.cpu_s().items())
    await poll
    return f"{commands:.1f} Redis commands/s; CPU {used}"


WORKLOADS: Final = {
    "null10": lambda rig: null(rig, 1, 10, 10_000),
    "null30": lambda rig: null(rig, 2, 15, 20_000),
    "null50": lambda rig: null(rig, 1, 50, 40_000),
    "null100": lambda rig: null(rig, 2, 50, 40_000),
    "burst": burst,
    "limit": limit,
    "lag": lag,
    "idle": idle,
}


async def main() -> None:
    """Runs what was asked for."""
    options = argparse.ArgumentParser(prog="tests.bench.dispatch")
    options.add_argument("workloads", nargs="*", default=["null50", "null100", "burst", "limit", "lag", "idle"])
    options.add_argument("--tree", action="append", help="NAME=PATH of a checkout whose services are run")
    options.add_argument("--rounds", type=int, default=1)
    given = options.parse_args()
    trees = dict(tree.split("=", 1) for tree in given.tree or [f"here={Path(__file__).resolve().parents[2]}"])
    for workload in given.workloads:
        for _ in range(given.rounds):
            for name, path in trees.items():
                async with started(Path(path)) as rig:
                    before = steal()
                    found = await WORKLOADS[workload](rig)
                    print(f"{workload:8} {name:6} {found}   [steal {steal_since(before):.1f} %]", flush=True)


def _calls(redis: Redis) -> int:
    """Commands that the server has run, those of scripts included."""
    return sum(command["calls"] for command in redis.info("commandstats").values())


def _seen(redis: Redis, monitor: Monitor) -> Iterator[dict[str, Any]]:
    """What a monitor has seen by now, but for who looks at the server's clock each second."""
    redis.echo(MARKER)
    for event in monitor.listen():
        if MARKER in event["command"]:
            return
        if event["client_type"] == "lua" or event["command"].split()[0].upper() not in {"TIME", "INFO", "HMGET"}:
            yield event


if __name__ == "__main__":
    uvloop.run(main())
