"""Row 15: clocks that are wrong, or jump: of our services; of one sender; of a store."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from .fleet import fleet
from .oracle import row_id
from .rig import Rig, addresses
from .scenario import Scenario, Trial
from .wrong_clock import inherited, wrong_clock

WINDOW_S = 15
LIMIT = 60
GAP_S = 0.1
EARLY_S = 1.0
JUMPS = ("+2h", "-1h", "+0", "-1h", "+1h", "+0")
"""An hour back and one forth are what summer time does to who reads local time."""

NONE: dict[str, Any] = {"LD_PRELOAD": ""}


async def services(trial: Trial) -> None:
    """All four of ours, which decide nothing by it."""
    with wrong_clock() as clock:
        clock.set(JUMPS[0])
        environment: dict[str, Any] = {"TZ": "Europe/Berlin", **clock.environment}
        async with trial.rig(hour_s=WINDOW_S, **environment) as rig:
            await _send(trial, rig)
            for jump in JUMPS[1:]:
                await asyncio.sleep(trial.scaled(10, 2))
                clock.set(jump)
            await _judge(trial, rig)


async def senders(trial: Trial) -> None:
    """Two, five minutes apart."""
    with wrong_clock() as clock:
        clock.set("+5m")
        async with trial.rig(hour_s=WINDOW_S) as rig, fleet(rig, 1, 2, hour_s=WINDOW_S, environment=clock.environment):
            await _send(trial, rig)
            await _judge(trial, rig)


async def store(trial: Trial, program: str) -> None:
    """It jumps, and comes back."""
    with wrong_clock() as clock, inherited(clock.environment, program):
        async with trial.rig(hour_s=WINDOW_S, **NONE) as rig:
            await _send(trial, rig)
            for jump in ("+2h", "-1h", "+0"):
                await asyncio.sleep(trial.scaled(10, 3))
                clock.set(jump)
            await asyncio.sleep(2)
            resumed = await rig.sink.next_content(WINDOW_S + 10)
            trial.measure(resumed_s=resumed)
            trial.must(f"it goes on once the clock is right: {resumed} s", resumed <= WINDOW_S)
            # What was handed out by a wrong clock counts in a window that never was.
            rig.limits.clear()
            await _judge(trial, rig, early=False)
            jumps = _told(rig)
    trial.measure(told=jumps)
    trial.must("the jump is seen and told", jumps > 0)


async def _send(trial: Trial, rig: Rig) -> None:
    """A campaign at its pace, that begins a moment from now; and one that a limit holds up."""
    boxes = [await rig.mailbox(address) for address in addresses(2)]
    limited = await rig.mailbox("limited@sender.example", hourly_limit=LIMIT)
    start = datetime.now(UTC) + timedelta(seconds=3)
    await rig.campaign(boxes, trial.size, delay_s=GAP_S, start_time=start)
    await rig.campaign([limited], trial.size // 4)
    await rig.sent(20)


async def _judge(trial: Trial, rig: Rig, *, early: bool = True) -> None:
    drained = await rig.drained(within_s=trial.size * GAP_S + WINDOW_S * (trial.size // 4 // LIMIT + 3) + 120)
    found = await rig.reconcile()
    earliest = await _earliest(rig)
    trial.measure(early_s=max(0.0, earliest))
    trial.must("everything has ended", drained)
    trial.safe(found)
    trial.must("0 unconfirmed", not found.unconfirmed)
    if early:
        trial.must(f"none early by more than {EARLY_S} s: {earliest}", earliest <= EARLY_S)


async def _earliest(rig: Rig) -> float:
    """By how much a content came before its due time, at most, by this machine's clock, which is right."""
    rows = await rig.oracle.ask(
        "SELECT m.id, extract(epoch FROM l.base)::float8 + m.ordinal * c.delay_us / 1e6 FROM messages m "
        "JOIN campaigns c ON c.id = m.campaign_id "
        "JOIN lanes l ON l.campaign_id = m.campaign_id AND l.mailbox_id = m.mailbox_id"
    )
    due = {int(row[0]): float(row[1]) for row in rows}
    return max(due[row_id(content.message_id)] - content.read_s for content in rig.sink.contents)


def _told(rig: Rig) -> int:
    """Lines of the scheduler's log about a clock that jumped."""
    log = rig.system.folder.path / "log" / "scheduler.log"
    return sum('"clock_jumped"' in line for line in log.read_text().splitlines())


async def valkey(trial: Trial) -> None:
    """What decides "due", and the window of a permit."""
    await store(trial, "valkey-server")


async def postgres(trial: Trial) -> None:
    """What decides leases."""
    await store(trial, "postgres")


OURS = "none early by more than 1 s, 0 doubled, limits held"
THEIRS = "0 doubled, nothing stuck after it comes back, the jump is seen and told"
SCENARIOS = [
    Scenario(15, "our services' clocks jump", OURS, 1_500, 240, services, takes_s=95),
    Scenario(15, "two senders five minutes apart", OURS, 800, 180, senders, takes_s=55),
    Scenario(15, "Valkey's clock jumps", THEIRS, 800, 240, valkey, takes_s=75),
    Scenario(15, "Postgres's clock jumps", THEIRS, 800, 240, postgres, takes_s=75),
]
