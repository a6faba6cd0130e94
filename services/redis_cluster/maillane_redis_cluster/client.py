"""A client of a Valkey or Redis Cluster: each command goes to the primary of a key's slot.

Every primary has a client of its own, opened as that of a single server is, so that what is checked on a new connection
and how long is waited do not depend on where the keys lie. Why not redis-py's own: docs/decisions.md.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot

SCHEMES = ("redis+cluster://", "rediss+cluster://")
PORT = 6379
# Between two looks for the nodes: a fail-over takes a second or more, and every call that fails meanwhile asks for one.
LOOK_EVERY_S = 0.1
# For one node to say who has which slots, and for all that are asked one after another: a call that waits for a look
# must be answered in some two seconds all the same.
ASK_S = 0.5
LOOK_S = 1.0

Address = tuple[str, int]

# After these a slot may have another primary. (A call that is cancelled waited for too long, mostly.)
_DOUBTFUL = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ClusterDownError,
    exceptions.ReadOnlyError,
    asyncio.CancelledError,
)


class ClusterClient(Redis):
    """Sends each command once, and again only where the node that got it said that the slot is another's.

    Nodes are looked for when they are needed: at first, and after whatever fails as it would if a primary had failed.
    All errors are RedisErrors. Scripts whose key is not the one that `key_of` gives to commands without keys must be
    sent with EVAL once: SCRIPT LOAD goes to the primary of that key only.
    """

    def __init__(
        self, url: str, open_node: Callable[[str], Redis], key_of: Callable[[Sequence[Any]], str | bytes]
    ) -> None:
        """Connects to nothing yet.

        Args:
            url: `redis+cluster://[user:password@]host:port[,host:port…]`, or `rediss+cluster://…` for TLS. Some nodes
                are enough; the others are found through them.
            open_node: makes a client of one node from its URL.
            key_of: the key by which a command is sent, given with its arguments.

        Raises:
            ValueError: that is no such URL.
        """
        super().__init__()
        self._url, self._seeds = _parse(url)
        self._open_node = open_node
        self._key_of = key_of
        # First and last slot, and who is their primary; empty until the first look.
        self._slots: list[tuple[int, int, Address]] = []
        self._doubted = True
        # Every node that is known, and when it last failed or was asked: who did least lately is asked next.
        self._tried_s: dict[Address, float] = dict.fromkeys(self._seeds, 0.0)
        self._nodes: dict[Address, Redis] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._look: asyncio.Task[None] | None = None
        self._next_look_s = 0.0

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Sends a command to the primary of its key's slot."""
        try:
            return await self._send(args, options)
        except exceptions.MovedError as moved:
            # It was not executed. Who is named knows that the slot is its own: it is asked first.
            if moved.host:
                self._tried_s[moved.host, moved.port] = -1.0
            self._doubted = True
        return await self._send(args, options)

    def pubsub(self, **options: Any) -> PubSub:
        """Subscriptions at the primary to which commands without keys go; what any node publishes reaches it.

        Raises:
            redis.exceptions.ConnectionError: nothing was sent to the cluster yet, so that nobody knows it.
        """
        return self._node(self._primary(self._key_of(("SUBSCRIBE",)))).pubsub(**options)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Closes the connections to all nodes."""
        if self._look is not None:
            self._look.cancel()
        self._close_others(set())
        await asyncio.gather(*self._closing)
        await super().aclose(close_connection_pool)

    async def _send(self, args: Sequence[Any], options: dict[str, Any]) -> Any:
        if self._doubted:
            await self._looked()
        address = self._primary(self._key_of(args))
        try:
            return await self._node(address).execute_command(*args, **options)  # type: ignore[no-untyped-call] # not annotated
        except _DOUBTFUL:
            self._tried_s[address] = _now_s()
            self._doubted = True
            raise

    def _primary(self, key: str | bytes) -> Address:
        slot = key_slot(key.encode() if isinstance(key, str) else key)
        for first, last, address in self._slots:
            if first <= slot <= last:
                return address
        self._doubted = True
        raise exceptions.ConnectionError(f"no primary of slot {slot} is known")

    def _node(self, address: Address) -> Redis:
        if address not in self._nodes:
            self._nodes[address] = self._open_node(_url_of(self._url, address))
        return self._nodes[address]

    async def _looked(self) -> None:
        """Waits for a look; all who wait share one, and a caller that is cancelled leaves it to the others."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_for_primaries())
            # Seen here, for nobody may wait for it any more.
            self._look.add_done_callback(lambda look: look.cancelled() or look.exception())
        await asyncio.shield(self._look)

    async def _look_for_primaries(self) -> None:
        await asyncio.sleep(self._next_look_s - _now_s())
        self._next_look_s = _now_s() + LOOK_EVERY_S
        try:
            async with asyncio.timeout(LOOK_S):
                await self._ask_around()
        except TimeoutError:
            raise exceptions.TimeoutError("the nodes of the cluster do not answer") from None

    async def _ask_around(self) -> None:
        failed: Exception | None = None
        for address in sorted(self._tried_s, key=self._tried_s.__getitem__):
            self._tried_s[address] = _now_s()
            try:
                self._note(address, await self._ask(address))
            except (exceptions.RedisError, OSError) as error:
                failed = error
            else:
                return
        raise exceptions.ConnectionError(f"no node of the cluster answers: {failed}")

    async def _ask(self, address: Address) -> list[Any]:
        client = Redis.from_url(
            _url_of(self._url, address),
            socket_timeout=ASK_S,
            socket_connect_timeout=ASK_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            decode_responses=True,
        )
        async with client:
            # Each is first slot, last slot, primary, replicas…; each node: host, port, more.
            ranges = list(await client.execute_command("CLUSTER SLOTS"))  # type: ignore[no-untyped-call] # not annotated
        if not ranges:
            raise exceptions.ConnectionError("a node knows of no slots: it has left the cluster, or not joined it yet")
        return ranges

    def _note(self, asked: Address, ranges: list[Any]) -> None:
        slots: list[tuple[int, int, Address]] = []
        known: list[Address] = [*self._seeds]
        for first, last, *nodes in ranges:
            # A node that has no name for itself is meant by the one under which it was asked.
            addresses = [(host or asked[0], int(port)) for host, port, *_ in nodes]
            slots.append((first, last, addresses[0]))
            known += addresses
        self._slots, self._doubted = slots, False
        self._tried_s = {address: self._tried_s.get(address, 0.0) for address in known}
        self._close_others({address for *_, address in slots})

    def _close_others(self, primaries: set[Address]) -> None:
        """So that a node which becomes primary again is met on new connections, with all that is looked at on them."""
        for address in self._nodes.keys() - primaries:
            # Nobody waits for it: closing a connection to a node that hangs takes until its time-out.
            task = asyncio.create_task(_closed(self._nodes.pop(address)))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _closed(client: Redis) -> None:
    with suppress(exceptions.RedisError, OSError):
        await client.aclose()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _parse(url: str) -> tuple[SplitResult, list[Address]]:
    if not url.startswith(SCHEMES):
        raise ValueError(f"a cluster's URL begins with {' or '.join(SCHEMES)}")
    split = urlsplit(url)
    if split.path.strip("/") not in ("", "0"):
        raise ValueError("a cluster has only the database 0")
    hosts = split.netloc.rpartition("@")[2].split(",")
    return split._replace(scheme=split.scheme.partition("+")[0]), list(map(_address, hosts))


def _address(text: str) -> Address:
    split = urlsplit(f"//{text}")
    if not split.hostname:
        raise ValueError("a cluster's URL names one host or more, divided by commas")
    return split.hostname, split.port or PORT


def _url_of(cluster: SplitResult, address: Address) -> str:
    host, port = address
    credentials, at, _ = cluster.netloc.rpartition("@")
    name = f"[{host}]" if ":" in host else host
    return cluster._replace(netloc=f"{credentials}{at}{name}:{port}", path="").geturl()
