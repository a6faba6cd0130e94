"""The composition root: what the scheduler is made of, and its life."""

import asyncio
import time
from collections.abc import Collection
from types import ModuleType, TracebackType
from typing import Self, cast

import structlog
from google.protobuf.descriptor import ServiceDescriptor
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceStub
from maillane.scheduler.v1 import audit_service_pb2 as audit_pb
from maillane.scheduler.v1 import audit_service_pb2_grpc as audit_grpc
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import campaign_service_pb2_grpc as campaign_grpc
from maillane.scheduler.v1 import dispatch_service_pb2 as dispatch_pb
from maillane.scheduler.v1 import dispatch_service_pb2_grpc as dispatch_grpc
from maillane.scheduler.v1 import identity_service_pb2 as identity_pb
from maillane.scheduler.v1 import identity_service_pb2_grpc as identity_grpc
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1 import mailbox_service_pb2_grpc as mailbox_grpc
from maillane.scheduler.v1 import message_service_pb2 as message_pb
from maillane.scheduler.v1 import message_service_pb2_grpc as message_grpc
from maillane.scheduler.v1 import overview_service_pb2 as overview_pb
from maillane.scheduler.v1 import overview_service_pb2_grpc as overview_grpc
from maillane.scheduler.v1 import suppression_service_pb2 as suppression_pb
from maillane.scheduler.v1 import suppression_service_pb2_grpc as suppression_grpc
from maillane_chassis.channel import open_channel
from maillane_chassis.errors import Failure
from maillane_chassis.metrics import serve_metrics
from maillane_chassis.server import Registration, Server

from maillane_scheduler.api.audit_service import AuditService
from maillane_scheduler.api.authenticator import Authenticator
from maillane_scheduler.api.campaign_service import CampaignService
from maillane_scheduler.api.dispatch_service import DispatchService
from maillane_scheduler.api.identity_service import IdentityService
from maillane_scheduler.api.mailbox_service import MailboxService
from maillane_scheduler.api.message_service import MessageService
from maillane_scheduler.api.overview_service import OverviewService
from maillane_scheduler.api.suppression_service import SuppressionService
from maillane_scheduler.dispatch.dispatcher import Dispatcher
from maillane_scheduler.dispatch.limiter import Limiter
from maillane_scheduler.dispatch.meter import Meter
from maillane_scheduler.dispatch.refuser import Refuser
from maillane_scheduler.dispatch.settler import Settler
from maillane_scheduler.dispatch.terms import Limits
from maillane_scheduler.errors import postgres_away, translate
from maillane_scheduler.mailbox import Catcher
from maillane_scheduler.outlook import Outlooks
from maillane_scheduler.queue.connection import open_client
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.resender import Resender
from maillane_scheduler.sealing import Sealer
from maillane_scheduler.session import SessionLimits
from maillane_scheduler.settings import Settings
from maillane_scheduler.store.engine import answers, dispatch_pool, open_engine, ping
from maillane_scheduler.store.releases import Backoff
from maillane_scheduler.sweeper import SEEN_S, Sweeper
from maillane_scheduler.sync.generation import Generation
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.unsubscribe_link import UnsubscribeLinks
from maillane_scheduler.validation.mailboxes import MailboxRules
from maillane_scheduler.waker import Waker

log = structlog.get_logger()

# The longest wait that a claim may ask for, and time to answer.
CLAIM_DEADLINE_S = 75.0
# Health follows the stores, looked at so often.
READY_EVERY_S = 1.0
READY_WITHIN_S = 2.0
# Where other looks say that Redis answers, its clock is looked at this often.
CLOCK_EVERY_S = 5.0
# What was cancelled ends within milliseconds, unless it did not hear of it.
CANCEL_AGAIN_S = 0.5
# For a connection made anew, on a server that is busy.
ANSWERS_WITHIN_S = 0.8


