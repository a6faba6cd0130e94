"""The limiter, as dispatch sees it: permits for lanes, refunds, and counters restored when they are lost."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

import grpc
import structlog
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceStub
from maillane_chassis.errors import Unavailable
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.dispatch import restored
from maillane_scheduler.dispatch.terms import Limits
from maillane_scheduler.store import epochs
from maillane_scheduler.store.claims import Permit
from maillane_scheduler.store.lanes import Terms

log = structlog.get_logger()

T = TypeVar("T")

# The limiter answers in a millisecond or two; what takes longer is down, and its callers repeat.
CALL_S = 2.0
# A restore is rare, and long where much was handed out: the limiter gives it 8 s.
RESTORE_S = 10.0
# Reserve, restore, and the same once more where the restore turns out to be an old one: further losses are left to the
# next call.
RESERVE_TRIES = 3
# A restore that is refused names the epoch in force; the next one, above that, is refused only if another was faster.
RESTORE_TRIES = 2
# A permit is not used in its last moments, for the way to Postgres takes time as well.
MARGIN_S = 0.05
DEPLOYMENT_WORKSPACE = "_deployment"
LOST = "COUNTERS_LOST"
REFUND_BATCH = 1_000
# Of which it is known when they were restored, and under which epoch. What is forgotten costs a call, or a restore.
MOST_WORKSPACES = 10_000
# Asks in one call, as the contract has it.
MOST_ASKS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Permits that a lane could use."""

    terms: Terms
    count: int
    # Beyond those, where its limits hold many more.
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a lane got less than it wanted.

    Attributes:
        whole_mailbox: the tightest limit holds the mailbox, not only the lane.
        wait_us: from when it was asked for until there is more: a duration, for the limiter's clock is its own.
        detail: which limit, in words.
        of_deployment: it is the deployment's cap.
    """

    whole_mailbox: bool
    wait_us: int
    detail: str
    of_deployment: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """Permits for a lane, as of when they were asked for.

    Attributes:
        good_until: by this process's monotonic clock, in seconds, on the safe side.
    """

    terms: Terms
    count: int
    reservation_id: str
    reserve_time: datetime
    good_until: float
    epoch: int
    deployment_epoch: int | None
    shortage: Shortage | None

    @property
    def epochs(self) -> dict[str, int]:
        """The epochs that it is good in, by workspace as the limiter names it."""
        found = {str(self.terms.workspace): self.epoch}
        if self.deployment_epoch is not None:
            found[DEPLOYMENT_WORKSPACE] = self.deployment_epoch
        return found

    def permit(self, now: float) -> Permit:
        """As the compare-and-set takes it; `now` is this process's monotonic clock."""
        terms = self.terms
        return Permit(
            campaign=terms.campaign,
            mailbox=terms.mailbox,
            workspace=terms.workspace,
            address_key=terms.address_key,
            reservation_id=self.reservation_id,
            reserve_time=self.reserve_time,
            remaining_s=self.good_until - now,
            epoch=self.epoch,
            deployment_epoch=self.deployment_epoch,
            campaign_revision=terms.campaign_revision,
            mailbox_revision=terms.mailbox_revision,
        )


@dataclass(frozen=True, slots=True)
class Return:
    """Permits of a reservation that were not used, under a name of their own within it."""

    workspace: int
    reservation_id: str
    refund_id: str
    permits: int


