"""The scheduler, as the sender calls it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import grpc
import structlog
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from maillane.scheduler.v1 import dispatch_service_pb2 as pb

from maillane_sender.metrics import SCHEDULER_FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from maillane.scheduler.v1.dispatch_service_pb2_grpc import DispatchServiceStub

    from maillane_sender.dispatch.pace import Pace

_SERVICE: Final = "/maillane.scheduler.v1.DispatchService/"
IDEMPOTENT: Final = tuple(f"{_SERVICE}{name}" for name in ("RenewClaims", "GetTransport", "GetTemplate"))
"""What the channel may repeat by itself. Claims and settles are repeated here, for as long as it takes."""

LASTING_FAILURES: Final = 4
"""Failures in a row, after which a scheduler that is only starting, at the same time as we, would have answered."""

_OVER_WHAT_WAS_TOLD: Final = frozenset(
    (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE)
)
"""Codes of a scheduler that is there, and fails over what it was given: the same again will hardly do."""

_log = structlog.get_logger(__name__)


class Replaced(Exception):
    """Another process has this sender's name: the scheduler takes no more claims from this one."""


class SchedulerClient:
    """Calls on behalf of one sender.

    Args:
        sender_id: its name.
        incarnation: of this process.
    """

    def __init__(self, stub: DispatchServiceStub, sender_id: str, incarnation: str, pace: Pace) -> None:
        self.sender_id = sender_id
        self.incarnation = incarnation
        self._stub = stub
        self._pace = pace

    async def claim(
        self, claim_id: int, slots: int, wait_s: float, settles: Sequence[pb.Settle]
    ) -> pb.ClaimMessagesResponse:
        """Asks once for messages.

        Raises:
            grpc.aio.AioRpcError: no answer. What was asked may have been done: ask again with the same claim id.
            Replaced: stop.
        """
        wait = Duration()
        wait.FromTimedelta(timedelta(seconds=wait_s))
        request = pb.ClaimMessagesRequest(
            sender_id=self.sender_id,
            incarnation=self.incarnation,
            claim_id=claim_id,
            slots=slots,
            wait=wait,
            settles=settles,
        )
        try:
            return await self._stub.ClaimMessages(request, timeout=wait_s + self._pace.answer_s)
        except grpc.aio.AioRpcError as error:
            _raise_if_replaced(error)
            raise

    async def settle(
        self, settles: Sequence[pb.Settle], told: Callable[[Sequence[pb.Settle]], None]
    ) -> Sequence[pb.Settle]:
        """Tells outcomes, again and again until they are confirmed. Repeating changes nothing at the scheduler.

        Where it fails over one of them, time and again, the others are told apart from that. `told` is called with what
        is confirmed, in as many parts as it takes.

        Returns what it fails over: nothing, unless it has a defect.
        """
        request = pb.SettleMessagesRequest(sender_id=self.sender_id, incarnation=self.incarnation, settles=settles)
        for failures, pause_s in enumerate(self._pace.pauses()):
            try:
                await self._stub.SettleMessages(request, timeout=self._pace.answer_s)
            except grpc.aio.AioRpcError as error:
                log_failure("settle", error, failures)
                if fails_over_what_was_told(error, failures):
                    return await self._settle_apart(settles, told)
                await asyncio.sleep(pause_s)
            else:
                told(settles)
                return ()
        raise AssertionError("unreachable")

    async def _settle_apart(
        self, settles: Sequence[pb.Settle], told: Callable[[Sequence[pb.Settle]], None]
    ) -> Sequence[pb.Settle]:
        if len(settles) == 1:
            return settles
        half = len(settles) // 2
        first, second = await asyncio.gather(self.settle(settles[:half], told), self.settle(settles[half:], told))
        return [*first, *second]

    async def renew(self, tokens: Sequence[int]) -> pb.RenewClaimsResponse:
        """Asks to go on holding what is held under these tokens.

        Raises:
            grpc.aio.AioRpcError: no answer.
            Replaced: stop.
        """
        request = pb.RenewClaimsRequest(sender_id=self.sender_id, incarnation=self.incarnation, tokens=tokens)
        try:
            return await self._stub.RenewClaims(request, timeout=self._pace.answer_s)
        except grpc.aio.AioRpcError as error:
            _raise_if_replaced(error)
            raise

    async def transport(self, mailbox_id: int) -> pb.GetTransportResponse:
        """How to reach a mailbox's server.

        Raises:
            grpc.aio.AioRpcError: no answer, or there is no such mailbox (any more).
        """
        return await self._stub.GetTransport(pb.GetTransportRequest(mailbox_id=mailbox_id), timeout=self._pace.answer_s)

    async def template(self, campaign_id: int) -> pb.GetTemplateResponse:
        """What a campaign's messages are made from.

        Raises:
            grpc.aio.AioRpcError: no answer, or there is no such campaign (any more).
        """
        return await self._stub.GetTemplate(pb.GetTemplateRequest(campaign_id=campaign_id), timeout=self._pace.answer_s)


def fails_over_what_was_told(error: grpc.aio.AioRpcError, failures: int) -> bool:
    """Whether a call that has failed so often before fails because of what is in it, as far as can be told."""
    return failures >= LASTING_FAILURES and error.code() in _OVER_WHAT_WAS_TOLD


def log_failure(call: str, error: grpc.aio.AioRpcError, failures: int) -> None:
    """Says that a call is repeated: as news when that begins, at warning while it lasts, less and less often.

    The others are for who debugs.
    """
    SCHEDULER_FAILURES.labels(call, error.code().name).inc()
    write = _log.debug if failures else _log.info
    # 4, 8, 16 …: a minute apart, then an hour.
    if failures >= LASTING_FAILURES and failures & (failures - 1) == 0:
        write = _log.warning
    write("scheduler_call_failed", call=call, code=error.code().name, details=error.details(), failures=failures + 1)


def _raise_if_replaced(error: grpc.aio.AioRpcError) -> None:
    # An AioRpcError has all that from_call asks of a call.
    status = rpc_status.from_call(cast("grpc.Call", error))
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info) and info.reason == "SENDER_REPLACED":
            raise Replaced from error
