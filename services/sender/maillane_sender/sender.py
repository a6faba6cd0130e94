"""The composition root: what the sender is made of, and its life."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import structlog
from maillane.scheduler.v1.dispatch_service_pb2_grpc import DispatchServiceStub
from maillane.sender.v1 import sender_service_pb2 as pb
from maillane.sender.v1.sender_service_pb2_grpc import add_SenderServiceServicer_to_server
from maillane_chassis.channel import open_channel
from maillane_chassis.clock import SYSTEM_CLOCK
from maillane_chassis.metrics import serve_metrics
from maillane_chassis.server import Registration, Server

from maillane_sender import metrics
from maillane_sender.api import callers
from maillane_sender.api.callers import Callers
from maillane_sender.api.sender_service import MAX_DRAIN, SenderService
from maillane_sender.dispatch import Dispatch, End, Pace, SchedulerClient
from maillane_sender.dispatch.dispatch import TELL_S
from maillane_sender.dispatch.scheduler_client import IDEMPOTENT
from maillane_sender.smtp import Connector, ConnectSettings, Pool, Verifier
from maillane_sender.smtp.verifier import VERIFY_S

if TYPE_CHECKING:
    from maillane_chassis.clock import Clock

    from maillane_sender.settings import Settings

GOODBYE_S: Final = 0.5
"""For QUIT to idle servers, and for calls that are open, at the end: politeness only."""

ANSWER_S: Final = 10.0
"""Beyond the limits of what a call does, for the scheduler and a machine that is busy."""

_SERVICE: Final = pb.DESCRIPTOR.services_by_name["SenderService"]
_INCARNATION_BYTES: Final = 12

log = structlog.get_logger()


class Sender:
    """All parts of one sender process, wired. Make it within the event loop."""

    def __init__(self, settings: Settings, *, pace: Pace | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self.settings = settings
        pace = pace or Pace()
        incarnation = secrets.token_hex(_INCARNATION_BYTES)
        self.channel = open_channel(settings.scheduler_target, settings, idempotent=(*IDEMPOTENT, *callers.IDEMPOTENT))
        self.scheduler = SchedulerClient(
            DispatchServiceStub(self.channel), settings.name(incarnation), incarnation, pace
        )
        smtp = ConnectSettings(
            guard=settings.guard,
            timeouts=settings.timeouts,
            plaintext_allowed=settings.smtp_allow_plaintext,
            ehlo_name=settings.smtp_ehlo_name,
        )
        # One TLS context for all: making one costs more than a handshake.
        tls = ssl.create_default_context()
        connector = Connector(smtp, tls)
        self.pool = Pool(connector, concurrency=settings.sender_concurrency)
        brief = replace(smtp.timeouts, connect_s=min(smtp.timeouts.connect_s, VERIFY_S))
        self.verifier = Verifier(Connector(replace(smtp, timeouts=brief), tls))
        self.callers = Callers(self.channel)
        self.dispatch = Dispatch(
            self.scheduler, self.pool, concurrency=settings.sender_concurrency, pace=pace, clock=clock
        )
        self.server = self._server(clock)
        self._watch_numbers()

    async def serve(self, stop: asyncio.Event) -> End | None:
        """Works until the event is set, then drains; returns why, where it stopped by itself."""
        log.info("starting", sender_id=self.scheduler.sender_id, incarnation=self.scheduler.incarnation)
        async with serve_metrics(self.settings):
            try:
                await self.server.start()
                log.info("listening", port=self.server.port)
                self.dispatch.start()
                self.server.set_serving(True)
                return await self._until(stop)
            finally:
                await self._close()

    async def _until(self, stop: asyncio.Event) -> End | None:
        stopped = asyncio.ensure_future(stop.wait())
        either: set[asyncio.Future[Any]] = {stopped, self.dispatch.ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        end = self.dispatch.ended.result() if self.dispatch.ended.done() else None
        if end is not None:
            log.error("ended", reason=end.value, sender_id=self.scheduler.sender_id)
        self.server.set_serving(False)
        drained = await self.dispatch.drain(self.settings.drain_s)
        write = log.error if drained.untold else log.info
        write("drained", returned=drained.returned, unanswered=drained.unanswered, untold=drained.untold)
        return end

    async def _close(self) -> None:
        await self.dispatch.close()
        await self.server.stop(GOODBYE_S)
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self.pool.close()
        except TimeoutError:
            log.info("goodbyes_not_answered")
        await self.channel.close()

    def _server(self, clock: Clock) -> Server:
        service = SenderService(
            self.dispatch,
            self.scheduler,
            self.pool,
            self.verifier,
            self.callers,
            clock=clock,
            drain_s=self.settings.drain_s,
            on_drain=lambda: self.server.set_serving(False),
        )
        return Server(
            self.settings,
            self.settings.sender_port,
            [Registration(_SERVICE, add_SenderServiceServicer_to_server, service)],
            deadlines_s={
                f"/{_SERVICE.full_name}/VerifyMailbox": VERIFY_S + ANSWER_S,
                f"/{_SERVICE.full_name}/Drain": MAX_DRAIN.total_seconds() + TELL_S + ANSWER_S,
            },
            authenticate=self.callers.identity,
        )

    def _watch_numbers(self) -> None:
        metrics.HELD.set_function(lambda: self.dispatch.held)
        metrics.SENDING.set_function(lambda: self.dispatch.sending)
        metrics.UNTOLD.set_function(lambda: self.dispatch.untold)
        metrics.CONNECTIONS.set_function(lambda: self.pool.connections)
