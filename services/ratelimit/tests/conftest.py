import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import (
    RateLimitServiceStub,
    add_RateLimitServiceServicer_to_server,
)
from maillane_chassis.channel import open_channel
from maillane_chassis.server import Registration, Server
from maillane_local.valkey import Valkey
from maillane_ratelimit.api.rate_limit import RateLimit
from maillane_ratelimit.counters.connection import open_client, translate
from maillane_ratelimit.counters.counters import Counters
from maillane_ratelimit.limiter import Limiter
from maillane_ratelimit.settings import Settings
from pydantic import SecretStr
from redis.asyncio import Redis

Serve = Callable[[Valkey], Awaitable[RateLimitServiceStub]]
"""Serves the counters of a Valkey, and gives a client of the service."""


@pytest.fixture(scope="session")
def volatile_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey without a file, whose thousands of calls wait for no disk."""
    server = Valkey(tmp_path_factory.mktemp("volatile"), settings={"appendonly": "no"})
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture
async def redis(valkey: Valkey, redis_url: str) -> AsyncIterator[Redis]:
    """A client of the shared Valkey, emptied."""
    client = open_client(valkey.unix_url)
    yield client
    await client.aclose()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    settings = Settings(service_key=SecretStr("k" * 32))
    async with AsyncExitStack() as stack:

        async def start(valkey: Valkey) -> RateLimitServiceStub:
            client = open_client(valkey.unix_url)
            stack.push_async_callback(client.aclose)
            servicer = RateLimit(Limiter(Counters(client)))
            descriptor = pb.DESCRIPTOR.services_by_name["RateLimitService"]
            registration = Registration(descriptor, add_RateLimitServiceServicer_to_server, servicer)
            server = Server(settings, 0, [registration], translate=translate)
            await server.start()
            stack.push_async_callback(server.stop, 0)
            channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{server.port}", settings))
            return RateLimitServiceStub(channel)

        yield start


@pytest.fixture
async def stub(valkey: Valkey, redis_url: str, serve: Serve) -> RateLimitServiceStub:
    """A client of the service over the shared Valkey, emptied."""
    return await serve(valkey)
