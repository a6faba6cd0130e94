from collections.abc import Callable

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane_chassis.errors import InvalidArgument
from maillane_ratelimit import validation

HOUR = pb.Window(length=Duration(seconds=3600))
NOON = Timestamp(seconds=1_790_000_000)


def window(length_s: int = 3600, nanos: int = 0, offset_s: int = 0, parts: int = 0) -> pb.Window:
    return pb.Window(length=Duration(seconds=length_s, nanos=nanos), offset=Duration(seconds=offset_s), parts=parts)


def allowance(
    scope: pb.Scope.ValueType = pb.SCOPE_MAILBOX, of: str = "42", cut: pb.Window = HOUR, limit: int = 10
) -> pb.Allowance:
    return pb.Allowance(scope=scope, id=of, window=cut, limit=limit)


def reserve(
    reservation: str = "a", workspace: str = "1", wanted: int = 1, *allowances: pb.Allowance
) -> pb.ReserveRequest:
    given = allowances or (allowance(),)
    return pb.ReserveRequest(
        asks=[pb.Ask(reservation_id=reservation, workspace_id=workspace, wanted=wanted, allowances=given)]
    )


def refund(reservation: str = "a", workspace: str = "1", refund_id: str = "x", permits: int = 1) -> pb.RefundRequest:
    one = pb.Return(reservation_id=reservation, workspace_id=workspace, refund_id=refund_id, permits=permits)
    return pb.RefundRequest(returns=[one])


def usage(workspace: str, *allowances: pb.Allowance) -> pb.GetUsageRequest:
    return pb.GetUsageRequest(workspace_id=workspace, allowances=allowances)


def restore(workspace: str = "1", epoch: int = 1, *counts: pb.Count) -> pb.RestoreRequest:
    return pb.RestoreRequest(workspace_id=workspace, epoch=epoch, counts=counts)


def count(scope: pb.Scope.ValueType = pb.SCOPE_MAILBOX, reserve_time: Timestamp = NOON, permits: int = 1) -> pb.Count:
    return pb.Count(scope=scope, id="42", window=HOUR, reserve_time=reserve_time, permits=permits)


GOOD = {
    "the least of all": (validation.check_reserve, reserve("a", "1", 1, allowance(cut=window(1), limit=0))),
    "the most of all": (
        validation.check_reserve,
        reserve(
            "Z" * 64,
            "_-9" * 21,
            10_000,
            *(allowance(of=f"{i}", cut=window(31 * 86_400, 0, 86_400, 60), limit=1_000_000_000) for i in range(8)),
        ),
    ),
    "one mailbox over an hour and a day": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(), allowance(cut=window(86_400, 0, -86_400))),
    ),
    "a refund": (validation.check_refund, refund()),
    "usage of the deployment, asked by a workspace": (
        validation.check_usage,
        usage("1", allowance(pb.SCOPE_DEPLOYMENT)),
    ),
    "a restore of nothing": (validation.check_restore, restore()),
    "a restore of the deployment": (validation.check_restore, restore("_deployment", 1, count(pb.SCOPE_DEPLOYMENT))),
}

