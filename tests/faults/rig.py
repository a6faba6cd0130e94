"""A system of a scenario's own, its sink, and a tenant that sends through it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from maillane.client import Client, connect
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane_local.settings import LocalSettings
from maillane_local.system import System
from maillane_scheduler.addresses import address_key
from pydantic import SecretStr

from .oracle import Findings, Limit, Oracle
from .sink import LOOPBACK, Sink

LOOK_S: Final = 0.2
AWAY: Final = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.ABORTED,
)
"""What a caller sees of a process that was killed in the middle of its call (UNKNOWN: its stream was reset)."""

FIRST_S: Final = 60.0
"""Until the first mail of a campaign leaves: far more than it takes, on a machine that does much else."""

_Result = TypeVar("_Result")


class Rig:
    """What a scenario works with. Campaigns made here, and their recipients, are what is reconciled."""

    def __init__(self, system: System, sink: Sink, client: Client) -> None:
        self.system = system
        self.sink = sink
        self.client = client
        self.oracle = Oracle(system.postgres_url)
        self.limits: list[Limit] = []
        # Recipients that were fed, by campaign, and those that were acknowledged beside them.
        self.expected: dict[int, int] = {}
        self.acknowledged: dict[int, int] = {}
        self.window_s = 3600

    async def mailbox(
        self,
        address: str,
        *,
        hourly_limit: int = 100_000,
        security: mailbox_pb.Security.ValueType = mailbox_pb.SECURITY_NONE,
        password: str = "",
        dkim: mailbox_pb.Dkim | None = None,
    ) -> str:
        """A mailbox whose server is the sink; returns its id. Its limit is judged at the end."""
        smtp = mailbox_pb.Smtp(host=LOOPBACK, port=self.sink.port, security=security)
        if security == mailbox_pb.SECURITY_STARTTLS:
            smtp.host = "localhost"
        if password:
            smtp.username, smtp.password = address, password
        box = mailbox_pb.Mailbox(address=address, smtp=smtp, hourly_limit=hourly_limit, dkim=dkim)
        made = await self.client.mailboxes.CreateMailbox(mailbox_pb.CreateMailboxRequest(mailbox=box))
        self.limits.append(Limit(address_key(address), hourly_limit, self.window_s))
        return made.mailbox.id

    async def campaign(
        self,
        mailboxes: list[str],
        count: int,
        *,
        delay_s: float = 0,
        hourly_limit: int | None = None,
        start: bool = True,
        start_time: datetime | None = None,
    ) -> str:
        """A campaign to `count` recipients, started; returns its id."""
        delay = Duration()
        delay.FromMicroseconds(int(delay_s * 1_000_000))
        campaign = campaign_pb.Campaign(
            name="faults",
            mailbox_ids=mailboxes,
            template=campaign_pb.Template(subject="No {{n}}", text="Dear {{name|friend}}, this is {{n}}."),
            delay=delay,
            hourly_limit=hourly_limit,
        )
        if start_time is not None:
            campaign.start_time.FromDatetime(start_time)
        made = await self.client.campaigns.CreateCampaign(campaign_pb.CreateCampaignRequest(campaign=campaign))
        found = made.campaign.id
        if hourly_limit is not None:
            self.limits.append(Limit(found, hourly_limit, self.window_s))
        self.expected[int(found)] = 0
        if count:
            await self.feed(found, count)
        if start:
            await self.start(found)
        return found

    async def start(self, campaign: str) -> None:
        """Starts a campaign."""
        await self.client.campaigns.StartCampaign(campaign_pb.StartCampaignRequest(campaign_id=campaign))

    async def delete(self, campaign: str) -> None:
        """Deletes a draft, which is not reconciled then."""
        del self.expected[int(campaign)]
        request = campaign_pb.DeleteCampaignRequest(campaign_id=campaign)
        await self.persist(lambda: self.client.campaigns.DeleteCampaign(request))

    async def imports_ended(self, campaign: str, within_s: float = 30) -> None:
        """Waits until no import of a campaign is open: one that was cut off is noticed a moment later.

        Raises:
            TimeoutError: one stays open.
        """
        async with asyncio.timeout(within_s):
            while await self.oracle.ask("SELECT 1 FROM imports WHERE campaign_id = %s", int(campaign)):
                await asyncio.sleep(LOOK_S / 4)

    async def feed(self, campaign: str, count: int, *, within_s: float = 120) -> None:
        """Adds so many more recipients. An import that is cut off is sent again, whole."""
        first = self.expected[int(campaign)] + 1
        rows = [{"email": f"r{n}@c{campaign}.example", "n": n} for n in range(first, first + count)]
        await self.persist(lambda: self.client.import_recipients(campaign, rows), within_s)
        self.expected[int(campaign)] += count

    def expected_more(self, campaign: str, accepted: int) -> None:
        """So many more recipients were acknowledged, beside those that were fed."""
        self.acknowledged[int(campaign)] = self.acknowledged.get(int(campaign), 0) + accepted

    async def persist(self, call: Callable[[], Awaitable[_Result]], within_s: float = 60) -> _Result:
        """Makes a call, and again while what it needs is away."""
        until = time.monotonic() + within_s
        while True:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                if error.code() not in AWAY or time.monotonic() > until:
                    raise
            await asyncio.sleep(LOOK_S)

    async def get(self, campaign: str) -> campaign_pb.Campaign:
        """A campaign as the API has it."""
        request = campaign_pb.GetCampaignRequest(campaign_id=campaign)
        return (await self.persist(lambda: self.client.campaigns.GetCampaign(request))).campaign

    async def open(self) -> int:
        """Messages of all campaigns that are pending or being sent."""
        counts = [(await self.get(str(campaign))).counts for campaign in self.expected]
        return sum(count.pending + count.sending for count in counts)

    async def drained(self, within_s: float) -> bool:
        """Waits until every campaign has ended; False where that took too long."""
        until = time.monotonic() + within_s
        ended = (campaign_pb.CAMPAIGN_STATE_COMPLETED, campaign_pb.CAMPAIGN_STATE_CANCELLED)
        waiting = list(self.expected)
        while waiting:
            if (await self.get(str(waiting[-1]))).state in ended:
                waiting.pop()
            elif time.monotonic() > until:
                return False
            else:
                await asyncio.sleep(LOOK_S)
        return True

    async def sent(self, at_least: int, within_s: float = FIRST_S) -> None:
        """Waits until the sink has accepted so many.

        Raises:
            TimeoutError: it has not, in time.
        """
        async with asyncio.timeout(within_s):
            while self.sink.accepted < at_least:
                await asyncio.sleep(LOOK_S)

    async def taken(self, at_least: int, within_s: float = FIRST_S) -> None:
        """Waits until the sink has taken so many contents, however it answered.

        Raises:
            TimeoutError: it has not, in time.
        """
        async with asyncio.timeout(within_s):
            while len(self.sink.contents) < at_least:
                await asyncio.sleep(LOOK_S / 4)

    async def quiet(self, within_s: float = 60) -> None:
        """Pauses all campaigns, and waits until nothing is being sent: then nothing moves under what is judged.

        Raises:
            TimeoutError: something is still being sent.
        """
        for campaign in map(str, self.expected):
            if (await self.get(campaign)).state == campaign_pb.CAMPAIGN_STATE_ACTIVE:
                request = campaign_pb.PauseCampaignRequest(campaign_id=campaign)
                await self.persist(partial(self.client.campaigns.PauseCampaign, request))
        async with asyncio.timeout(within_s):
            while any([(await self.get(str(campaign))).counts.sending for campaign in self.expected]):
                await asyncio.sleep(LOOK_S)

    async def resume(self) -> None:
        """Resumes what `quiet` has paused."""
        for campaign in map(str, self.expected):
            if (await self.get(campaign)).state == campaign_pb.CAMPAIGN_STATE_PAUSED:
                request = campaign_pb.ResumeCampaignRequest(campaign_id=campaign)
                await self.persist(partial(self.client.campaigns.ResumeCampaign, request))

    async def reconcile(self, *, may_wait: bool = False) -> Findings:
        """Sink, Postgres and API against one another."""
        expected = {campaign: fed + self.acknowledged.get(campaign, 0) for campaign, fed in self.expected.items()}
        return await self.oracle.reconcile(list(self.sink.contents), expected, limits=self.limits, may_wait=may_wait)

    def killed(self) -> str:
        """Of what died by itself, what and how; empty where nothing did."""
        return ", ".join(f"{name} ({code})" for name, code in self.system.dead().items())


@asynccontextmanager
async def rig(folder: Path, seed: int, settings: dict[str, Any], sink: Sink | None = None) -> AsyncIterator[Rig]:
    """Starts a sink and a system on free ports. `settings` are the services', without their prefix.

    Names that are not in lower case are environment variables as they stand. With `redis_url` there is no Valkey of the
    system's own.
    """
    async with AsyncExitStack() as stack:
        sink = stack.enter_context(sink or Sink(seed))
        local = LocalSettings.on_free_ports(folder)
        if url := settings.pop("redis_url", None):
            local = local.model_copy(update={"redis_url": SecretStr(url)})
        environment = {
            f"MAILLANE_{name.upper()}" if name.islower() else name: str(value) for name, value in settings.items()
        }
        environment["MAILLANE_SMTP_PORTS"] = str(sink.port)
        system = await stack.enter_async_context(System(folder, environment, settings=local))
        client = await stack.enter_async_context(connect(system.urls["scheduler"], system.token))
        made = Rig(system, sink, client)
        made.window_s = int(settings.get("hour_s", 3600))
        yield made


def addresses(count: int) -> Iterable[str]:
    """Mailboxes' addresses: m1@sender.example and on."""
    return [f"m{n}@sender.example" for n in range(1, count + 1)]
