"""Fixtures: one real Valkey for the run, emptied for each test that asks, and servers of a test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:  # imported by the fixtures instead: what they need takes a second to load
    from maillane_local.valkey import Valkey

    from .valkey_cluster import ValkeyCluster

StartValkey: TypeAlias = "Callable[..., Awaitable[Valkey]]"
"""Starts a Valkey with the settings given as keywords, say start_valkey(maxmemory="8mb")."""


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey server that all tests of the run share: use it through `redis_url`, and leave its settings alone."""
    from maillane_local.valkey import Valkey

    server = Valkey(tmp_path_factory.mktemp("valkey"))
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture
def redis_url(valkey: Valkey) -> str:
    """The URL of the shared Valkey, emptied, its scripts forgotten."""
    from redis import Redis

    with Redis.from_url(valkey.url) as client:
        client.flushall()
        client.script_flush()
    return valkey.url


@pytest.fixture
async def start_valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StartValkey]:
    """Starts Valkey servers of this test's own, to fill, kill or wipe; they are stopped after it."""
    from maillane_local.valkey import Valkey

    servers: list[Valkey] = []

    async def start(**settings: str) -> Valkey:
        server = Valkey(tmp_path_factory.mktemp("valkey"), settings=settings)
        servers.append(server)
        await server.start()
        return server

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture(scope="module")
def valkey_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster]:
    """A cluster that the tests of a module share, to kill and to wipe; it is whole at the start of each.

    Not shared by more: it takes 2 s to form, and 6 processes.
    """
    from .valkey_cluster import ValkeyCluster

    with asyncio.Runner() as runner:
        cluster = ValkeyCluster(tmp_path_factory.mktemp("cluster"), node_timeout_ms=1_000)
        runner.run(cluster.start())
        yield cluster
        runner.run(cluster.stop())
