"""What operators and the gateway ask of a sender."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from maillane.sender.v1 import sender_service_pb2 as pb
from maillane.sender.v1.sender_service_pb2_grpc import SenderServiceServicer
from maillane_chassis.access import identity
from maillane_chassis.errors import InvalidArgument, ResourceExhausted, Violation
from maillane_chassis.violations import Violations

from maillane_sender.api import verify_words
from maillane_sender.api.quota import Quota
from maillane_sender.api.verify_rules import fill, may_use_password, transport
from maillane_sender.smtp import Busy, ConnectStage

if TYPE_CHECKING:
    from collections.abc import Callable

    from maillane_chassis.access import Identity
    from maillane_chassis.clock import Clock

    from maillane_sender.api.callers import Callers
    from maillane_sender.dispatch import Dispatch, SchedulerClient
    from maillane_sender.smtp import Pool, Transport, Verifier

Context = grpc.aio.ServicerContext[Any, Any]

MAX_DRAIN: Final = timedelta(seconds=60)
MAX_VERIFICATIONS: Final = 20
VERIFICATIONS_PER_S: Final = 60.0
"""Of a workspace, in each sender process: a person tries a few passwords; more is a scan of somebody's ports."""

BUSY_RETRY_S: Final = 5.0


class SenderService(SenderServiceServicer):
    """Answers for one sender process.

    Args:
        drain_s: how long a drain waits that names no limit.
        on_drain: called when a drain begins.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        scheduler: SchedulerClient,
        pool: Pool,
        verifier: Verifier,
        callers: Callers,
        *,
        clock: Clock,
        drain_s: float,
        on_drain: Callable[[], None],
    ) -> None:
        self._dispatch = dispatch
        self._scheduler = scheduler
        self._pool = pool
        self._start_time = Timestamp()
        self._start_time.FromDatetime(clock.wall())
        self._verifier = verifier
        self._callers = callers
        self._clock = clock
        self._quota = Quota(MAX_VERIFICATIONS, VERIFICATIONS_PER_S)
        self._drain_s = drain_s
        self._on_drain = on_drain

    async def VerifyMailbox(self, request: pb.VerifyMailboxRequest, context: Context) -> pb.VerifyMailboxResponse:
        self._take(identity(context))
        transport = await self._transport(request, context)
        try:
            tried = await self._verifier.verify(transport)
        except Busy:
            raise _too_many("too many mailboxes are being verified", BUSY_RETRY_S) from None
        if tried.failed is ConnectStage.REFUSED:
            raise InvalidArgument([Violation("host", tried.reason or "not allowed by this deployment")])
        return verify_words.response(transport, tried)

    async def GetStatus(self, request: pb.GetStatusRequest, context: Context) -> pb.GetStatusResponse:
        return pb.GetStatusResponse(
            sender_id=self._scheduler.sender_id,
            incarnation=self._scheduler.incarnation,
            held=self._dispatch.held,
            sending=self._dispatch.sending,
            connections=self._pool.connections,
            draining=self._dispatch.draining,
            start_time=self._start_time,
        )

    async def Drain(self, request: pb.DrainRequest, context: Context) -> pb.DrainResponse:
        limit_s = self._drain_s
        if request.HasField("limit"):
            violations = Violations()
            limit_s = violations.duration("limit", request.limit, timedelta(0), MAX_DRAIN) / 1_000_000
            violations.raise_if_any()
        self._on_drain()
        drained = await self._dispatch.drain(limit_s)
        return pb.DrainResponse(returned=drained.returned, unanswered=drained.unanswered)

    def _take(self, caller: Identity) -> None:
        assert caller.workspace_id is not None
        wait_s = self._quota.take(caller.workspace_id, self._clock.monotonic())
        if wait_s:
            raise _too_many("your workspace has verified many mailboxes within a minute", wait_s)

    async def _transport(self, request: pb.VerifyMailboxRequest, context: Context) -> Transport:
        """What is to be tried: what is given, and what is not given as the mailbox that is named has it."""
        violations = Violations()
        asked = pb.VerifyMailboxRequest()
        asked.CopyFrom(request)
        if request.mailbox_id:
            violations.identifier("mailbox_id", request.mailbox_id)
            violations.raise_if_any()
            own = (await self._callers.mailbox(context, request.mailbox_id)).smtp
            fill(asked, own)
            if not asked.password and asked.username and own.has_password:
                if not may_use_password(asked, own):
                    violations.add("password", "must be given again: the host is another, or nothing protects it")
                violations.raise_if_any()
                asked.password = (await self._scheduler.transport(int(request.mailbox_id))).password
        return transport(violations, asked)


def _too_many(message: str, retry_after_s: float) -> ResourceExhausted:
    return ResourceExhausted(message, reason="TOO_MANY_VERIFICATIONS", retry_after_s=retry_after_s)
