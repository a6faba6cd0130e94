"""The connection to the queue's Redis: bounded in number and in time, and aware of which server it reaches."""

import re
from collections.abc import Callable

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

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
)
_AWAY_REPLIES = ("MISCONF", "NOREPLICAS", "BUSY ")
_RUN_ID = re.compile(rb"run_id:([0-9a-f]+)")

OnRun = Callable[[str], None]
"""Told the run id of the server that a new connection reached, before the connection's first command."""


class EvictsError(exceptions.RedisError):
    """The server may drop keys when its memory is full; the queue must not run on it."""


def open_client(url: str, on_run: OnRun) -> Redis:
    """A client that connects when it is used, and repeats nothing by itself. Close it with `aclose`."""

    async def greet(connection: AbstractConnection) -> None:
        await connection.on_connect()
        # INFO, because hosted servers forbid CONFIG.
        await connection.send_command("INFO")
        info = bytes(await connection.read_response())
        if b"maxmemory_policy:noeviction" not in info:
            raise EvictsError("the queue's Redis evicts keys: set its maxmemory-policy to noeviction")
        on_run(run_id_of(info))

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


def run_id_of(info: bytes) -> str:
    """The server's run id, as INFO tells it: another one after each restart."""
    found = _RUN_ID.search(info)
    if found is None:
        raise exceptions.InvalidResponse("INFO has no run_id")
    return found[1].decode()


def is_away(error: Exception) -> bool:
    """Whether Redis cannot serve now and may later; else the error is a fault of ours."""
    is_reply = isinstance(error, exceptions.ResponseError)
    return isinstance(error, AWAY) or (is_reply and str(error).startswith(_AWAY_REPLIES))
