"""Row 8: the disk is full, under Postgres; under Valkey."""

import asyncio
import time

import grpc
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane_local.errors import LocalError

from .chaos import Feeder
from .rig import Rig, addresses
from .scenario import Scenario, Trial
from .small_disk import small_disk

MEGABYTES = 400
RECOVERS_S = 30


async def fill(trial: Trial, store: str) -> None:
    """What is acknowledged meanwhile is kept, what is refused says why, and it goes on when there is space again."""
    with small_disk(trial.folder / "system1" / store, MEGABYTES) as disk:
        async with trial.rig() as rig:
            boxes = [await rig.mailbox(address) for address in addresses(4)]
            campaign = await rig.campaign(boxes, 500, delay_s=0.05)
            await rig.sent(50)
            reasons: set[str] = set()
            async with Feeder(rig, campaign, ahead=1_000):
                for _ in range(trial.scaled(3)):
                    disk.fill()
                    reasons |= await _watch(rig, campaign, boxes[0], full_s=trial.scaled(20, 5))
                    disk.empty()
                    trial.most(recovered_s=await _recovered(rig, store))
                    await asyncio.sleep(2)
            drained = await rig.drained(within_s=180)
            found = await rig.reconcile()
            trial.measure(refusals=", ".join(sorted(reasons)))
    trial.must("everything has ended", drained)
    trial.safe(found)
    clear = bool(reasons) and all(reason.startswith("UNAVAILABLE ") for reason in reasons)
    trial.must(f"refusals are UNAVAILABLE with a reason: {reasons}", clear)
    trial.must(f"recovers ≤ {RECOVERS_S} s", trial.measured["recovered_s"] <= RECOVERS_S)


async def _watch(rig: Rig, campaign: str, mailbox: str, full_s: float) -> set[str]:
    """Calls that write while the disk is full; returns how they are refused. What is taken counts as acknowledged."""
    reasons, until = set(), time.monotonic() + full_s

    async def add() -> None:
        rows = [{"email": f"full{time.monotonic_ns()}@c{campaign}.example", "n": 0}]
        taken = await rig.client.import_recipients(campaign, rows, timeout_s=10)
        rig.expected_more(campaign, taken.accepted)

    async def tell_the_queue() -> None:
        await rig.client.mailboxes.ResumeMailbox(mailbox_pb.ResumeMailboxRequest(mailbox_id=mailbox), timeout=10)

    while time.monotonic() < until:
        for call in (add, tell_the_queue):
            try:
                await call()
            except grpc.aio.AioRpcError as error:
                reasons.add(f"{error.code().name} {getattr(error, 'reason', '')}")
        await asyncio.sleep(0.2)
    return reasons


async def _recovered(rig: Rig, store: str) -> float:
    """Starts what has ended, as a supervisor does; returns how long it took until the next content."""
    begun = time.monotonic()
    while store in rig.system.dead():
        try:
            await rig.system.restart(store)
        except LocalError:
            await asyncio.sleep(0.5)
    await rig.sink.next_content(60)
    return time.monotonic() - begun


async def under_postgres(trial: Trial) -> None:
    """The record, and its log."""
    await fill(trial, "postgres")


async def under_valkey(trial: Trial) -> None:
    """The append-only file."""
    await fill(trial, "valkey")


MUST = "nothing acknowledged is lost, a clear error, recovery ≤ 30 s after space returns"
SCENARIOS = [
    Scenario(8, "disk full under Postgres", MUST, 3, 300, under_postgres, takes_s=100),
    Scenario(8, "disk full under Valkey", MUST, 3, 300, under_valkey, takes_s=100),
]
