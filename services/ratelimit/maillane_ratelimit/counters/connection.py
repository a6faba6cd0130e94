"""The connection to Redis: bounded in number and in time, and only to a server that never evicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from maillane_chassis.errors import Failure, Unavailable
from maillane_redis_cluster import SCHEMES, ClusterClient
from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from maillane_ratelimit.counters import keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from redis.asyncio.connection import AbstractConnection

MOST_CONNECTIONS: Final = 32
"""Redis runs one script at a time: more than these would only wait there instead of here."""

CONNECT_S: Final = 1.2
"""For a connection to be made: less than a call's time, so that what fails is named."""

_AWAY: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    TimeoutError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    # The slot is moving, or has moved again. From a single server's URL: it is a node of a cluster.
    exceptions.AskError,
    exceptions.TryAgainError,
)
"""What Redis is, or does, when it cannot count now and may later. (TimeoutError: of the whole call.)"""

_AWAY_REPLIES: Final = (
    "MISCONF",
    "NOREPLICAS",
    "BUSY ",
    "Attempted to access a non local key",
    "Script attempted to access a non local key",
)
"""The same, where the client knows only the text: its disk is full, its replicas are gone, a script blocks it, its slot
moves away key by key (Valkey; Redis)."""


class EvictsError(exceptions.RedisError):
    """The server may drop counters when memory is full, and limits would be passed without anybody noticing."""


def open_client(url: str) -> Redis:
    """A client that connects when it is used. Close it with `aclose`.

    It repeats nothing by itself, for only `Counters` knows what may be repeated. Nor does it limit the wait for an
    answer or for a free connection: callers do, for a whole call, and a call that is cancelled closes its connection.

    Of a cluster it reaches the primary of each workspace's slot; what has no key goes to that of the deployment's.

    Raises:
        ValueError: that is no URL of a Redis.
    """
    if url.startswith(SCHEMES):
        return ClusterClient(url, _open_node, _key_of)
    return _open_node(url)


def translate(error: Exception) -> Failure | None:
    """What a caller is told when Redis is away; None for what is a fault of ours."""
    if isinstance(error, EvictsError):
        return Unavailable(str(error), reason="REDIS_EVICTS")
    is_reply = isinstance(error, exceptions.ResponseError)
    if isinstance(error, _AWAY) or (is_reply and str(error).startswith(_AWAY_REPLIES)):
        return Unavailable("the counters' Redis does not answer", reason="REDIS_UNAVAILABLE")
    return None


def _key_of(command: Sequence[Any]) -> str | bytes:
    """The key of a script, which is sent as its name, its text or digest, the number of keys, and the key."""
    return command[3] if command[0] in ("EVALSHA", "EVAL") else keys.sentinel(keys.DEPLOYMENT)


def _open_node(url: str) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=None,
        socket_timeout=None,
        socket_connect_timeout=CONNECT_S,
        retry=Retry(NoBackoff(), 0),
        # RESP3 brings nothing that is used here, and takes two more commands for each connection.
        protocol=2,
        decode_responses=True,
        redis_connect_func=_greet,
    )
    return Redis.from_pool(pool)


async def _greet(connection: AbstractConnection) -> None:
    """What a new connection does first: the usual, then the look at what the server does when memory is full.

    Here, and not once at the start, because a connection may lead to another server than the one before.
    """
    await connection.on_connect()
    # INFO, because hosted servers forbid CONFIG.
    await connection.send_command("INFO", "memory")
    memory = cast(str, await connection.read_response())
    if "maxmemory_policy:noeviction" not in memory:
        raise EvictsError("the counters' Redis evicts keys: set its maxmemory-policy to noeviction")
