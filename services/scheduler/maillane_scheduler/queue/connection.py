"""The connection to the queue's Redis: bounded in number and in time, and aware of which server it reaches."""

import re
from collections.abc import Callable

from maillane_redis_cluster import SCHEMES, ClusterClient
from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from maillane_scheduler.queue import keys

# Redis runs one script at a time: more connections than these would only wait there instead of here.
MOST_CONNECTIONS = 32
# A server that hangs is told apart from one that is busy within the time that callers are promised an answer in.
ANSWER_S = 1.5
CONNECT_S = 1.5
CHECKOUT_S = 1.5

# What Redis is, or does, when it cannot serve now and may later.
AWAY: tuple[type[Exception], ...] = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    # The slot is moving, or has moved again. From a single server's URL: it is a node of a cluster.
    exceptions.AskError,
    exceptions.TryAgainError,
)
_AWAY_REPLIES = ("MISCONF", "NOREPLICAS", "BUSY ")
_RUN_ID = re.compile(rb"run_id:([0-9a-f]+)")
_REPLICATION_ID = re.compile(rb"master_replid:([0-9a-f]+)")

OnRun = Callable[[str], None]
"""Told the run of the server that a new connection reached, before the connection's first command."""


class EvictsError(exceptions.RedisError):
    """The server may drop keys when its memory is full; the queue must not run on it."""


def open_client(url: str, on_run: OnRun, shard: int = 0) -> Redis:
    """A client that connects when it is used, and repeats nothing by itself. Close it with `aclose`.

    Of a cluster it reaches the primary of the shard's slot, with whatever key, or none; `on_run` is told when another
    node has taken over.

    Raises:
        ValueError: that is no URL of a Redis.
    """
    if url.startswith(SCHEMES):
        # Keys of one shard lie in one slot, and what has no key (TIME, INFO) is asked of the node that has them.
        return ClusterClient(url, lambda node: _open_node(node, on_run), lambda _: keys.sentinel(shard))
    return _open_node(url, on_run)


def run_of(info: bytes) -> str:
    """Which run of which server this is, and which history it goes on with, as INFO tells it.

    Another one after each restart, fail-over and promotion: also of a server that was primary before under the same run
    id, and whose data came back to it from a replica that lagged. (And once when the first replica is attached, and an
    hour after the last has gone. Then nothing was lost, and the queue is loaded anew for nothing.)
    """
    run, history = _RUN_ID.search(info), _REPLICATION_ID.search(info)
    if run is None or history is None:
        raise exceptions.InvalidResponse("INFO names no run_id or master_replid")
    return f"{run[1].decode()}-{history[1].decode()}"


def is_away(error: Exception) -> bool:
    """Whether Redis cannot serve now and may later; else the error is a fault of ours."""
    is_reply = isinstance(error, exceptions.ResponseError)
    return isinstance(error, AWAY) or (is_reply and str(error).startswith(_AWAY_REPLIES))


def _open_node(url: str, on_run: OnRun) -> Redis:
    async def greet(connection: AbstractConnection) -> None:
        await connection.on_connect()
        # INFO, because hosted servers forbid CONFIG.
        await connection.send_command("INFO")
        info = bytes(await connection.read_response())
        if b"maxmemory_policy:noeviction" not in info:
            raise EvictsError("the queue's Redis evicts keys: set its maxmemory-policy to noeviction")
        on_run(run_of(info))

    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=CHECKOUT_S,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=CONNECT_S,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=False,
        redis_connect_func=greet,
    )
    return Redis.from_pool(pool)
