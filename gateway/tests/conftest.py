import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from maillane_chassis.channel import open_channel
from maillane_chassis.server import Server
from maillane_gateway import app
from maillane_gateway.server import HttpServer
from maillane_gateway.settings import GatewaySettings
from pydantic import SecretStr

from .fake_scheduler import TOKEN, FakeScheduler

KEY = "the-key-of-the-services-of-a-test"


@dataclass
class Gateway:
    """A gateway that is served on a port, and the fake scheduler behind it."""

    client: httpx.AsyncClient
    scheduler: FakeScheduler
    scheduler_server: Server
    channel: grpc.aio.Channel
    port: int
    stopping: asyncio.Event
    server: HttpServer


def make_settings(**changes: Any) -> GatewaySettings:
    return GatewaySettings(service_key=SecretStr(KEY), **changes)


@asynccontextmanager
async def running(**changes: Any) -> AsyncIterator[Gateway]:
    """A whole gateway over a fake scheduler, for as long as the body runs."""
    settings, scheduler, stopping = make_settings(**changes), FakeScheduler(), asyncio.Event()
    upstream = Server(settings, 0, scheduler.registrations(), authenticate=scheduler.authenticate)
    await upstream.start()
    upstream.set_serving(True)
    target = f"127.0.0.1:{upstream.port}"
    channel = open_channel(target, settings, service=False, idempotent=app.REPEATABLE)
    server = HttpServer(app.build(channel, channel, settings, stopping), "127.0.0.1", 0, drain_s=1)
    await server.start()
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=20) as client:
        yield Gateway(client, scheduler, upstream, channel, server.port, stopping, server)
    stopping.set()
    await server.stop()
    await channel.close()
    await upstream.stop(0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    """One for all tests of a module: `scheduler` makes the fake forget between them."""
    async with running() as everything:
        yield everything


@pytest.fixture
def scheduler(gateway: Gateway) -> FakeScheduler:
    gateway.scheduler.forget()
    return gateway.scheduler


@pytest.fixture
def client(gateway: Gateway) -> httpx.AsyncClient:
    return gateway.client
