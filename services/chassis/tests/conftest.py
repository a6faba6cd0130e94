from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from maillane.options.v1 import access_pb2
from maillane_chassis.access import Identity
from maillane_chassis.channel import open_channel
from maillane_chassis.server import Server
from maillane_chassis.settings import ServiceSettings
from pydantic import SecretStr

from .echo import Act, registration, same

KEY = "the-key-of-the-services-of-a-test"

TOKENS = {
    "viewer": Identity(7, 1, access_pb2.ACCESS_VIEWER, "viewer"),
    "editor": Identity(7, 2, access_pb2.ACCESS_EDITOR, "editor"),
    "admin": Identity(7, 3, access_pb2.ACCESS_ADMIN, "admin"),
}

Serve = Callable[..., Awaitable[Server]]
Connect = Callable[..., grpc.aio.Channel]


async def authenticate(token: str) -> Identity | None:
    return TOKENS.get(token)


def bearer(token: str) -> dict[str, Any]:
    """Arguments of a call that a token makes."""
    return {"metadata": (("authorization", f"Bearer {token}"),)}


@pytest.fixture
def settings() -> ServiceSettings:
    return ServiceSettings(service_key=SecretStr(KEY))


@pytest.fixture
async def serve(settings: ServiceSettings) -> AsyncIterator[Serve]:
    """Starts servers of the Echo service, and stops them after the test."""
    async with AsyncExitStack() as stack:

        async def start(act: Act = same, **kwargs: Any) -> Server:
            options: dict[str, Any] = {"settings": settings, "port": 0, "authenticate": authenticate} | kwargs
            server = Server(services=[registration(act)], **options)
            await server.start()
            stack.push_async_callback(server.stop, 0)
            return server

        yield start


@pytest.fixture
async def connect(settings: ServiceSettings) -> AsyncIterator[Connect]:
    """Opens channels to a server, and closes them after the test."""
    async with AsyncExitStack() as stack:

        def connect(server: Server, **kwargs: Any) -> grpc.aio.Channel:
            options: dict[str, Any] = {"settings": settings, "service": False} | kwargs
            channel = open_channel(f"127.0.0.1:{server.port}", **options)
            stack.push_async_callback(channel.close)
            return channel

        yield connect
