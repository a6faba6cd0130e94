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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maillane.scheduler.v1.dispatch_service_pb2_grpc import DispatchServiceStub

    from maillane_sender.dispatch.pace import Pace

_SERVICE: Final = "/maillane.scheduler.v1.DispatchService/"
IDEMPOTENT: Final = tuple(f"{_SERVICE}{name}" for name in ("RenewClaims", "GetTransport", "GetTemplate"))
"""What the channel may repeat by itself. Claims and settles are repeated here, for as long as it takes."""

LASTING_FAILURES: Final = 4
"""Failures in a row, after which a scheduler that is only starting, at the same time as we, would have answered."""

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

    async def settle(self, settles: Sequence[pb.Settle]) -> None:
        """Tells outcomes, again and again until they are confirmed. Repeating changes nothing at the scheduler."""
        request = pb.SettleMessagesRequest(sender_id=self.sender_id, incarnation=self.incarnation, settles=settles)
        for failures, pause_s in enumerate(self._pace.pauses()):
            try:
                await self._stub.SettleMessages(request, timeout=self._pace.answer_s)
            except grpc.aio.AioRpcError as error:
                log_failure("settle", error, failures)
                await asyncio.sleep(pause_s)
            else:
                return

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


def log_failure(call: str, error: grpc.aio.AioRpcError, failures: int) -> None:
    """Says that a call is repeated: as news when that begins, at warning once it lasts; the others for who debugs."""
    write = {0: _log.info, LASTING_FAILURES: _log.warning}.get(failures, _log.debug)
    write("scheduler_call_failed", call=call, code=error.code().name, details=error.details(), failures=failures + 1)


def _raise_if_replaced(error: grpc.aio.AioRpcError) -> None:
    # An AioRpcError has all that from_call asks of a call.
    status = rpc_status.from_call(cast("grpc.Call", error))
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info) and info.reason == "SENDER_REPLACED":
            raise Replaced from error
