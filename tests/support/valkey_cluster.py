"""A real Valkey Cluster on loopback: three primaries with a replica each, which fail over within seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from maillane_local.ports import LOOPBACK, free_ports
from maillane_local.valkey import Valkey
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError

PRIMARIES = 3
SLOTS = 16_384
# What is silent for so long has failed. A replica then takes over within a second.
NODE_TIMEOUT_MS = 1_500
LOOK_S = 0.05
WHOLE_S = 30.0

SETTINGS = {
    "cluster-enabled": "yes",
    # A shard without a primary does not stop the others.
    "cluster-require-full-coverage": "no",
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
    "shutdown-timeout": "0",
}


class ValkeyCluster:
    """From `start` on, which takes some 2 s, until `stop`. Bound to no event loop."""

    def __init__(self, folder: Path, *, node_timeout_ms: int = NODE_TIMEOUT_MS) -> None:
        """Describes it; `start` starts it."""
        count = 2 * PRIMARIES
        ports = free_ports(2 * count)
        self._bus = dict(zip(ports[:count], ports[count:], strict=True))
        settings = {**SETTINGS, "cluster-node-timeout": str(node_timeout_ms)}
        self.nodes = {
            port: Valkey(folder / str(port), port=port, settings={**settings, "cluster-port": str(bus)})
            for port, bus in self._bus.items()
        }

    @property
    def url(self) -> str:
        """The URL for our services: of one node only, so that they must find the others."""
        return f"redis+cluster://{LOOPBACK}:{next(iter(self.nodes))}"

    async def start(self) -> None:
        """Starts all nodes, and returns once they are a cluster that is whole."""
        try:
            await asyncio.gather(*(node.start() for node in self.nodes.values()))
            await self._form()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends all nodes."""
        await asyncio.gather(*(node.stop() for node in self.nodes.values()))

    async def empty(self) -> None:
        """Makes the cluster whole, and drops all keys and scripts."""
        await asyncio.gather(*(node.start() for node in self.nodes.values() if node.exit_code() is not None))
        await self.whole()
        for port in self.nodes:
            # Replicas refuse, and follow.
            with suppress(RedisError):
                await self.command(port, "FLUSHALL")
            await self.command(port, "SCRIPT FLUSH")

    async def primary_of(self, key: str) -> int:
        """The port of the node that serves a key.

        Raises:
            TimeoutError: no node says who it is.
        """
        slot = key_slot(key.encode())
        async with asyncio.timeout(WHOLE_S):
            while True:
                for port in self.nodes:
                    with suppress(RedisError, StopIteration):
                        ranges = await self.command(port, "CLUSTER SLOTS")
                        return int(next(r[2][1] for r in ranges if r[0] <= slot <= r[1]))
                await asyncio.sleep(LOOK_S)

    async def begin_to_move(self, key: str) -> Callable[[], Awaitable[None]]:
        """Begins to move a key's slot, key by key, and moves none yet; returns what calls it off."""
        slot, source = key_slot(key.encode()), await self.primary_of(key)
        target = next(port for port in await self._primaries() if port != source)
        for port, how, other in ((target, "IMPORTING", source), (source, "MIGRATING", target)):
            await self.command(port, "CLUSTER SETSLOT", slot, how, await self.command(other, "CLUSTER MYID"))

        async def stay() -> None:
            for port in (source, target):
                await self.command(port, "CLUSTER SETSLOT", slot, "STABLE")

        return stay

    async def taken_over(self, port: int) -> None:
        """Waits until no node takes this one for a primary with slots any more.

        Raises:
            TimeoutError: nobody takes over.
        """
        async with asyncio.timeout(WHOLE_S):
            while port in await self._primaries():
                await asyncio.sleep(LOOK_S)

    async def kill(self, port: int) -> None:
        """Ends a node at once, as a crash would."""
        await self.nodes[port].kill()

    async def restart(self, port: int) -> None:
        """Starts a node again, and waits until the cluster is whole: every primary with a replica that follows it."""
        await self.nodes[port].start()
        await self.whole()

    async def whole(self) -> None:
        """Waits until every node is there, every slot is served, and every primary has a replica that follows it.

        Raises:
            TimeoutError: it does not come to that.
        """
        async with asyncio.timeout(WHOLE_S):
            while not all([await self._is_whole(port) for port in self.nodes]):
                await asyncio.sleep(LOOK_S)

    async def fail_over(self, port: int) -> None:
        """Makes a replica primary in place of a node, in order: nothing is lost, and no connection is closed.

        Raises:
            TimeoutError: it does not come to that.
        """
        async with asyncio.timeout(WHOLE_S):
            for other in self.nodes:
                # Of a replica: its role, and its primary's host and port.
                if (await self.command(other, "ROLE"))[2:3] == [port]:
                    await self.command(other, "CLUSTER FAILOVER")
            while (await self.command(port, "ROLE"))[0] == "master":
                await asyncio.sleep(LOOK_S)

    async def command(self, port: int, *words: object) -> Any:
        """The raw answer: redis-py would parse some of them, and some in two ways."""
        node = Redis(host=LOOPBACK, port=port, retry=Retry(NoBackoff(), 0), socket_timeout=1, decode_responses=True)
        async with node:
            node.response_callbacks.clear()
            return await node.execute_command(*words)  # type: ignore[no-untyped-call] # not annotated

    async def _primaries(self) -> set[int]:
        """All that any node names."""
        found: set[int] = set()
        for port in self.nodes:
            with suppress(RedisError):
                found |= {int(slots[2][1]) for slots in await self.command(port, "CLUSTER SLOTS")}
        return found

    async def _form(self) -> None:
        ports = list(self.nodes)
        for number, port in enumerate(ports[:PRIMARIES]):
            first, last = (SLOTS * (number + n) // PRIMARIES for n in (0, 1))
            await self.command(port, "CLUSTER ADDSLOTSRANGE", first, last - 1)
            await self.command(port, "CLUSTER SET-CONFIG-EPOCH", number + 1)
        for port in ports[1:]:
            await self.command(port, "CLUSTER MEET", LOOPBACK, ports[0], self._bus[ports[0]])
        for primary, replica in zip(ports[:PRIMARIES], ports[PRIMARIES:], strict=True):
            await self._replicate(replica, await self.command(primary, "CLUSTER MYID"))
        await self.whole()

    async def _replicate(self, port: int, primary_id: str) -> None:
        """It is refused until the node has heard of its primary."""
        async with asyncio.timeout(WHOLE_S):
            while True:
                with suppress(RedisError):
                    await self.command(port, "CLUSTER REPLICATE", primary_id)
                    return
                await asyncio.sleep(LOOK_S)

    async def _is_whole(self, port: int) -> bool:
        with suppress(RedisError):
            state = await self.command(port, "CLUSTER INFO")
            known = f"cluster_known_nodes:{len(self.nodes)}"
            if "cluster_state:ok" not in state or known not in state:
                return False
            replication = await self.command(port, "INFO", "replication")
            return any(sign in replication for sign in ("master_link_status:up", "connected_slaves:1"))
        return False
