"""RateLimitService."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceServicer

from maillane_ratelimit import validation
from maillane_ratelimit.api import messages

if TYPE_CHECKING:
    import grpc

    from maillane_ratelimit.limiter import Limiter

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class RateLimit(RateLimitServiceServicer):
    """Checks, asks the limiter, answers; errors are raised, and made statuses by the chassis."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    async def Reserve(self, request: pb.ReserveRequest, _context: _Context) -> pb.ReserveResponse:
        """Reserves permits for each ask."""
        validation.check_reserve(request)
        grants = await self._limiter.reserve(messages.to_asks(request))
        return pb.ReserveResponse(grants=map(messages.from_grant, grants))

    async def Refund(self, request: pb.RefundRequest, _context: _Context) -> pb.RefundResponse:
        """Gives permits back."""
        validation.check_refund(request)
        return pb.RefundResponse(refunded=await self._limiter.refund(messages.to_returns(request)))

    async def GetUsage(self, request: pb.GetUsageRequest, _context: _Context) -> pb.GetUsageResponse:
        """Tells what counts now."""
        validation.check_usage(request)
        usages = await self._limiter.usage(request.workspace_id, messages.to_counters(request))
        return pb.GetUsageResponse(usages=map(messages.from_usage, usages))

    async def Restore(self, request: pb.RestoreRequest, _context: _Context) -> pb.RestoreResponse:
        """Puts a workspace's counters in force under a new epoch."""
        validation.check_restore(request)
        restored, epoch = await self._limiter.restore(request.workspace_id, request.epoch, messages.to_counts(request))
        return pb.RestoreResponse(restored=restored, epoch=epoch)
