import asyncio

import grpc
import pytest
from grpc.aio import AioRpcError
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceStub
from maillane_local.valkey import Valkey
from redis.asyncio import Redis

from .conftest import Serve
from .requests import allowance, ask, bad_fields, info, refund, reserve, restore, used


async def test_racing_clients_never_pass_a_limit(valkey: Valkey, redis: Redis, serve: Serve) -> None:
    """Ten clients of two limiters that race for 100 permits get exactly 100 between them."""
    stubs = [await serve(valkey), await serve(valkey)]
    await restore(stubs[0], 1)

    async def race(client: int) -> int:
        asks = [ask(f"{client}-{i}", 3, allowance(100), allowance(100_000, of="day")) for i in range(15)]
        return sum([(await reserve(stubs[client % 2], one))[0].granted for one in asks])

    assert sum(await asyncio.gather(*map(race, range(10)))) == 100


async def test_racing_clients_never_pass_the_deployments_limit(valkey: Valkey, redis: Redis, serve: Serve) -> None:
    """Nor do clients of two workspaces, whose own limits cut some of what the deployment had granted."""
    stubs = [await serve(valkey), await serve(valkey)]
    for workspace in ("1", "2", "_deployment"):
        await restore(stubs[0], 1, workspace=workspace)
    whole = allowance(100, of="all", scope=pb.SCOPE_DEPLOYMENT)

    async def race(client: int) -> int:
        workspace = str(1 + client % 2)
        asks = [ask(f"{client}-{i}", 3, whole, allowance(70), workspace=workspace) for i in range(15)]
        return sum([(await reserve(stubs[client // 5], one))[0].granted for one in asks])

    granted = sum(await asyncio.gather(*map(race, range(10))))

    # Less, where one call held for a moment what it then gave back.
    assert 90 <= granted == await used(stubs[0], whole) <= 100


async def test_asks_of_one_call_share_their_buckets(stub: RateLimitServiceStub) -> None:
    """Two asks of one mailbox are served in order: the second gets what the first left."""
    await restore(stub, 1)

    grants = await reserve(stub, ask("a", 7, allowance(10)), ask("b", 7, allowance(10)), ask("c", 7, allowance(10)))

    assert [grant.granted for grant in grants] == [7, 3, 0]


async def test_ahead_is_a_twentieth_of_what_is_left(stub: RateLimitServiceStub) -> None:
    """Of 100, one takes 20 and 4 ahead; the next 50 and, of the 26 that are left, 1; the last what is left."""
    await restore(stub, 1)
    asks = [ask(name, wanted, allowance(100)) for name, wanted in (("a", 20), ("b", 50), ("c", 5), ("d", 50))]
    for one in asks:
        one.ahead = 50

    grants = await reserve(stub, *asks)

    assert [grant.granted for grant in grants] == [24, 51, 6, 19]


async def test_a_repeated_ask_gets_its_first_grant(stub: RateLimitServiceStub) -> None:
    """Also after a part of it was given back, and nothing more is counted."""
    await restore(stub, 1)
    first = await reserve(stub, ask("a", 7, allowance(10)))
    await refund(stub, "a", "x", 4)

    again = await reserve(stub, ask("a", 7, allowance(10)))

    assert (again, await used(stub, allowance(10))) == (first, 3)


async def test_a_repeated_ask_gives_back_the_second_backing(stub: RateLimitServiceStub) -> None:
    """A repeat reserves of the deployment anew, finds its first grant, and leaves the deployment as it was."""
    await restore(stub, 1)
    await restore(stub, 1, workspace="_deployment")
    whole = allowance(100, of="all", scope=pb.SCOPE_DEPLOYMENT)
    first = await reserve(stub, ask("a", 7, whole, allowance(5)))

    again = await reserve(stub, ask("a", 7, whole, allowance(5)))

    assert (again, await used(stub, whole)) == (first, 5)


async def test_the_first_of_equals_is_the_tightest(stub: RateLimitServiceStub) -> None:
    """Where two allowances hold equally little, the first in the ask is named, the deployment's included."""
    await restore(stub, 1)
    await restore(stub, 1, workspace="_deployment")
    whole = allowance(4, of="all", scope=pb.SCOPE_DEPLOYMENT)

    grants = await reserve(stub, ask("a", 7, allowance(9), allowance(4, of="7"), whole))

    assert (grants[0].granted, grants[0].tightest) == (4, 1)


async def test_a_full_grant_names_no_tightest(stub: RateLimitServiceStub) -> None:
    """What is absent is absent on the wire: tightest, retry time, the deployment's epoch."""
    await restore(stub, 3)

    (grant,) = await reserve(stub, ask("a", 7, allowance(10)))

    fields = [field for field in ("tightest", "retry_time", "deployment_epoch") if grant.HasField(field)]
    assert (grant.epoch, fields) == (3, [])


async def test_a_refund_is_counted_once(stub: RateLimitServiceStub) -> None:
    """A repeat of the same refund answers the same and changes nothing, in the deployment neither."""
    await restore(stub, 1)
    await restore(stub, 1, workspace="_deployment")
    whole = allowance(100, of="all", scope=pb.SCOPE_DEPLOYMENT)
    await reserve(stub, ask("a", 7, whole, allowance(10)))

    refunded = [await refund(stub, "a", "x", 3), await refund(stub, "a", "x", 3)]

    assert (refunded, await used(stub, whole), await used(stub, allowance(10))) == ([3, 3], 4, 4)


async def test_a_refund_gives_back_at_most_what_is_left(stub: RateLimitServiceStub) -> None:
    """Seven permits come back once, however many are returned."""
    await restore(stub, 1)
    await reserve(stub, ask("a", 7, allowance(10)))

    assert [await refund(stub, "a", name, 5) for name in "xyz"] == [5, 2, 0]


async def test_lost_workspaces_are_named_all_at_once(stub: RateLimitServiceStub) -> None:
    """One answer says which workspaces have to be restored, the deployment among them."""
    await restore(stub, 1, workspace="2")
    whole = allowance(4, of="all", scope=pb.SCOPE_DEPLOYMENT)
    asks = [ask(w, 1, whole, allowance(4), workspace=w) for w in ("1", "2", "3")]

    with pytest.raises(AioRpcError) as failed:
        await reserve(stub, *asks)

    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    assert (info(failed.value).reason, dict(info(failed.value).metadata)) == (
        "COUNTERS_LOST",
        {"workspaces": "1,3,_deployment"},
    )


async def test_a_lost_workspace_costs_the_deployment_nothing(stub: RateLimitServiceStub) -> None:
    """What the deployment had granted for it comes back; what it granted for others stays."""
    await restore(stub, 1, workspace="_deployment")
    await restore(stub, 1, workspace="2")
    whole = allowance(100, of="all", scope=pb.SCOPE_DEPLOYMENT)
    asks = [ask("a", 7, whole, workspace="1"), ask("a", 4, whole, workspace="2")]
    with pytest.raises(AioRpcError):
        await reserve(stub, *asks)

    assert await used(stub, whole, workspace="2") == 4


async def test_usage_of_a_lost_workspace_is_refused(stub: RateLimitServiceStub) -> None:
    """A zero would be a lie."""
    with pytest.raises(AioRpcError) as failed:
        await used(stub, allowance(10))

    assert info(failed.value).reason == "COUNTERS_LOST"


async def test_an_epoch_is_restored_once(stub: RateLimitServiceStub) -> None:
    """A repeat, and an older epoch, change nothing and say so."""
    restored = [await restore(stub, epoch) for epoch in (2**62, 2**62, 2**62 - 1, 2**62 + 1)]

    assert restored == [True, False, False, True]


async def test_every_bad_field_is_named(stub: RateLimitServiceStub) -> None:
    """And nothing is reserved: an ask that is right does not hide one that is not."""
    with pytest.raises(AioRpcError) as failed:
        await reserve(stub, ask("a", 1, allowance(10)), ask("b c", 0, allowance(-1)))

    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(failed.value) == ["asks[1].reservation_id", "asks[1].wanted", "asks[1].allowances[0].limit"]


async def test_every_key_goes_by_itself(stub: RateLimitServiceStub, redis: Redis) -> None:
    """No key is kept for ever, the sentinels included."""
    await restore(stub, 1)
    await restore(stub, 1, workspace="_deployment")
    (grant,) = await reserve(stub, ask("a", 7, allowance(5), allowance(4, of="all", scope=pb.SCOPE_DEPLOYMENT)))
    await refund(stub, "a", "x", 1)

    assert grant.granted == 4
    assert [key async for key in redis.scan_iter() if await redis.ttl(key) < 0] == []
