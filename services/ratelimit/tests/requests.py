"""Requests as the tests need them, and what an error says."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc.aio import AioRpcError
from grpc_status import rpc_status
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceStub

# Tests are over before it ends, but for one run in a month; what happens at ends is the matter of the model's test.
MONTH = pb.Window(length=Duration(seconds=31 * 86_400))


def allowance(limit: int, of: str = "42", scope: pb.Scope.ValueType = pb.SCOPE_MAILBOX) -> pb.Allowance:
    return pb.Allowance(scope=scope, id=of, window=MONTH, limit=limit)


def ask(reservation: str, wanted: int, *allowances: pb.Allowance, workspace: str = "1") -> pb.Ask:
    return pb.Ask(reservation_id=reservation, workspace_id=workspace, wanted=wanted, allowances=allowances)


async def reserve(stub: RateLimitServiceStub, *asks: pb.Ask) -> list[pb.Grant]:
    return list((await stub.Reserve(pb.ReserveRequest(asks=asks))).grants)


async def restore(stub: RateLimitServiceStub, epoch: int, *counts: pb.Count, workspace: str = "1") -> bool:
    request = pb.RestoreRequest(workspace_id=workspace, epoch=epoch, counts=counts)
    return (await stub.Restore(request)).restored


async def refund(stub: RateLimitServiceStub, reservation: str, refund_id: str, permits: int) -> int:
    one = pb.Return(reservation_id=reservation, workspace_id="1", refund_id=refund_id, permits=permits)
    return (await stub.Refund(pb.RefundRequest(returns=[one]))).refunded[0]


async def used(stub: RateLimitServiceStub, of: pb.Allowance, workspace: str = "1") -> int:
    request = pb.GetUsageRequest(workspace_id=workspace, allowances=[of])
    return (await stub.GetUsage(request)).usages[0].used


def count_of(of: pb.Allowance, grant: pb.Grant) -> pb.Count:
    """What a scheduler restores of a grant."""
    return pb.Count(scope=of.scope, id=of.id, window=of.window, reserve_time=grant.reserve_time, permits=grant.granted)


def info(error: AioRpcError) -> error_details_pb2.ErrorInfo:
    found = error_details_pb2.ErrorInfo()
    assert _details(error)[0].Unpack(found)
    return found


def bad_fields(error: AioRpcError) -> list[str]:
    found = error_details_pb2.BadRequest()
    assert _details(error)[1].Unpack(found)
    return [violation.field for violation in found.field_violations]


def _details(error: AioRpcError) -> Sequence[Any]:
    # Typed for grpc's own calls only, but asks for no more than metadata, code and details.
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status
    return list(status.details)