class Scheduler:
    """All parts of one scheduler process, wired; a context manager that opens and closes them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        url = settings.postgres_url.get_secret_value()
        self.engine = open_engine(url, settings.api_connections)
        self.pool = dispatch_pool(url, settings.dispatch_connections)
        self.generation = Generation(self.engine)
        self.redis = open_client(settings.redis_url.get_secret_value(), self.generation.reached)
        self.queue = Queue(self.redis, recover=self.generation.find)
        self.waker = Waker()
        self.channel = open_channel(settings.ratelimit_target, settings)
        self.limits = Limits(settings.hour_s, settings.day_s, settings.window_parts, settings.max_per_hour)
        self.limiter = Limiter(RateLimitServiceStub(self.channel), self.engine, self.limits)
        self.sync = Sync(self.queue, self.pool, self.engine, self.waker)
        self.settler = self._settler()
        self.dispatcher = Dispatcher(
            self.queue,
            self.pool,
            self.limiter,
            self.settler,
            Refuser(self.queue, self.pool, self.sync),
            self.waker,
            lease_s=settings.lease_s,
            cycles=settings.dispatch_connections,
        )
        self._look: asyncio.Task[None] | None = None
        # When the clock of the queue's Redis was last looked at, on the monotonic clock.
        self._clock_at = float("-inf")
        self.session_limits = SessionLimits(settings.session_idle_s, settings.session_most_s)
        self.links = UnsubscribeLinks(settings.sealing_key, settings.public_url)
        meter = Meter(RateLimitServiceStub(self.channel), self.limits, self.limiter.restore_lost)
        self.outlooks = Outlooks(self.engine, self.queue, meter)
        self.overviews = OverviewService(self.engine, self.outlooks)
        self.campaigns = CampaignService(self.engine, self.sync, self.links, self.outlooks)
        self.resender = Resender(
            self.engine, self.sync, wait_s=settings.resend_wait_s, most_attempts=settings.max_attempts
        )
        self.sweeper = Sweeper(
            self.engine, self.pool, self.queue, self.sync, self.settler, self.generation, self.resender
        )

    async def __aenter__(self) -> Self:
        # Not waited for: Postgres may come later than we do.
        await self.pool.open(wait=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.dispatcher.close()
        await self.sync.close()
        await self.channel.close()
        await self.pool.close()
        await self.redis.aclose()
        await self.engine.dispose()

    async def serve(self, stop: asyncio.Event) -> None:
        """Serves until the event is set, then finishes what was begun."""
        self.server = self._server()
        async with serve_metrics(self.settings):
            await self.server.start()
            log.info("listening", port=self.server.port)
            tasks = [
                asyncio.create_task(work)
                for work in (
                    self.sweeper.run(),
                    self.waker.keep_looking(self._is_due),
                    self._hear_wakes(),
                    self._follow_stores(),
                )
            ]
            await stop.wait()
            self.server.set_serving(False)
            self.dispatcher.stop()
            self.campaigns.end_watches()
            self.overviews.end_watches()
            await self.server.stop(self.settings.drain_s)
            await end(tasks)

    async def _hear_wakes(self) -> None:
        """Hints from other schedulers; what is missed, the look each second finds."""
        while True:
            try:
                async for _ in self.queue.wakes():
                    self.waker.wake()
            except Exception as error:  # noqa: BLE001 - hints only: heard again when Redis is back
                log.debug("wakes_lost", error=type(error).__name__)
                await asyncio.sleep(READY_EVERY_S)

    async def _is_due(self, within_s: float) -> bool:
        """Whether anything may be due within so many seconds: one command, where a poll's own look takes five."""
        try:
            first_us = await self.queue.first_us()
        except Exception as error:  # noqa: BLE001 - a poll finds out, and tells its sender
            log.debug("look_failed", error=type(error).__name__)
            return True
        if first_us is None:
            # Nothing waits for time, or the queue is lost: a poll's look finds that.
            return True
        self.sweeper.seen_at = time.monotonic()
        now_s = self.sweeper.queue_clock.at_most(self.sweeper.seen_at)
        return now_s is None or first_us / 1_000_000 <= now_s + within_s

    async def _follow_stores(self) -> None:
        """Health says SERVING while Postgres and Redis answer."""
        serving = None
        while True:
            ready = await self._stores_answer()
            if ready != serving:
                log.info("health", serving=ready)
                self.server.set_serving(ready)
                serving = ready
            await asyncio.sleep(READY_EVERY_S)

    async def _stores_answer(self) -> bool:
        # Not cancelled: what waits for a server that hangs cannot be, and the next look goes on with it.
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._ping_stores())
        await asyncio.wait({self._look}, timeout=READY_WITHIN_S)
        return self._look.done() and not self._look.cancelled() and self._look.exception() is None

    async def _ping_stores(self) -> None:
        await ping(self.engine)
        now = time.monotonic()
        if now - self.sweeper.seen_at > SEEN_S or now - self._clock_at > CLOCK_EVERY_S:
            await self.sweeper.look_at_queue()
            self._clock_at = now

    async def _what_hangs(self) -> Failure | None:
        # Redis has a limit on each answer of its own.
        if await answers(self.settings.postgres_url.get_secret_value(), ANSWERS_WITHIN_S):
            return None
        return postgres_away()

    def _settler(self) -> Settler:
        settings = self.settings
        return Settler(
            self.queue,
            self.pool,
            self.limiter,
            self.sync,
            self.waker,
            retry=Backoff(settings.retry_first_s, settings.retry_most_s, settings.max_attempts),
            rest=(settings.backoff_first_s, settings.backoff_most_s),
            most_rejections=settings.max_rejections,
        )

    def _server(self) -> Server:
        settings, sealer = self.settings, Sealer(self.settings.sealing_key)
        mailbox_rules = MailboxRules(
            default_hourly_limit=settings.max_per_hour_per_mailbox,
            default_min_gap_us=int(settings.min_gap_s * 1_000_000),
            extra_ports=settings.extra_ports,
            allow_plaintext=settings.smtp_allow_plaintext,
            allow_private=settings.smtp_allow_private,
        )
        catcher = Catcher.at(settings.catcher, settings.catcher_url)
        dispatch = DispatchService(
            self.dispatcher, self.settler, self.pool, sealer.open, self.links, lease_s=settings.lease_s
        )
        return Server(
            settings,
            settings.scheduler_port,
            [
                Registration(
                    _service(campaign_pb), campaign_grpc.add_CampaignServiceServicer_to_server, self.campaigns
                ),
                Registration(
                    _service(mailbox_pb),
                    mailbox_grpc.add_MailboxServiceServicer_to_server,
                    MailboxService(self.engine, self.sync, sealer, mailbox_rules, catcher),
                ),
                Registration(
                    _service(message_pb),
                    message_grpc.add_MessageServiceServicer_to_server,
                    MessageService(self.engine, self.sync, self.outlooks, resend_wait_s=settings.resend_wait_s),
                ),
                Registration(
                    _service(overview_pb), overview_grpc.add_OverviewServiceServicer_to_server, self.overviews
                ),
                Registration(
                    _service(suppression_pb),
                    suppression_grpc.add_SuppressionServiceServicer_to_server,
                    SuppressionService(self.engine, self.links),
                ),
                Registration(
                    _service(identity_pb),
                    identity_grpc.add_IdentityServiceServicer_to_server,
                    IdentityService(self.engine, self.sync, self.session_limits, sign_up=settings.sign_up),
                ),
                Registration(
                    _service(audit_pb), audit_grpc.add_AuditServiceServicer_to_server, AuditService(self.engine)
                ),
                Registration(_service(dispatch_pb), dispatch_grpc.add_DispatchServiceServicer_to_server, dispatch),
            ],
            authenticate=Authenticator(self.engine, self.session_limits),
            translate=translate,
            deadlines_s={f"/{_service(dispatch_pb).full_name}/ClaimMessages": CLAIM_DEADLINE_S},
            probe=self._what_hangs,
            # Long polls, and what senders repeat by themselves.
            patient=[f"/{_service(dispatch_pb).full_name}/{name}" for name in _service(dispatch_pb).methods_by_name],
            quiet=[
                f"/{_service(dispatch_pb).full_name}/{name}"
                for name in ("ClaimMessages", "SettleMessages", "RenewClaims")
            ],
        )


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancels tasks, again and again, until all have ended; how they ended is of no matter.

    Once is not enough: before Python 3.12 a cancellation is lost that reaches `asyncio.wait_for` in the moment in which
    its future is done (python/cpython#81839), and libraries wait so, as psycopg's pool does for a connection.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)


def _service(module: ModuleType) -> ServiceDescriptor:
    """The one service that a file of the contract describes."""
    [service] = module.DESCRIPTOR.services_by_name.values()
    return cast(ServiceDescriptor, service)