BAD = {
    "no asks": (validation.check_reserve, pb.ReserveRequest(), ["asks"]),
    "too many asks": (validation.check_reserve, pb.ReserveRequest(asks=[reserve().asks[0]] * 201), ["asks"]),
    "no reservation id": (validation.check_reserve, reserve(""), ["asks[0].reservation_id"]),
    "a brace in the workspace": (validation.check_reserve, reserve("a", "1}"), ["asks[0].workspace_id"]),
    "the deployment as workspace": (validation.check_reserve, reserve("a", "_deployment"), ["asks[0].workspace_id"]),
    "nothing wanted": (validation.check_reserve, reserve("a", "1", 0), ["asks[0].wanted"]),
    "too much ahead": (
        validation.check_reserve,
        pb.ReserveRequest(
            asks=[pb.Ask(reservation_id="a", workspace_id="1", wanted=1, ahead=10_001, allowances=[allowance()])]
        ),
        ["asks[0].ahead"],
    ),
    "too much wanted": (validation.check_reserve, reserve("a", "1", 10_001), ["asks[0].wanted"]),
    "no allowances": (
        validation.check_reserve,
        pb.ReserveRequest(asks=[pb.Ask(reservation_id="a", workspace_id="1", wanted=1)]),
        ["asks[0].allowances"],
    ),
    "nine allowances": (
        validation.check_reserve,
        reserve("a", "1", 1, *(allowance(of=f"{i}") for i in range(9))),
        ["asks[0].allowances"],
    ),
    "a counter twice": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(limit=1), allowance(limit=2)),
        ["asks[0].allowances[1]"],
    ),
    "no scope": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(pb.SCOPE_UNSPECIFIED)),
        ["asks[0].allowances[0].scope"],
    ),
    "a scope of tomorrow": (
        validation.check_reserve,
        pb.ReserveRequest.FromString(
            reserve("a", "1", 1, allowance(pb.SCOPE_MAILBOX))
            .SerializeToString()
            .replace(b"\x08\x01\x12\x0242", b"\x08\x63\x12\x0242")
        ),
        ["asks[0].allowances[0].scope"],
    ),
    "an id that is an address": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(of="a@b.c")),
        ["asks[0].allowances[0].id"],
    ),
    "an id of 65 characters": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(of="a" * 65)),
        ["asks[0].allowances[0].id"],
    ),
    "no window": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(cut=pb.Window())),
        ["asks[0].allowances[0].window.length"],
    ),
    "half a second": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(cut=window(1, 500_000_000))),
        ["asks[0].allowances[0].window.length"],
    ),
    "32 days": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(cut=window(32 * 86_400))),
        ["asks[0].allowances[0].window.length"],
    ),
    "an offset of 25 hours": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(cut=window(offset_s=25 * 3600))),
        ["asks[0].allowances[0].window.offset"],
    ),
    "one part": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(cut=window(parts=1))),
        ["asks[0].allowances[0].window.parts"],
    ),
    "61 parts": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(cut=window(parts=61))),
        ["asks[0].allowances[0].window.parts"],
    ),
    "a limit below zero": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(limit=-1)),
        ["asks[0].allowances[0].limit"],
    ),
    "a limit above all": (
        validation.check_reserve,
        reserve("a", "1", 1, allowance(limit=1_000_000_001)),
        ["asks[0].allowances[0].limit"],
    ),
    "all of a refund": (
        validation.check_refund,
        refund("", "", "", 0),
        ["returns[0].reservation_id", "returns[0].workspace_id", "returns[0].refund_id", "returns[0].permits"],
    ),
    "a refund id with a dot": (validation.check_refund, refund("a", "1", ".unused"), ["returns[0].refund_id"]),
    "no refunds": (validation.check_refund, pb.RefundRequest(), ["returns"]),
    "usage of nothing": (validation.check_usage, usage("1"), ["allowances"]),
    "usage of a mailbox of the deployment": (
        validation.check_usage,
        usage("_deployment", allowance()),
        ["allowances[0].scope"],
    ),
    "an epoch of zero": (validation.check_restore, restore("1", 0), ["epoch"]),
    "a mailbox in the deployment": (
        validation.check_restore,
        restore("_deployment", 1, count()),
        ["counts[0].scope"],
    ),
    "the deployment in a workspace": (
        validation.check_restore,
        restore("1", 1, count(pb.SCOPE_DEPLOYMENT)),
        ["counts[0].scope"],
    ),
    "a count of nothing, at no time": (
        validation.check_restore,
        restore("1", 1, count(), count(reserve_time=Timestamp(), permits=0)),
        ["counts[1].reserve_time", "counts[1].permits"],
    ),
    "a time past all doubles": (
        validation.check_restore,
        restore("1", 1, count(reserve_time=Timestamp(seconds=9_007_199_254))),
        ["counts[0].reserve_time"],
    ),
}


@pytest.mark.parametrize(("check", "request_"), GOOD.values(), ids=GOOD)
def test_what_the_contract_allows_passes(check: Callable[[object], None], request_: object) -> None:
    """To the last value of each range."""
    assert check(request_) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(("check", "request_", "fields"), BAD.values(), ids=BAD)
def test_what_it_does_not_allow_is_named(check: Callable[[object], None], request_: object, fields: list[str]) -> None:
    """By field, all at once."""
    with pytest.raises(InvalidArgument) as refused:
        check(request_)

    assert [violation.field for violation in refused.value.violations] == fields
