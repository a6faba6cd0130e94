"""Row 6: a store that hangs: it takes connections and does not answer."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import psutil
from google.rpc import error_details_pb2, status_pb2
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1.campaign_service_pb2_grpc import CampaignServiceStub
from maillane.scheduler.v1.mailbox_service_pb2_grpc import MailboxServiceStub

from .rig import Rig, addresses
from .scenario import Scenario, Trial

ANSWER_S = 2.0
MARGIN_S = 0.3
"""For the call's own way, on a machine of two cores on which everything else retries."""

CALLS_EVERY_S = 2.0

Call = Callable[[], Awaitable[Any]]


async def freeze(trial: Trial, store: str) -> None:
    """Calls that need it are refused in time and with a reason, and everything goes on once it is back."""
    frozen_s = trial.scaled(60, 3)
    async with trial.rig() as rig:
        boxes = [await rig.mailbox(address) for address in addresses(2)]
        campaign = await rig.campaign(boxes, trial.size, delay_s=0.05)
        await rig.sent(20)
        async with grpc.aio.insecure_channel(rig.system.urls["scheduler"]) as channel:
            await _look(trial, rig, store, frozen_s, _calls(channel, rig, campaign, boxes[0])[store])
        # Faster from here on: what was to be seen has been seen.
        drained = await rig.drained(within_s=trial.size * 0.05 + 60)
        found = await rig.reconcile()
    trial.measure(frozen_s=frozen_s)
    trial.must("everything has ended", drained)
    trial.safe(found)
    trial.must("resumes ≤ 5 s", trial.measured["resumed_s"] <= 5)
    answered = trial.measured["answered_s"]
    trial.must(f"UNAVAILABLE in ≤ {ANSWER_S} s: {answered} s", answered <= ANSWER_S + MARGIN_S)


async def _look(trial: Trial, rig: Rig, store: str, frozen_s: int, calls: dict[str, Call]) -> None:
    processes = _family(rig.system.pids[store])
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        until = time.monotonic() + frozen_s
        while time.monotonic() < until:
            for name, call in calls.items():
                await _refused(trial, name, call)
            await asyncio.sleep(CALLS_EVERY_S)
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
    trial.measure(resumed_s=await rig.sink.next_content(30))


async def _refused(trial: Trial, name: str, call: Call) -> None:
    begun = time.monotonic()
    try:
        await call()
    except grpc.aio.AioRpcError as error:
        trial.most(answered_s=time.monotonic() - begun)
        reason = _reason(error)
        trial.must(f"{name} is UNAVAILABLE: {error.code().name}", error.code() is grpc.StatusCode.UNAVAILABLE)
        trial.must(f"{name} says why: {error.details()}", bool(reason))
    else:
        trial.must(f"{name} is refused", False)


def _calls(channel: grpc.aio.Channel, rig: Rig, campaign: str, mailbox: str) -> dict[str, dict[str, Call]]:
    """Calls that each store must be there for, without a client's retries."""
    metadata = (("authorization", f"Bearer {rig.system.token}"),)
    campaigns, mailboxes = CampaignServiceStub(channel), MailboxServiceStub(channel)
    get = campaign_pb.GetCampaignRequest(campaign_id=campaign)
    resume = mailbox_pb.ResumeMailboxRequest(mailbox_id=mailbox)
    return {
        "postgres": {
            "GetCampaign": lambda: campaigns.GetCampaign(get, metadata=metadata, timeout=20),
            "ResumeMailbox": lambda: mailboxes.ResumeMailbox(resume, metadata=metadata, timeout=20),
        },
        # What Postgres alone knows is answered without Valkey.
        "valkey": {"ResumeMailbox": lambda: mailboxes.ResumeMailbox(resume, metadata=metadata, timeout=20)},
    }


def _reason(error: grpc.aio.AioRpcError) -> str:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            assert isinstance(value, bytes)
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return info.reason
    return ""


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


async def freeze_valkey(trial: Trial) -> None:
    """The queue and the counters."""
    await freeze(trial, "valkey")


async def freeze_postgres(trial: Trial) -> None:
    """The record."""
    await freeze(trial, "postgres")


MUST = "0 lost, 0 doubled; UNAVAILABLE with a reason in ≤ 2 s; resumes ≤ 5 s"
SCENARIOS = [
    Scenario(6, "Valkey stopped for 60 s", MUST, 3_000, 240, freeze_valkey, brief=0.03, takes_s=140),
    Scenario(6, "Postgres stopped for 60 s", MUST, 3_000, 240, freeze_postgres, brief=0.03, takes_s=140),
]
