import shutil
import signal
import time
from os import kill
from pathlib import Path

import grpc
import pytest
from grpc.aio import AioRpcError
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceStub
from maillane_local.valkey import Valkey
from redis.asyncio import Redis
from support.valkey import StartValkey

from .conftest import Serve
from .requests import allowance, ask, count_of, info, refund, reserve, restore, used

MAILBOX = allowance(10)
# Replication begins without the usual wait for more replicas, and a stop does not wait for them to follow.
AT_ONCE = {"repl-diskless-sync-delay": "0", "shutdown-timeout": "0"}


async def refusal(stub: RateLimitServiceStub, reservation: str = "refused") -> str:
    """The reason why nothing can be reserved."""
    with pytest.raises(AioRpcError) as failed:
        await reserve(stub, ask(reservation, 1, MAILBOX))
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    return info(failed.value).reason


async def test_a_limit_holds_across_a_wipe(stub: RateLimitServiceStub, redis: Redis) -> None:
    """After FLUSHALL nothing is granted until the counters are restored, and then what was left of the limit."""
    await restore(stub, 1)
    (before,) = await reserve(stub, ask("a", 6, MAILBOX))
    await redis.flushall()

    assert await refusal(stub) == "COUNTERS_LOST"
    assert await restore(stub, 2, count_of(MAILBOX, before))
    (after,) = await reserve(stub, ask("b", 10, MAILBOX))
    assert (after.granted, after.epoch) == (4, 2)


async def test_a_refund_into_an_older_epoch_does_nothing(stub: RateLimitServiceStub) -> None:
    """What was restored is what counts."""
    await restore(stub, 1)
    (grant,) = await reserve(stub, ask("a", 6, MAILBOX))
    await restore(stub, 2, count_of(MAILBOX, grant))

    assert (await refund(stub, "a", "x", 6), await used(stub, MAILBOX)) == (0, 6)


async def test_a_restart_is_a_loss(start_valkey: StartValkey, serve: Serve) -> None:
    """A server that was killed may have lost a second of grants, whatever its append-only file brought back."""
    server = await start_valkey()
    stub = await serve(server)
    await restore(stub, 1)
    (before,) = await reserve(stub, ask("a", 6, MAILBOX))
    await server.kill()
    await server.start()

    assert await refusal(stub) == "COUNTERS_LOST"
    assert await restore(stub, 2, count_of(MAILBOX, before))
    assert [grant.granted for grant in await reserve(stub, ask("b", 10, MAILBOX))] == [4]


async def test_an_old_snapshot_is_a_loss(start_valkey: StartValkey, serve: Serve, tmp_path: Path) -> None:
    """Data of an earlier hour, in which less was granted, is not believed, and does not show after a restore."""
    server = await start_valkey()
    stub = await serve(server)
    await restore(stub, 1)
    (first,) = await reserve(stub, ask("a", 2, MAILBOX))
    await server.stop()
    shutil.copytree(server.folder / "appendonlydir", tmp_path / "old")
    await server.start()
    await restore(stub, 2, count_of(MAILBOX, first))
    (second,) = await reserve(stub, ask("b", 5, MAILBOX))
    await server.stop()
    shutil.rmtree(server.folder / "appendonlydir")
    shutil.copytree(tmp_path / "old", server.folder / "appendonlydir")
    await server.start()

    assert await refusal(stub) == "COUNTERS_LOST"
    assert await restore(stub, 3, count_of(MAILBOX, first), count_of(MAILBOX, second))
    assert [grant.granted for grant in await reserve(stub, ask("c", 10, MAILBOX))] == [3]


async def test_a_primary_that_comes_back_is_a_loss(start_valkey: StartValkey, serve: Serve) -> None:
    """One process that was primary, replica and primary again has the data of another, which may have lagged."""
    first, second = await start_valkey(**AT_ONCE), await start_valkey(**AT_ONCE)
    stub = await serve(first)
    await restore(stub, 1)
    async with Redis.from_url(first.url) as one, Redis.from_url(second.url) as other:
        await _replicate(other, first)
        # A first replica counts as a loss too, for nothing: see lua/epoch.lua.
        await restore(stub, 2)
        assert (await reserve(stub, ask("a", 6, MAILBOX)))[0].granted == 6
        await other.replicaof("NO", "ONE")
        await _replicate(one, second)
        await one.replicaof("NO", "ONE")

    assert await refusal(stub) == "COUNTERS_LOST"


async def test_a_replica_grants_nothing(start_valkey: StartValkey, serve: Serve) -> None:
    """Neither does it say what is used: it does not know."""
    first, second = await start_valkey(**AT_ONCE), await start_valkey(**AT_ONCE)
    await restore(await serve(first), 1)
    async with Redis.from_url(second.url) as replica:
        await _replicate(replica, first)

    assert await refusal(await serve(second)) == "REDIS_UNAVAILABLE"


async def test_a_server_that_hangs_is_unavailable(start_valkey: StartValkey, serve: Serve) -> None:
    """Within two seconds, and what was asked meanwhile is neither lost nor counted twice once it goes on."""
    server = await start_valkey()
    stub = await serve(server)
    await restore(stub, 1)
    kill(server.pid, signal.SIGSTOP)
    begin = time.monotonic()
    reason = await refusal(stub, "a")
    took_s = time.monotonic() - begin
    kill(server.pid, signal.SIGCONT)

    assert (reason, took_s < 2) == ("REDIS_UNAVAILABLE", True)
    assert [grant.granted for grant in await reserve(stub, ask("a", 1, MAILBOX))] == [1]
    assert await used(stub, MAILBOX) == 1


async def test_a_server_that_is_gone_is_unavailable(start_valkey: StartValkey, serve: Serve) -> None:
    """At once, for all that is asked."""
    server = await start_valkey()
    stub = await serve(server)
    await restore(stub, 1)
    await server.stop()

    assert await refusal(stub) == "REDIS_UNAVAILABLE"


async def test_a_full_server_goes_on(start_valkey: StartValkey, serve: Serve) -> None:
    """With its memory full it grants and takes back: only what is sent makes room in the queue beside it."""
    server = await start_valkey()
    stub = await serve(server)
    await restore(stub, 1)
    await reserve(stub, ask("a", 6, MAILBOX))
    async with Redis.from_url(server.url) as redis:
        await redis.config_set("maxmemory", 1)

    await reserve(stub, ask("b", 3, MAILBOX))
    assert (await refund(stub, "a", "x", 4), await used(stub, MAILBOX)) == (4, 5)


async def test_a_server_that_evicts_is_refused(start_valkey: StartValkey, serve: Serve) -> None:
    """Its counters could vanish one by one, and nobody would know."""
    stub = await serve(await start_valkey(**{"maxmemory-policy": "volatile-lru"}))

    assert await refusal(stub) == "REDIS_EVICTS"


async def _replicate(replica: Redis, of: Valkey) -> None:
    """Returns once the replica holds all that its primary has."""
    await replica.replicaof("127.0.0.1", str(of.port))
    async with Redis.from_url(of.url) as primary:
        assert await primary.wait(1, 10_000) == 1
