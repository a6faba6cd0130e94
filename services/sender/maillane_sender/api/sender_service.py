"""What operators and the gateway ask of a sender."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from maillane.sender.v1 import sender_service_pb2 as pb
from maillane.sender.v1.sender_service_pb2_grpc import SenderServiceServicer
from maillane_chassis.errors import InvalidArgument, Violation
from maillane_chassis.violations import Violations

from maillane_sender.smtp import ConnectStage, Security, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from maillane_sender.dispatch import Dispatch, SchedulerClient
    from maillane_sender.smtp import Pool, VerifyResult

Context = grpc.aio.ServicerContext[Any, Any]

MAX_DRAIN: Final = timedelta(seconds=60)
MAX_HOST_CHARS: Final = 253
MAX_USERNAME_CHARS: Final = 320
MAX_PASSWORD_CHARS: Final = 1024
MAX_REPLY_CHARS: Final = 512

_SECURITIES: Final = {
    pb.SECURITY_TLS: Security.TLS,
    pb.SECURITY_STARTTLS: Security.STARTTLS,
    pb.SECURITY_NONE: Security.NONE,
}
_STEPS: Final = {
    ConnectStage.RESOLVE: pb.STEP_RESOLVE,
    ConnectStage.CONNECT: pb.STEP_CONNECT,
    ConnectStage.TLS: pb.STEP_TLS,
    ConnectStage.EHLO: pb.STEP_HELLO,
    ConnectStage.AUTH: pb.STEP_AUTH,
}
_REFUSED: Final = {
    ConnectStage.CONNECT: "the server takes no connection now",
    ConnectStage.TLS: "the server refused to encrypt",
    ConnectStage.EHLO: "the server refused to talk to this host",
    ConnectStage.AUTH: "the server refused the user name or password",
}
"""In words, where the server's own answer stands beside them."""


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
        *,
        start_time: datetime,
        drain_s: float,
        on_drain: Callable[[], None],
    ) -> None:
        self._dispatch = dispatch
        self._scheduler = scheduler
        self._pool = pool
        self._start_time = Timestamp()
        self._start_time.FromDatetime(start_time)
        self._drain_s = drain_s
        self._on_drain = on_drain

    async def VerifyMailbox(self, request: pb.VerifyMailboxRequest, context: Context) -> pb.VerifyMailboxResponse:
        result = await self._pool.verify(_transport(request))
        if result.failed is ConnectStage.REFUSED:
            raise InvalidArgument([Violation("host", result.reason or "not allowed by this deployment")])
        return _verified(result)

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


def _transport(request: pb.VerifyMailboxRequest) -> Transport:
    violations = Violations()
    violations.text("host", request.host, low=1, high=MAX_HOST_CHARS)
    violations.integer("port", request.port, 1, 65535)
    violations.member("security", request.security, {value: pb.Security.Name(value) for value in _SECURITIES})
    violations.text("username", request.username, high=MAX_USERNAME_CHARS)
    violations.text("password", request.password, high=MAX_PASSWORD_CHARS)
    violations.raise_if_any()
    return Transport(
        host=request.host,
        port=request.port,
        security=_SECURITIES[request.security],
        username=request.username,
        password=request.password,
        # Verifying uses a connection of its own: these concern only what is reused.
        mailbox_id="",
        revision=0,
        max_connections=1,
    )


def _verified(result: VerifyResult) -> pb.VerifyMailboxResponse:
    if result.failed is None:
        return pb.VerifyMailboxResponse(verified=True)
    reason, reply = result.reason or "", ""
    if result.code is not None:
        reason, reply = _REFUSED.get(result.failed, reason), reason[:MAX_REPLY_CHARS]
    return pb.VerifyMailboxResponse(failed_step=_STEPS[result.failed], reason=reason, reply=reply)
