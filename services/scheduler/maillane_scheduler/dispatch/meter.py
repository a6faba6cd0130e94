"""What is used of limits, as the limiter counts it: for people, and for forecasts. Nothing is reserved."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
import structlog
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceStub
from maillane_chassis.errors import Unavailable

from maillane_scheduler.dispatch.terms import Limits

log = structlog.get_logger()

# People look at it: what takes longer is left out.
CALL_S = 0.5
# For counters that were lost and are restored. Who looks does not wait longer; the restore goes on.
RESTORED_S = 1.5
# As the contract has it.
MOST_ALLOWANCES = 200


@dataclass(frozen=True, slots=True)
class Used:
    """Of one limit in its current window. `reset_time` None: not known."""

    used: int = 0
    reset_time: datetime | None = None


class Meter:
    """Reads counters.

    Args:
        restore: restores what a call missed, or raises Unavailable where that is not what is wrong (`Limiter`).
    """

    def __init__(
        self,
        stub: RateLimitServiceStub,
        limits: Limits,
        restore: Callable[[grpc.aio.AioRpcError, float], Awaitable[None]],
    ) -> None:
        self._stub = stub
        self.limits = limits
        self._restore = restore
        # Kept, or the loop may drop them half done.
        self._restores: set[asyncio.Task[None]] = set()

    async def read(self, workspace: int, asked: Sequence[tuple[pb.Scope.ValueType, str, bool]]) -> list[Used] | None:
        """What is used of the limits of (scope, id, whether of the day), in their order.

        Counters that were lost are restored: who has used up a limit reserves nothing for the rest of its window, so
        that nobody else would. None where the limiter does not answer, or a restore takes longer than RESTORED_S.
        """
        found: list[Used] = []
        for at in range(0, len(asked), MOST_ALLOWANCES):
            batch = [self._allowance(*which) for which in asked[at : at + MOST_ALLOWANCES]]
            request = pb.GetUsageRequest(workspace_id=str(workspace), allowances=batch)
            try:
                answer = await self._ask(request)
            except Unavailable as error:
                log.debug("usage_unknown", why=str(error))
                return None
            found += [Used(usage.used, usage.reset_time.ToDatetime(tzinfo=UTC)) for usage in answer.usages]
        return found

    async def _ask(self, request: pb.GetUsageRequest) -> pb.GetUsageResponse:
        asked_at = time.monotonic()
        try:
            return await self._stub.GetUsage(request, timeout=CALL_S)
        except grpc.aio.AioRpcError as error:
            await self._restored(error, asked_at)
        try:
            return await self._stub.GetUsage(request, timeout=CALL_S)
        except grpc.aio.AioRpcError as error:
            raise Unavailable("the limiter's counters were lost again") from error

    async def _restored(self, error: grpc.aio.AioRpcError, since: float) -> None:
        """Not cancelled: each restore that is begun makes permits void, so one that never ended would do harm."""
        task = asyncio.ensure_future(self._restore(error, since))
        self._restores.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=RESTORED_S)
        if not done:
            raise Unavailable("the limiter's counters are being restored")
        task.result()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._restores.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("restore_failed", why=str(error))

    def _allowance(self, scope: pb.Scope.ValueType, id_: str, is_day: bool) -> pb.Allowance:
        limits = self.limits
        window = limits.window(limits.day_s) if is_day else limits.window(limits.hour_s, limits.parts)
        # What it allows does not matter to what is used.
        return pb.Allowance(scope=scope, id=id_, window=window, limit=0)