class Limiter:
    """Speaks to the ratelimit service."""

    def __init__(self, stub: RateLimitServiceStub, engine: AsyncEngine, limits: Limits) -> None:
        self._stub = stub
        self._engine = engine
        self._limits = limits
        self._restoring = asyncio.Lock()
        # By workspace: when this process last restored it (by its monotonic clock), and an epoch that Postgres has had.
        self._restored_at: dict[str, float] = {}
        self._raised: dict[str, int] = {}

    async def reserve(self, name: str, wanted: Sequence[Wanted]) -> list[Granted]:
        """Reserves permits for lanes, under reservations that are named after `name`; answers in their order.

        The count of a grant includes what was granted ahead. Counters that are lost are restored first.

        Args:
            wanted: at most MOST_ASKS.

        Raises:
            Unavailable: the limiter does not answer, or could not be restored. Nothing is to be sent.
        """
        request = pb.ReserveRequest(
            asks=[
                pb.Ask(
                    reservation_id=f"{name}-{place}",
                    workspace_id=str(want.terms.workspace),
                    wanted=want.count,
                    ahead=want.ahead,
                    allowances=self._limits.allowances(want.terms),
                )
                for place, want in enumerate(wanted)
            ]
        )
        # Before the first call: whatever it takes only shortens the permits. An ask that was granted by a call that
        # failed for another ask is answered with that very grant by the next.
        asked_at = time.monotonic()
        for _ in range(RESERVE_TRIES):
            called_at = time.monotonic()
            try:
                answer = await self._stub.Reserve(request, timeout=CALL_S)
            except grpc.aio.AioRpcError as error:
                await self.restore_lost(error, called_at)
                continue
            pairs = zip(request.asks, answer.grants, wanted, strict=True)
            granted = [self._granted(ask, grant, want, asked_at) for ask, grant, want in pairs]
            if behind := self._behind(granted):
                await self._restore_all(behind, called_at)
                continue
            return granted
        raise Unavailable("the limiter's counters were lost again", reason=LOST, retry_after_s=1)

    async def restore_lost(self, error: grpc.aio.AioRpcError, since: float) -> None:
        """Restores the counters that a call missed, unless this process did so since `since` (monotonic).

        Raises:
            Unavailable: that is not what is wrong, or they could not be restored.
        """
        await self._restore_all(_lost_workspaces(error), since)

    async def compare_epochs(self, granted: Sequence[Granted]) -> None:
        """Sees what made permits void that were refused: call it before the next are reserved.

        Where Postgres's epoch is the later one, the limiter may never hear of it, for whoever raised it may have died
        before it restored the counters: the next Reserve finds out. Where it is the earlier one, Postgres has lost it
        (it came back from a backup), and the counters are restored at once, under one above the limiter's.

        Raises:
            Unavailable: the counters could not be restored.
        """
        began = time.monotonic()
        held = {name: epoch for grant in granted for name, epoch in grant.epochs.items()}
        current = await epochs.current(self._engine, [_key(name) for name in held])
        for name in held:
            _keep(self._raised, name, current.get(_key(name), 0))
        await self._restore_all([name for name, epoch in held.items() if current.get(_key(name), 0) < epoch], began)

    async def has_room(self, terms: Terms) -> bool:
        """Whether every limit that holds for a lane has a permit left. Reserves nothing."""
        allowances = self._limits.allowances(terms)
        request = pb.GetUsageRequest(workspace_id=str(terms.workspace), allowances=allowances)
        try:
            answer = await self._stub.GetUsage(request, timeout=CALL_S)
        except grpc.aio.AioRpcError as error:
            # Whoever reserves next finds out; counters that are lost may have room as well.
            log.debug("usage_unknown", code=error.code().name)
            return True
        pairs = zip(allowances, answer.usages, strict=True)
        return all(usage.used < allowance.limit for allowance, usage in pairs)

    async def room_of_deployment(self, most: int) -> int:
        """How many permits the deployment's cap has left, up to `most`; 0 where that is not known."""
        cap = self._limits.of_deployment()
        if cap is None:
            return most
        request = pb.GetUsageRequest(workspace_id=DEPLOYMENT_WORKSPACE, allowances=[cap])
        try:
            [usage] = (await self._stub.GetUsage(request, timeout=CALL_S)).usages
        except grpc.aio.AioRpcError as error:
            log.debug("usage_unknown", code=error.code().name)
            return 0
        return min(most, max(0, cap.limit - usage.used))

    async def refund(self, returns: Sequence[Return]) -> None:
        """Gives permits back. Safe to repeat. One that fails is lost for its window, on the safe side."""
        for at in range(0, len(returns), REFUND_BATCH):
            batch = [
                pb.Return(
                    workspace_id=str(back.workspace),
                    reservation_id=back.reservation_id,
                    refund_id=back.refund_id,
                    permits=back.permits,
                )
                for back in returns[at : at + REFUND_BATCH]
            ]
            try:
                await self._stub.Refund(pb.RefundRequest(returns=batch), timeout=CALL_S)
            except grpc.aio.AioRpcError as error:
                log.warning("refund_lost", permits=sum(back.permits for back in batch), code=error.code().name)

    def _granted(self, ask: pb.Ask, grant: pb.Grant, want: Wanted, asked_at: float) -> Granted:
        reserve_time = _datetime(grant.reserve_time)
        good_for_s = (_datetime(grant.expire_time) - reserve_time).total_seconds() - MARGIN_S
        shortage = None
        if grant.HasField("tightest"):
            allowance = ask.allowances[grant.tightest]
            shortage = Shortage(
                whole_mailbox=allowance.scope != pb.SCOPE_CAMPAIGN,
                of_deployment=allowance.scope == pb.SCOPE_DEPLOYMENT,
                wait_us=max(0, (_datetime(grant.retry_time) - reserve_time) // timedelta(microseconds=1)),
                detail=self._words(allowance),
            )
        return Granted(
            terms=want.terms,
            count=grant.granted,
            reservation_id=grant.reservation_id,
            reserve_time=reserve_time,
            good_until=asked_at + good_for_s,
            epoch=grant.epoch,
            deployment_epoch=grant.deployment_epoch if grant.HasField("deployment_epoch") else None,
            shortage=shortage,
        )

    def _words(self, allowance: pb.Allowance) -> str:
        whose = {pb.SCOPE_MAILBOX: "its", pb.SCOPE_CAMPAIGN: "the campaign's"}.get(allowance.scope, "the deployment's")
        per = "day" if allowance.window.length.ToSeconds() == self._limits.day_s else "hour"
        return f"{whose} limit of {allowance.limit} a {per}"

    def _behind(self, granted: Sequence[Granted]) -> list[str]:
        """Workspaces whose counters are of an epoch that Postgres has left: every permit of theirs would be refused."""
        found = {name for grant in granted for name, epoch in grant.epochs.items() if epoch < self._raised.get(name, 0)}
        return sorted(found)

    async def _restore_all(self, workspaces: Sequence[str], since: float) -> None:
        """Restores counters, unless this process did so since: once more would void what was granted since."""
        async with self._restoring:
            for workspace in workspaces:
                if self._restored_at.get(workspace, since) <= since:
                    await self._restore(workspace)
                    _keep(self._restored_at, workspace, time.monotonic())

    async def _restore(self, workspace: str) -> None:
        part_s = self._limits.hour_s / max(1, self._limits.parts)
        span_s = max(self._limits.day_s, 2 * self._limits.hour_s) + part_s
        above = 0
        for _ in range(RESTORE_TRIES):
            key = _key(workspace)
            epoch, handed_out = await epochs.next_epoch(self._engine, key, part_s, span_s, above)
            # From here on grants of an older one are worth nothing, whether the limiter hears of this or not.
            _keep(self._raised, workspace, epoch)
            # In a thread: a busy workspace's hand-outs take some tenths of a second.
            counts = await asyncio.to_thread(restored.counts, self._limits, key, handed_out)
            request = pb.RestoreRequest(workspace_id=workspace, epoch=epoch, counts=counts)
            try:
                answer = await self._stub.Restore(request, timeout=RESTORE_S)
            except grpc.aio.AioRpcError as error:
                raise Unavailable("the limiter could not be restored", reason=LOST, retry_after_s=1) from error
            log.warning("counters_restored", workspace=workspace, epoch=answer.epoch, restored=answer.restored)
            if answer.restored:
                return
            above = answer.epoch


def _keep(known: dict[str, T], workspace: str, value: T) -> None:
    """Notes what is newest of a workspace, and forgets that of which there was no news for the longest."""
    known.pop(workspace, None)
    known[workspace] = value
    if len(known) > MOST_WORKSPACES:
        del known[next(iter(known))]


def _datetime(timestamp: object) -> datetime:
    found: datetime = timestamp.ToDatetime(tzinfo=UTC)  # type: ignore[attr-defined]
    return found


def _key(workspace: str) -> int:
    """Of a workspace as the limiter names it, in Postgres."""
    return epochs.DEPLOYMENT if workspace == DEPLOYMENT_WORKSPACE else int(workspace)


def _lost_workspaces(error: grpc.aio.AioRpcError) -> list[str]:
    """The workspaces whose counters a call missed.

    Raises:
        Unavailable: that is not what is wrong.
    """
    # An AioRpcError has all that from_call asks of a call.
    status = rpc_status.from_call(cast("grpc.Call", error))
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.reason == LOST:
            return [name for name in info.metadata.get("workspaces", "").split(",") if name]
    raise Unavailable(f"the limiter does not answer: {error.code().name}", retry_after_s=1) from error
