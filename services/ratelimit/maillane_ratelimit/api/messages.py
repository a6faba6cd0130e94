"""Between the contract's messages, once validated, and the limiter's nouns."""

from __future__ import annotations

from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb

from maillane_ratelimit.permits import Allowance, Ask, Count, Counter, Grant, Return, Scope, Usage
from maillane_ratelimit.windows import Window

_US: Final = 1_000_000

_SCOPES: Final = {
    pb.SCOPE_MAILBOX: Scope.MAILBOX,
    pb.SCOPE_CAMPAIGN: Scope.CAMPAIGN,
    pb.SCOPE_WORKSPACE: Scope.WORKSPACE,
    pb.SCOPE_DEPLOYMENT: Scope.DEPLOYMENT,
}


def to_asks(request: pb.ReserveRequest) -> list[Ask]:
    """The asks, in their order."""
    return [
        Ask(ask.reservation_id, ask.workspace_id, ask.wanted, tuple(map(_to_allowance, ask.allowances)), ask.ahead)
        for ask in request.asks
    ]


def to_returns(request: pb.RefundRequest) -> list[Return]:
    """The returns, in their order."""
    return [Return(one.reservation_id, one.workspace_id, one.refund_id, one.permits) for one in request.returns]


def to_counters(request: pb.GetUsageRequest) -> list[Counter]:
    """The counters of the allowances, in their order."""
    return [_to_counter(allowance) for allowance in request.allowances]


def to_counts(request: pb.RestoreRequest) -> list[Count]:
    """The counts, in their order."""
    return [Count(_to_counter(count), _to_us(count.reserve_time), count.permits) for count in request.counts]


def from_grant(grant: Grant) -> pb.Grant:
    """A grant; what is None stays absent."""
    return pb.Grant(
        reservation_id=grant.reservation_id,
        granted=grant.granted,
        epoch=grant.epoch,
        deployment_epoch=grant.deployment_epoch,
        reserve_time=_to_timestamp(grant.reserve_us),
        expire_time=_to_timestamp(grant.expire_us),
        tightest=grant.tightest,
        retry_time=None if grant.retry_us is None else _to_timestamp(grant.retry_us),
    )


def from_usage(usage: Usage) -> pb.Usage:
    """A usage."""
    return pb.Usage(used=usage.used, reset_time=_to_timestamp(usage.reset_us))


def _to_allowance(allowance: pb.Allowance) -> Allowance:
    return Allowance(_to_counter(allowance), allowance.limit)


def _to_counter(of: pb.Allowance | pb.Count) -> Counter:
    window = of.window
    return Counter(
        _SCOPES[of.scope], of.id, Window(window.length.seconds * _US, window.offset.seconds * _US, window.parts)
    )


def _to_us(instant: Timestamp) -> int:
    return instant.seconds * _US + instant.nanos // 1000


def _to_timestamp(time_us: int) -> Timestamp:
    seconds, us = divmod(time_us, _US)
    return Timestamp(seconds=seconds, nanos=us * 1000)
