"""The URL of a cluster; what happens on one is in tests/integration/test_cluster.py."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest
from maillane_redis_cluster.client import LOOK_S, ClusterClient, _parse, _url_of
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

AWAY = (RedisConnectionError, RedisTimeoutError)
"""As which a single server that does not answer is known."""


def opened(url: str) -> ClusterClient:
    return ClusterClient(url, Redis.from_url, lambda _: "key")


@pytest.mark.parametrize(
    ("url", "nodes"),
    [
        ("redis+cluster://one", ["redis://one:6379"]),
        ("redis+cluster://u:p%40ss@one:7000,two:7001/0", ["redis://u:p%40ss@one:7000", "redis://u:p%40ss@two:7001"]),
        ("rediss+cluster://:s@[::1]:7000,two?db=0", ["rediss://:s@[::1]:7000?db=0", "rediss://:s@two:6379?db=0"]),
    ],
)
def test_a_cluster_is_named_by_some_of_its_nodes(url: str, nodes: list[str]) -> None:
    """Each is then reached as a single server of that name is, with the same credentials and options."""
    cluster, addresses = _parse(url)

    assert [_url_of(cluster, address) for address in addresses] == nodes


@pytest.mark.parametrize(
    "url", ["redis://one", "redis+cluster://", "redis+cluster://one,,two", "redis+cluster://one/1"]
)
def test_what_is_no_url_of_a_cluster_is_refused(url: str) -> None:
    """A single server's, one without a host, and one with a database: a cluster has only the first."""
    with pytest.raises(ValueError, match="cluster"):
        opened(url)


async def test_a_cluster_of_which_no_node_answers_is_away() -> None:
    """That is told as it is of a single server, though nobody knows who would have to answer."""
    client = opened("redis+cluster://127.0.0.1:1,127.0.0.1:2")

    with pytest.raises(AWAY):
        await client.time()


async def test_a_server_that_is_no_cluster_is_away(redis_url: str) -> None:
    """The scheme is wrong there, but the server may become a cluster's node yet."""
    client = opened(redis_url.replace("redis://", "redis+cluster://"))

    with pytest.raises(AWAY):
        await client.time()


async def test_calls_share_one_look_at_a_cluster_that_hangs() -> None:
    """Every one is refused within the time of that look, however many they are and however many nodes hang."""
    async with AsyncExitStack() as stack:
        hung = [
            await stack.enter_async_context(await asyncio.start_server(_say_nothing, "127.0.0.1")) for _ in range(4)
        ]
        addresses = ",".join("{}:{}".format(*server.sockets[0].getsockname()) for server in hung)
        client = opened(f"redis+cluster://{addresses}")
        begun = time.monotonic()

        outcomes = await asyncio.gather(*(client.time() for _ in range(20)), return_exceptions=True)

        took_s = time.monotonic() - begun
        assert [isinstance(outcome, AWAY) for outcome in outcomes] == [True] * 20
        assert took_s < 2 * LOOK_S


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the client has gone."""
    await reader.read()
    writer.close()
